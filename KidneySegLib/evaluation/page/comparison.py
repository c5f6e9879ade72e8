"""Comparison with other models by what their evaluations left on the disk."""

import csv
from collections.abc import Hashable, Iterable, Sequence
from pathlib import Path
from statistics import fmean
from typing import TypeVar

from KidneySegLib.errors import InputError
from KidneySegLib.evaluation.evaluate import CaseResult
from KidneySegLib.evaluation.page.measures import STRUCTURES
from KidneySegLib.evaluation.statistics.bootstrap import compare
from KidneySegLib.evaluation.tables import Cell, ScoreTable

K = TypeVar("K", bound=Hashable)

CASES = "structures_by_case.csv"
# A smaller loss of mean Dice is within what another random seed does.
TOLERATED = 0.005


def comparison_table(results: Sequence[CaseResult], others: Sequence[Path]) -> ScoreTable:
    """Compares the Dice of this evaluation with those of earlier ones on the same cases.

    Args:
        results: of this evaluation.
        others: output folders of earlier evaluations (``kidneyseg evaluate --page``).

    Raises:
        InputError: a folder has no such table, or none of its cases are among these.
    """
    own, patients = case_dice(results), {result.name: result.patient for result in results}
    rows: list[tuple[Cell, ...]] = []
    for number, folder in enumerate(others, start=1):
        other = read_case_dice(folder)
        if not {case for case, _ in own} & {case for case, _ in other}:
            raise InputError("The evaluation to compare with has none of these cases. Give one of the same exams.")
        for structure in STRUCTURES:
            shared = [key for key in own if key in other and key[1] == structure]
            result = compare(*(_means((patients[key[0]], dice[key]) for key in shared) for dice in (own, other)))
            if result is not None:
                p = None if result.p is None else f"{result.p:.4f}"
                means = (f"{result.first:.4f}", f"{result.second:.4f}")
                rows.append((number, structure, result.patients, *means, str(result.difference), p))
    note = (
        "Mean Dice over the patients that both models have, in the order in which the other evaluations were given; "
        "interval by bootstrap over patients; p of Wilcoxon's signed-rank test, two-sided, from six patients on. A "
        "structure that a model neither found nor has in the reference of a case is left out."
    )
    header = ("other", "structure", "patients", "this model", "other model", "difference", "p")
    return ScoreTable("comparison", "Comparison with other models", note, header, rows)


def _means(values: Iterable[tuple[K, float]]) -> dict[K, float]:
    """Returns the mean of the values of each key."""
    groups: dict[K, list[float]] = {}
    for key, value in values:
        groups.setdefault(key, []).append(value)
    return {key: fmean(group) for key, group in groups.items()}


def case_dice(results: Sequence[CaseResult]) -> dict[tuple[str, str], float]:
    """Returns the mean Dice by case and structure of this evaluation."""
    return _means(((result.name, name), a.dice) for result in results for name, a in result.structures)


def read_case_dice(folder: Path) -> dict[tuple[str, str], float]:
    """Returns the mean Dice by case and structure of an earlier evaluation.

    Raises:
        InputError: the folder has no such table, or it is damaged.
    """
    try:
        with (folder / CASES).open(newline="", encoding="utf-8") as file:
            return _means(((row["case"], row["structure"]), float(row["dice"])) for row in csv.DictReader(file))
    except (OSError, UnicodeDecodeError, KeyError, ValueError, TypeError, csv.Error) as error:
        raise InputError(
            f"The evaluation to compare with has no usable {CASES}. Give the output folder of "
            "'kidneyseg evaluate --page'."
        ) from error


def losses(results: Sequence[CaseResult], in_use: Path) -> list[str]:
    """Returns what a model does worse than the one in use, as short texts; empty where nothing.

    The mean Dice over the exams is compared, structure by structure. A structure that is neither in the reference nor
    found counts 1, so that a lesion found where there is none counts against the model that found it.

    Args:
        results: of the new model.
        in_use: output folder of ``kidneyseg evaluate --page`` of the model in use, on the same exams.

    Raises:
        InputError: that evaluation cannot be used, or is of other exams.
    """
    old, new = read_case_dice(in_use), case_dice(results)
    cases = {result.name for result in results if result.overlap is not None}
    missing = {case for case, _ in old} - cases
    if missing or not old:
        raise InputError(
            "The model in use was evaluated on exams that are not among these. Give the same exams for both."
        )
    worse = []
    for structure in STRUCTURES:
        means = [fmean(values.get((case, structure), 1.0) for case in sorted(cases)) for values in (new, old)]
        if means[0] < means[1] - TOLERATED:
            worse.append(f"{structure} {means[0]:.3f} instead of {means[1]:.3f}")
    return worse
