"""Agreement of volumes after Bland and Altman (Lancet 1986)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class LimitsOfAgreement:
    """How far found volumes lie from those of the reference.

    Attributes:
        bias: mean difference, found minus reference.
        sd: sample standard deviation of the differences; 0 for a single one.
        low: ``bias - 1.96 sd``.
        high: ``bias + 1.96 sd``.
        count: number of pairs.
    """

    bias: float
    sd: float
    low: float
    high: float
    count: int


def limits_of_agreement(found: Sequence[float], reference: Sequence[float]) -> LimitsOfAgreement | None:
    """Returns bias and limits for pairs in the same order and unit; None without pairs."""
    differences = np.subtract(found, reference)
    if differences.size == 0:
        return None
    bias, sd = float(differences.mean()), float(differences.std(ddof=1)) if differences.size > 1 else 0.0
    return LimitsOfAgreement(bias, sd, bias - 1.96 * sd, bias + 1.96 * sd, differences.size)
