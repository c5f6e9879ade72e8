"""Moves arrays between a scan's grid and a network's grid over the same field of view.

Both grids cover the same millimetres edge to edge, so going there and back needs only the two shapes. Axes that get
coarser are averaged over the area of the new voxel (no aliasing of noise), axes that get finer are interpolated
linearly. Training prepares its exams with the same functions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from KidneySegLib.inference.arrays import tensor_of

if TYPE_CHECKING:
    import torch

# Slices that are converted to 32-bit floats at a time: 16 MB for 512² slices, which the system lends again and again.
_SLAB = 16


def grid_shape(shape: Sequence[int], spacing: Sequence[float], target: Sequence[float]) -> tuple[int, int, int]:
    """Returns the number of voxels (k, j, i) with which ``target`` mm comes nearest over the same extent."""
    k, j, i = (max(1, round(n * s / t)) for n, s, t in zip(shape, spacing, target, strict=True))
    return k, j, i


def resample(array: np.ndarray, shape: tuple[int, int, int]) -> torch.Tensor:
    """Returns ``array`` (k, j, i; any real type) on a grid of ``shape`` over the same extent, 32-bit float.

    In-plane averaging is done in slabs, so that no float copy of a large scan is ever made.
    """
    import torch
    from torch.nn import functional

    inner = (min(shape[1], array.shape[1]), min(shape[2], array.shape[2]))
    slabs = []
    for start in range(0, array.shape[0], _SLAB):
        slab = np.ascontiguousarray(array[start : start + _SLAB], dtype=np.float32)
        slabs.append(functional.adaptive_avg_pool2d(tensor_of(slab), inner))
    result = torch.cat(slabs)[None, None]
    if shape[0] < array.shape[0]:
        result = functional.adaptive_avg_pool3d(result, (shape[0], *inner))
    if tuple(result.shape[2:]) != tuple(shape):
        result = functional.interpolate(result, size=tuple(shape), mode="trilinear", align_corners=False)
    return result[0, 0]


def restore(array: torch.Tensor, shape: tuple[int, int, int]) -> torch.Tensor:
    """Takes values (k, j, i) on a network's grid linearly to the scan's ``shape`` over the same extent."""
    from torch.nn import functional

    return functional.interpolate(array[None, None], size=tuple(shape), mode="trilinear", align_corners=False)[0, 0]


def restore_slice(array: torch.Tensor, k: int, shape: tuple[int, int, int]) -> torch.Tensor:
    """Returns slice ``k`` of what ``restore`` gives for each output, ``(outputs, j, i)``, without the others' memory.

    Args:
        array: ``(outputs, k, j, i)`` on a network's grid.
        k: slice of the scan.
        shape: of the scan.
    """
    from torch.nn import functional

    place = max(0.0, (k + 0.5) * array.shape[1] / shape[0] - 0.5)
    lower = min(int(place), array.shape[1] - 1)
    upper = min(lower + 1, array.shape[1] - 1)
    plane = array[:, lower].lerp(array[:, upper], min(1.0, place - lower))
    return functional.interpolate(plane[None], size=tuple(shape[1:]), mode="bilinear", align_corners=False)[0]


def normalise(hu: torch.Tensor, window: tuple[float, float]) -> torch.Tensor:
    """Clips HU to ``window`` and maps the window linearly to -1..1."""
    low, high = window
    return hu.clamp(low, high).sub(low).mul(2 / (high - low)).sub(1)


def resample_mask(mask: np.ndarray, shape: tuple[int, int, int]) -> np.ndarray:
    """Returns a mask on another grid over the same extent, uint8: 1 where it fills at least half of a voxel."""
    return (resample(mask, shape).numpy() >= 0.5).astype(np.uint8)
