"""Agreement of outlines with references: overlap, surfaces, and the network's own loss. Every measure stands here once.

Shapes are ``(k, j, i)``; a slice has k = 1.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

import numpy as np


@dataclass(frozen=True)
class Overlap:
    """Agreement of one outline, or the mean over several.

    Attributes:
        dice: Dice coefficient.
        iou: intersection over union (Jaccard).
        loss: mean binary cross-entropy of the network's probability over all voxels; NaN where that is not kept.
    """

    dice: float
    iou: float
    loss: float = math.nan


@dataclass(frozen=True)
class Spread:
    """Mean and sample standard deviation (0 for a single value)."""

    mean: float
    sd: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Returns the spread of at least one value."""
        return cls(fmean(values), stdev(values) if len(values) > 1 else 0.0)

    def __str__(self) -> str:
        """Returns ``mean ± sd`` with four decimals."""
        return f"{self.mean:.4f} ± {self.sd:.4f}"


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


def dice(found: np.ndarray, reference: np.ndarray) -> float:
    """Returns the Dice coefficient of two bool arrays; two empty ones agree (1.0)."""
    total = int(found.sum()) + int(reference.sum())
    return 2 * int((found & reference).sum()) / total if total else 1.0


def iou(found: np.ndarray, reference: np.ndarray) -> float:
    """Returns the intersection over union of two bool arrays; two empty ones agree (1.0)."""
    union = int((found | reference).sum())
    return int((found & reference).sum()) / union if union else 1.0


def cross_entropy(probability: np.ndarray, reference: np.ndarray) -> float:
    """Returns the mean binary cross-entropy; probabilities are kept 1e-6 away from 0 and 1."""
    p = np.clip(probability.astype(np.float64), 1e-6, 1 - 1e-6)
    return float(-np.where(reference, np.log(p), np.log(1 - p)).mean())


def overlap(found: np.ndarray, probability: np.ndarray, reference: np.ndarray) -> Overlap:
    """Compares an outline (bool) and the probability that it comes from with a reference (bool) of the same shape."""
    return Overlap(dice(found, reference), iou(found, reference), cross_entropy(probability, reference))


def mean_overlap(overlaps: Sequence[Overlap]) -> Overlap:
    """Returns the mean of at least one."""
    return Overlap(fmean(o.dice for o in overlaps), fmean(o.iou for o in overlaps), fmean(o.loss for o in overlaps))


def agreement(
    found: np.ndarray, reference: np.ndarray, spacing: Sequence[float], tolerance_mm: float = 2.0
) -> Agreement:
    """Compares two bool masks on one grid.

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
    return Agreement(dice(found, reference), *_surfaces(found, reference, spacing, tolerance_mm), **volumes)


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
