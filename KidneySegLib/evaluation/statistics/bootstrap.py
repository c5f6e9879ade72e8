"""Confidence intervals by bootstrap over patients: cases of one patient are alike, so whole patients are drawn."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

T = TypeVar("T")

DRAWS, SEED = 2000, 0
# A draw in which the statistic has no value is left out; with fewer than this share of draws there is no interval.
_LEAST_SHARE = 0.5


@dataclass(frozen=True)
class Interval:
    """A value with its 95 % confidence interval.

    Attributes:
        value: over all cases.
        low: 2.5th percentile over the draws; None where there are fewer than two patients.
        high: 97.5th percentile.
    """

    value: float
    low: float | None
    high: float | None

    def __str__(self) -> str:
        """Returns ``value (low to high)`` with three decimals."""
        return f"{self.value:.3f}" + ("" if self.low is None else f" ({self.low:.3f} to {self.high:.3f})")


def bootstrap(
    records: Sequence[tuple[str, T]], statistic: Callable[[Sequence[T]], float | None], draws: int = DRAWS
) -> Interval | None:
    """Returns a statistic and its percentile interval (Efron and Tibshirani, 1993).

    Args:
        records: pairs of patient and what is known of one case (or kidney, or lesion).
        statistic: of what is known of all cases; None where it has no value.
        draws: how often as many patients as there are are drawn, with replacement. The same records give the same
            interval.

    Returns:
        The interval; None where the statistic has no value.
    """
    value = statistic([record for _, record in records])
    if value is None:
        return None
    by_patient: dict[str, list[T]] = {}
    for patient, record in records:
        by_patient.setdefault(patient, []).append(record)
    if len(by_patient) < 2:
        return Interval(value, None, None)
    groups = list(by_patient.values())
    rng = np.random.default_rng(SEED)
    drawn = []
    for _ in range(draws):
        chosen = rng.integers(len(groups), size=len(groups))
        one = statistic([record for n in chosen for record in groups[n]])
        if one is not None:
            drawn.append(one)
    if len(drawn) < _LEAST_SHARE * draws:
        return Interval(value, None, None)
    low, high = np.percentile(drawn, (2.5, 97.5))
    return Interval(value, float(low), float(high))


def mean(values: Sequence[float]) -> float | None:
    """Returns the mean of what is finite; None if nothing is."""
    known = [value for value in values if np.isfinite(value)]
    return float(np.mean(known)) if known else None


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
