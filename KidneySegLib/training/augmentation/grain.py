"""Noise like the scan's own, for what is painted into it."""

import math

import numpy as np
import torch
from torch.nn import functional

from KidneySegLib.geometry.boxes import Box
from KidneySegLib.hounsfield import ENHANCED_SOFT_TISSUE
from KidneySegLib.training.augmentation.patch import Patch

_LEAST_PAIRS = 500
_WIDEST = 2.0


def grain(patch: Patch, box: Box, rng: np.random.Generator) -> torch.Tensor:
    """Returns noise for ``box`` with the strength and the grain size of the noise in the patch's soft tissue.

    Strength comes from differences of voxels three apart (as ``measuring.quality.noise`` does), grain size along each
    axis from how much less next neighbours differ: Gaussian blur by s voxels leaves neighbours a correlation of
    ``exp(-1 / (4 s^2))``.
    """
    shape = [b.stop - b.start for b in box]
    apart = _difference(patch.hu, 2, 3)
    if apart is None:
        return torch.zeros(shape)
    noise = torch.from_numpy(rng.standard_normal(shape, dtype=np.float32))[None, None]
    for axis in (0, 1, 2):
        near = _difference(patch.hu, axis, 1)
        likeness = 0.0 if near is None else 1 - (near / apart) ** 2
        if likeness > 0.05:
            noise = _blur(noise, axis, min(_WIDEST, 0.5 / math.sqrt(-math.log(min(likeness, 0.95)))))
    return noise[0, 0] * (apart / math.sqrt(2) / float(noise.std() + 1e-6))


def _difference(hu: torch.Tensor, axis: int, apart: int) -> float | None:
    """Returns the robust standard deviation of differences within soft tissue, or None where there is too little."""
    first, second = hu.narrow(axis, 0, hu.shape[axis] - apart), hu.narrow(axis, apart, hu.shape[axis] - apart)
    low, high = ENHANCED_SOFT_TISSUE
    inside = (first > low) & (first < high) & (second > low) & (second < high)
    if int(inside.sum()) < _LEAST_PAIRS:
        return None
    return max(0.5, 1.4826 * float((first - second)[inside].abs().median()))


def _blur(noise: torch.Tensor, axis: int, width: float) -> torch.Tensor:
    """Gaussian blur along one axis of ``(1, 1, k, j, i)``."""
    reach = math.ceil(2.5 * width)
    weights = torch.exp(-0.5 * (torch.arange(-reach, reach + 1) / width) ** 2)
    shape, padding = [1, 1, 1, 1, 1], [0, 0, 0]
    shape[2 + axis], padding[axis] = 2 * reach + 1, reach
    return functional.conv3d(noise, (weights / weights.norm()).view(shape), padding=tuple(padding))
