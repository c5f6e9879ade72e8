"""Comparison with other models by what their evaluations left on the disk."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean

from KidneySegLib.errors import InputError
from KidneySegLib.evaluation.evaluate import CaseResult
from KidneySegLib.evaluation.page.measures import STRUCTURES
from KidneySegLib.evaluation.statistics.paired import compare
from KidneySegLib.evaluation.tables import Cell, ScoreTable

CASES = "structures_by_case.csv"


def comparison_table(results: Sequence[CaseResult], others: Sequence[Path]) -> ScoreTable:
    """Compares the Dice of this evaluation with those of earlier ones on the same cases.

    Args:
        results: of this evaluation.
        others: output folders of earlier evaluations (``kidneyseg evaluate --page``).

    Raises:
        InputError: a folder has no such table, or none of its cases are among these.
    """
    own = {
        (result.name, structure): (result.patient, fmean(a.dice for name, a in result.structures if name == structure))
        for result in results
        for structure in {name for name, _ in result.structures}
    }
    rows: list[tuple[Cell, ...]] = []
    for number, folder in enumerate(others, start=1):
        other = read_case_dice(folder)
        if not {case for case, _ in own} & {case for case, _ in other}:
            raise InputError("The evaluation to compare with has none of these cases. Give one of the same exams.")
        for structure in STRUCTURES:
            shared = [key for key in own if key in other and key[1] == structure]
            first = _by_patient([(own[key][0], own[key][1]) for key in shared])
            second = _by_patient([(own[key][0], other[key]) for key in shared])
            result = compare(first, second)
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


def _by_patient(values: Sequence[tuple[str, float]]) -> dict[str, float]:
    patients: dict[str, list[float]] = {}
    for patient, value in values:
        patients.setdefault(patient, []).append(value)
    return {patient: fmean(group) for patient, group in patients.items()}


def read_case_dice(folder: Path) -> dict[tuple[str, str], float]:
    """Returns the mean Dice by case and structure of an earlier evaluation.

    Raises:
        InputError: the folder has no such table, or it is damaged.
    """
    values: dict[tuple[str, str], list[float]] = {}
    try:
        with (folder / CASES).open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                values.setdefault((row["case"], row["structure"]), []).append(float(row["dice"]))
    except (OSError, UnicodeDecodeError, KeyError, ValueError, TypeError, csv.Error) as error:
        raise InputError(
            f"The evaluation to compare with has no usable {CASES}. Give the output folder of "
            "'kidneyseg evaluate --page'."
        ) from error
    return {key: fmean(group) for key, group in values.items()}
