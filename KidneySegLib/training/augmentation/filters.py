"""Filters that hold on boxes of any size, also narrower than themselves."""

import torch
from torch.nn import functional


def box_mean(values: torch.Tensor, width: int) -> torch.Tensor:
    """Returns the mean over cubes of ``width`` (odd) voxels, ``(k, j, i)`` like ``values``; edges are repeated."""
    reach = width // 2
    padded = functional.pad(values[None, None], (reach,) * 6, mode="replicate")
    return functional.avg_pool3d(padded, width, stride=1)[0, 0]


def neighbour_mean(values: torch.Tensor) -> torch.Tensor:
    """Returns the mean over each voxel and its next neighbours, ``(batch, channels, k, j, i)`` like ``values``.

    What lies outside does not count; in a slice (k = 1) the neighbours are those in its plane.
    """
    reach = [int(n > 1) for n in values.shape[2:]]
    return functional.avg_pool3d(values, [2 * r + 1 for r in reach], stride=1, padding=reach, count_include_pad=False)
