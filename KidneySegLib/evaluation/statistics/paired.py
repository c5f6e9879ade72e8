"""Two models on the same cases: is one better?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from KidneySegLib.evaluation.statistics.bootstrap import Interval, bootstrap, mean


@dataclass(frozen=True)
class Comparison:
    """Two models on the patients that both have.

    Attributes:
        patients: how many.
        first: mean over patients of the first model.
        second: the same of the second.
        difference: first minus second, with its interval by bootstrap over patients.
        p: of Wilcoxon's signed-rank test on the patients' differences, two-sided; None with fewer than six patients,
            where no result could reach 0.05, or where all differences are 0.
    """

    patients: int
    first: float
    second: float
    difference: Interval
    p: float | None


# With five pairs the smallest two-sided p is 0.0625.
FEWEST = 6


def compare(first: Mapping[str, float], second: Mapping[str, float]) -> Comparison | None:
    """Compares two models by patient.

    Args:
        first: value by patient, such as the mean Dice of its cases.
        second: the same of the other model.

    Returns:
        The comparison over the patients that both have; None if there are none.
    """
    shared = sorted(set(first) & set(second))
    if not shared:
        return None
    differences = [first[patient] - second[patient] for patient in shared]
    interval = bootstrap(list(zip(shared, differences, strict=True)), mean)
    if interval is None:
        return None
    p = None
    if len(shared) >= FEWEST and any(differences):
        from scipy.stats import wilcoxon

        p = float(wilcoxon(differences).pvalue)
    own, other = (float(np.mean([values[patient] for patient in shared])) for values in (first, second))
    return Comparison(len(shared), own, other, interval, p)
