"""Agreement of two outlines of the same organ."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Agreement:
    """How well a found mask agrees with a reference.

    Attributes:
        dice: Dice coefficient.
        surface_dice: share of both surfaces that lie within the tolerance of the other (Nikolov et al., 2021).
        hd95_mm: 95th percentile of the distances between the surfaces, the larger of both directions; infinite if one
            of the masks is empty.
        reference_ml: volume of the reference.
        found_ml: volume found.
    """

    dice: float
    surface_dice: float
    hd95_mm: float
    reference_ml: float
    found_ml: float

    @property
    def volume_error_percent(self) -> float:
        """Found minus reference, in per cent of the reference; infinite if there is no reference."""
        if self.reference_ml == 0:
            return float("inf")
        return 100 * (self.found_ml - self.reference_ml) / self.reference_ml


def agreement(
    found: np.ndarray, reference: np.ndarray, spacing: Sequence[float], tolerance_mm: float = 2.0
) -> Agreement:
    """Compares two bool masks ``(k, j, i)`` on one grid.

    Args:
        found: what was found.
        reference: what is held to be true.
        spacing: mm along k, j, i.
        tolerance_mm: distance within which surfaces agree.
    """
    voxel_ml = float(np.prod(spacing)) / 1000
    volumes = {"reference_ml": int(reference.sum()) * voxel_ml, "found_ml": int(found.sum()) * voxel_ml}
    if not found.any() or not reference.any():
        same = 1.0 if found.any() == reference.any() else 0.0
        return Agreement(same, same, 0.0 if same else float("inf"), **volumes)
    box = _common_box(found | reference)
    found, reference = found[box], reference[box]
    overlap = 2 * int((found & reference).sum()) / (int(found.sum()) + int(reference.sum()))
    return Agreement(overlap, *_surfaces(found, reference, spacing, tolerance_mm), **volumes)


def _surfaces(
    found: np.ndarray, reference: np.ndarray, spacing: Sequence[float], tolerance_mm: float
) -> tuple[float, float]:
    """Returns surface Dice and HD95, through MONAI."""
    import torch
    from monai.metrics.hausdorff_distance import compute_hausdorff_distance
    from monai.metrics.surface_dice import compute_surface_dice

    pair = [torch.from_numpy(np.ascontiguousarray(m))[None, None].float() for m in (found, reference)]
    grid = [float(s) for s in spacing]
    with warnings.catch_warnings():
        # MONAI 1.5 and 1.6 warn of an argument that they set themselves.
        warnings.simplefilter("ignore", FutureWarning)
        surface = compute_surface_dice(*pair, [tolerance_mm], include_background=True, spacing=grid, use_subvoxels=True)
        distance = compute_hausdorff_distance(*pair, include_background=True, percentile=95, spacing=grid)
    return float(surface[0, 0]), float(distance[0, 0])


def _common_box(mask: np.ndarray) -> tuple[slice, ...]:
    """Returns the bounding box with one voxel around it where there is room."""
    slices = []
    for axis in range(3):
        others = tuple(a for a in range(3) if a != axis)
        where = np.nonzero(mask.any(axis=others))[0]
        slices.append(slice(max(0, int(where[0]) - 1), int(where[-1]) + 2))
    return tuple(slices)
