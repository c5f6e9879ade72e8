"""What the parenchyma looks like around a stone: its value, its noise, and from which value on a voxel is dense."""

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from KidneySegLib.hounsfield import PARENCHYMA

# On an unenhanced scan parenchyma has 30 to 45 HU. 130 HU, the lowest threshold in the literature (130 to 225 HU), is
# about 100 HU above it; a stone of 200 HU, softer than any that is known (uric acid: 250 to 500 HU), still passes
# with the voxels that it fills to two thirds.
STONE_ABOVE_TISSUE_HU = 100.0
STONE_NOISES = 5.0
# Its peak has to be clearer than its border; streaks in noisy scans reach 110 HU above parenchyma.
PEAK_ABOVE_TISSUE_HU = 120.0
PEAK_NOISES = 6.0

# With contrast medium cortex and arteries reach 200 to 400 HU: only what is clearly denser can be a stone.
STONE_WITH_CONTRAST_HU = 500.0
STONE_ABOVE_ENHANCED_HU = 200.0

# A false voxel by noise alone shall come up in one search of fifty.
FALSE_VOXELS = 0.02
NOISE_LAG = 3


@dataclass(frozen=True)
class Tissue:
    """Values of one kidney's parenchyma.

    Attributes:
        level: median in HU.
        noise: standard deviation of the noise in HU.
        dense: from here on a voxel is looked at, in HU.
        peak: what the densest voxel of a stone reaches at least, in HU.
        sure: from here on even a single voxel is not noise, in HU.
    """

    level: float
    noise: float
    dense: float
    peak: float
    sure: float


def tissue_of(voxels: np.ndarray, tissue: np.ndarray, *, contrast: bool) -> Tissue | None:
    """Measures the parenchyma.

    Args:
        voxels: HU ``(k, j, i)``, axes in canonical order.
        tissue: bool, same shape: the kidney.
        contrast: whether contrast medium was given.

    Returns:
        None if the kidney has hardly any voxels.
    """
    values = voxels[tissue]
    low, high = PARENCHYMA
    values = values[(values > low) & (values < high)]
    if values.size < 100:
        return None
    level = float(np.median(values))
    noise = _noise(voxels, tissue, level)
    if contrast:
        enhanced = float(np.percentile(values, 99))
        dense = max(STONE_WITH_CONTRAST_HU, enhanced + STONE_ABOVE_ENHANCED_HU, level + STONE_NOISES * noise)
    else:
        dense = level + max(STONE_ABOVE_TISSUE_HU, STONE_NOISES * noise)
    sure = level + NormalDist().inv_cdf(1 - FALSE_VOXELS / values.size) * noise
    peak = max(dense, level + max(PEAK_ABOVE_TISSUE_HU, PEAK_NOISES * noise))
    return Tissue(level, noise, dense, peak, max(peak, sure))


def _noise(voxels: np.ndarray, tissue: np.ndarray, level: float) -> float:
    """Returns the noise from voxels a few columns apart; of those far from the median (stones, fat) none is taken.

    Next neighbours are alike after reconstruction, so they would tell too little. For Gaussian noise the mean absolute
    difference is ``2 / sqrt(pi)`` standard deviations.
    """
    both = tissue[:, :, NOISE_LAG:] & tissue[:, :, :-NOISE_LAG]
    one = voxels[:, :, NOISE_LAG:][both].astype(np.float32)
    other = voxels[:, :, :-NOISE_LAG][both].astype(np.float32)
    differences = np.abs(one - other)
    if differences.size == 0:
        return 0.0
    spread = 3 * float(np.percentile(differences, 75))
    usual = (np.abs(one - level) < spread) & (np.abs(other - level) < spread)
    return float(differences[usual].mean() * np.sqrt(np.pi) / 2) if usual.any() else 0.0
