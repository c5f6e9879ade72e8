"""Filters that hold on boxes of any size, also narrower than themselves."""

from __future__ import annotations

import torch
from torch.nn import functional


def box_mean(values: torch.Tensor, width: int) -> torch.Tensor:
    """Returns the mean over cubes of ``width`` (odd) voxels, ``(k, j, i)`` like ``values``; edges are repeated."""
    reach = width // 2
    padded = functional.pad(values[None, None], (reach,) * 6, mode="replicate")
    return functional.avg_pool3d(padded, width, stride=1)[0, 0]
