"""What densities say: more like samples of one tissue, or more like samples of another."""

from __future__ import annotations

import numpy as np

# HU that are told apart: fat to dense contrast medium or stone
LOWEST, HIGHEST, BIN = -200.0, 500.0, 5.0
# A tissue of few samples is known badly, so a share of it is taken to have any density.
UNKNOWN_INSIDE, UNKNOWN_OUTSIDE = 0.05, 0.2


def bins_of(values: np.ndarray) -> np.ndarray:
    """Returns the bin of every value in HU, of any shape."""
    return ((np.clip(values, LOWEST, HIGHEST - 1) - LOWEST) / BIN).astype(np.intp)


def histogram(bins: np.ndarray, weights: np.ndarray, smoothing_hu: float) -> np.ndarray:
    """Returns the smoothed share of every bin.

    Args:
        bins: see ``bins_of``.
        weights: of the samples, same shape.
        smoothing_hu: standard deviation of the smoothing.
    """
    from scipy.ndimage import gaussian_filter1d

    counts = np.bincount(bins.ravel(), weights.ravel(), int((HIGHEST - LOWEST) / BIN))
    smooth = gaussian_filter1d(counts, smoothing_hu / BIN, mode="nearest")
    return smooth / max(smooth.sum(), 1e-9)


def log_odds(
    values: np.ndarray,
    inside: np.ndarray,
    outside: np.ndarray,
    known: np.ndarray,
    smoothing_hu: float,
    loudest: float,
) -> np.ndarray:
    """Returns how much more likely each value is inside than outside, as natural logarithm.

    Args:
        values: HU, any shape.
        inside: weight of each as a sample of the inside, same shape.
        outside: weight of each as a sample of the outside.
        known: HU of further samples of the inside, any shape; together they count as much as all of ``inside``.
        smoothing_hu: standard deviation of the smoothing.
        loudest: no value says more than this, for or against.
    """
    bins = bins_of(values)
    region = histogram(bins, inside, smoothing_hu)
    if known.size:
        region = (region + histogram(bins_of(known), np.ones(known.shape), smoothing_hu)) / 2
    rest = histogram(bins, outside, smoothing_hu)
    even = 1 / len(region)
    region = (1 - UNKNOWN_INSIDE) * region + UNKNOWN_INSIDE * even
    rest = (1 - UNKNOWN_OUTSIDE) * rest + UNKNOWN_OUTSIDE * even
    odds: np.ndarray = np.clip(np.log(region / rest), -loudest, loudest)[bins]
    return odds
