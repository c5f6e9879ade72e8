"""What is known of every node before its neighbours are asked: its tissue, and how far from the click it lies."""

from __future__ import annotations

import numpy as np

# HU that are told apart: fat to dense contrast medium or stone
LOWEST, HIGHEST, BIN = -200.0, 500.0, 5.0
SMOOTHING_HU = 10.0
# No tissue speaks louder than this (logarithm of odds), and the distance to the click as much at the click itself.
LOUDEST = 3.0
RARE = 1e-3


def region_odds(
    values: np.ndarray, inside: np.ndarray, outside: np.ndarray, distance: np.ndarray, reach: float
) -> np.ndarray:
    """Returns the prior probability that a node belongs to the region that was clicked.

    Args:
        values: HU of the nodes, ``(k, j, i)``.
        inside: weight of each node as a sample of the region's tissue, float ``(k, j, i)``.
        outside: bool ``(k, j, i)``, samples of the tissue around the region; where there is none, tissue says nothing.
        distance: mm to the click.
        reach: of the click in mm: as far away as this, the distance speaks neither for nor against.
    """
    log_odds = LOUDEST * (1 - distance / reach)
    if outside.any():
        bins = ((np.clip(values, LOWEST, HIGHEST - 1) - LOWEST) / BIN).astype(np.intp)
        region, rest = _histogram(bins, inside), _histogram(bins, outside.astype(np.float64))
        log_odds = log_odds + np.clip(np.log((region + RARE) / (rest + RARE)), -LOUDEST, LOUDEST)[bins]
    return 1 / (1 + np.exp(-log_odds))


def _histogram(bins: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Returns the smoothed share of every bin."""
    from scipy.ndimage import gaussian_filter1d

    counts = np.bincount(bins.ravel(), weights.ravel(), int((HIGHEST - LOWEST) / BIN))
    smooth = gaussian_filter1d(counts, SMOOTHING_HU / BIN, mode="nearest")
    return smooth / max(smooth.sum(), 1e-9)
