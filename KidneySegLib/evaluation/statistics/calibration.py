"""Whether probabilities mean what they say: reliability curve and expected calibration error.

Ten bins of equal width, as Guo et al. (ICML 2017).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

BINS = 10
# Of a network that outlines a whole image, voxels below this probability and outside the reference are left out: plain
# background would make every network look calibrated.
LEAST_PROBABILITY = 0.01


@dataclass(frozen=True, eq=False)
class Reliability:
    """Voxels by the probability that they were given; those of several cases may be added.

    Attributes:
        voxels: number by bin, int64 ``(bins,)``.
        probability: sum of their probabilities by bin, float64.
        right: how many of them are what the probability is of, int64.
    """

    voxels: np.ndarray
    probability: np.ndarray
    right: np.ndarray

    def __add__(self, other: Reliability) -> Reliability:
        """Takes two together."""
        return Reliability(self.voxels + other.voxels, self.probability + other.probability, self.right + other.right)

    @property
    def error(self) -> float | None:
        """Expected calibration error: mean distance of share and probability, weighed by voxels; None without any."""
        total = int(self.voxels.sum())
        return float(np.abs(self.right - self.probability).sum()) / total if total else None

    def curve(self) -> list[tuple[float, float, int]]:
        """Returns mean probability, share that is right, and voxels of every bin that has any."""
        return [
            (float(self.probability[n] / count), float(self.right[n] / count), int(count))
            for n, count in enumerate(self.voxels)
            if count
        ]


def reliability(probability: np.ndarray, right: np.ndarray) -> Reliability:
    """Sorts voxels into bins.

    Args:
        probability: 0 to 1, any shape.
        right: bool of the same shape: whether the voxel is what the probability is of.
    """
    values, truth = probability.ravel().astype(np.float64), right.ravel()
    bins = np.minimum((values * BINS).astype(np.int64), BINS - 1)
    return Reliability(
        np.bincount(bins, minlength=BINS),
        np.bincount(bins, weights=values, minlength=BINS),
        np.bincount(bins[truth], minlength=BINS),
    )


def outline_reliability(probability: np.ndarray, reference: np.ndarray) -> Reliability:
    """Returns the reliability of a network that outlines one structure; see ``LEAST_PROBABILITY``.

    Args:
        probability: of the structure, ``(k, j, i)``.
        reference: bool, where it is.
    """
    asked = (probability >= LEAST_PROBABILITY) | reference
    return reliability(probability[asked], reference[asked])
