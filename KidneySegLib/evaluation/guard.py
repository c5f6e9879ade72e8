"""Whether a model is worse than the one in use, on the same fixed exams."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from statistics import fmean

from KidneySegLib.errors import InputError
from KidneySegLib.evaluation.evaluate import CaseResult
from KidneySegLib.evaluation.page.comparison import read_case_dice
from KidneySegLib.evaluation.page.measures import STRUCTURES

# A smaller loss of mean Dice is within what another random seed does.
TOLERATED = 0.005


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
    old = read_case_dice(in_use)
    new = {
        (result.name, structure): fmean(a.dice for name, a in result.structures if name == structure)
        for result in results
        for structure in {name for name, _ in result.structures}
    }
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
