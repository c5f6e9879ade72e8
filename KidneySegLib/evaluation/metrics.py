"""Agreement of outlines with references: overlap, surfaces, and the network's own loss. Every measure stands here once.

Shapes are ``(k, j, i)``; a slice has k = 1.

**How far expert readers' outlines lie apart**, the tolerance of the surface Dice: KiTS23 (Heller et al., 2023) had
structures outlined by three readers each. Of 45 tumours, 45 cysts and 20 kidneys we have the mean Dice between readers
and the mean volume. A border that moves by m mm on average over a body of volume V and surface S costs a Dice of ``1 -
m S / (2 V)``. With the surface of a ball, the smallest that the volume can have, ``m = 2 (1 - Dice) r / 3``: at most
that far do the readers lie apart. Distances along the surface that are normally distributed have their 95th percentile
at 2.457 times their mean. Following Nikolov et al. (2021), who take the 95th percentile of the distances between two
readers, the tolerance is the median over the cases of ``2.457 m``, rounded to 0.1 mm. The test of this file derives
the numbers anew wherever the readers' data are at hand.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from statistics import fmean, stdev

import numpy as np

from KidneySegLib.geometry.boxes import box_of, padded

_TOLERANCE_MM = 2.0
# By structure, in mm; nobody outlined stones twice.
TOLERANCE_MM = {"kidney": 1.3, "mass": 1.5, "cyst": 0.7}


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
        surface_dice: share of both surfaces that lie within 2 mm of the other (Nikolov et al., 2021).
        reader_surface_dice: the same within the distance at which expert readers differ (``TOLERANCE_MM``);
            None where that is not known.
        hd95_mm: 95th percentile of the distances between the surfaces, the larger of both directions; infinite if one
            of the masks is empty.
        reference_ml: volume of the reference.
        found_ml: volume found.
        both_ml: volume that both have.
        image_ml: volume of the image.
    """

    surface_dice: float
    reader_surface_dice: float | None
    hd95_mm: float
    reference_ml: float
    found_ml: float
    both_ml: float
    image_ml: float

    @property
    def dice(self) -> float:
        """Dice coefficient, which is the F1 score of the voxels; two empty masks agree (1.0)."""
        total = self.reference_ml + self.found_ml
        return 2 * self.both_ml / total if total else 1.0

    @property
    def iou(self) -> float:
        """Intersection over union; two empty masks agree (1.0)."""
        union = self.reference_ml + self.found_ml - self.both_ml
        return self.both_ml / union if union else 1.0

    @property
    def precision(self) -> float | None:
        """Share of what was found that is right; None if nothing was found."""
        return self.both_ml / self.found_ml if self.found_ml else None

    @property
    def recall(self) -> float | None:
        """Share of the reference that was found; None if the reference is empty."""
        return self.both_ml / self.reference_ml if self.reference_ml else None

    @property
    def accuracy(self) -> float:
        """Share of all voxels of the image on which both agree; close to 1 wherever the structure is small."""
        return 1 - (self.reference_ml + self.found_ml - 2 * self.both_ml) / self.image_ml

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
    found: np.ndarray,
    reference: np.ndarray,
    spacing: Sequence[float],
    *,
    reader_tolerance_mm: float | None = None,
    image_voxels: int | None = None,
) -> Agreement:
    """Compares two bool masks on one grid.

    Args:
        found: what was found, ``(k, j, i)``; with k = 1, surfaces are the outlines of the slice.
        reference: what is held to be true.
        spacing: mm along k, j, i.
        reader_tolerance_mm: distance at which expert readers differ; None where that is not known.
        image_voxels: voxels of the whole image, where the masks are cut out of it.
    """
    voxel_ml = float(np.prod(spacing)) / 1000
    counts = (int(reference.sum()), int(found.sum()), int((found & reference).sum()), image_voxels or found.size)
    volumes = tuple(count * voxel_ml for count in counts)
    if not found.any() or not reference.any():
        same = 1.0 if found.any() == reference.any() else 0.0
        readers = None if reader_tolerance_mm is None else same
        return Agreement(same, readers, 0.0 if same else float("inf"), *volumes)
    box = padded(box_of(found | reference), (1, 1, 1), found.shape)
    found, reference = found[box], reference[box]
    if found.shape[0] == 1:
        found, reference, spacing = found[0], reference[0], spacing[1:]
    tolerances = (_TOLERANCE_MM, _TOLERANCE_MM if reader_tolerance_mm is None else reader_tolerance_mm)
    (fixed, readers), distance = _surfaces(found, reference, spacing, tolerances)
    return Agreement(fixed, None if reader_tolerance_mm is None else readers, distance, *volumes)


def _surfaces(
    found: np.ndarray, reference: np.ndarray, spacing: Sequence[float], tolerances: Sequence[float]
) -> tuple[list[float], float]:
    """Returns the surface Dice at each tolerance, and HD95, through MONAI."""
    import torch
    from monai.metrics.hausdorff_distance import compute_hausdorff_distance
    from monai.metrics.utils import get_edge_surface_distance

    pair = [torch.from_numpy(np.ascontiguousarray(m)) for m in (found, reference)]
    grid = [float(s) for s in spacing]
    with warnings.catch_warnings():
        # MONAI 1.5 and 1.6 warn of an argument that they set themselves.
        warnings.simplefilter("ignore", FutureWarning)
        edges, distances, areas = get_edge_surface_distance(*pair, spacing=grid, use_subvoxels=True, symmetric=True)
        batch = [mask[None, None].float() for mask in pair]
        distance = compute_hausdorff_distance(*batch, include_background=True, percentile=95, spacing=grid)
    sizes = [area[edge] for area, edge in zip(areas, edges, strict=True)]
    whole = sum(float(size.sum()) for size in sizes)
    shares = []
    for tolerance in tolerances:
        near = (float(size[far <= tolerance].sum()) for size, far in zip(sizes, distances, strict=True))
        shares.append(sum(near) / whole)
    return shares, float(distance[0, 0])


@dataclass(frozen=True)
class TouchedStones:
    """Agreement on the stones of one slice, or of several together.

    Attributes:
        both: pixels that are stone in both.
        found: pixels found.
        reference: pixels of the reference.
        stones: connected stones of the reference.
        hit: how many of these were touched by what was found.
        false: connected stones found that touch none of the reference.
    """

    both: int
    found: int
    reference: int
    stones: int
    hit: int
    false: int

    def __add__(self, other: TouchedStones) -> TouchedStones:
        """Takes two together."""
        return TouchedStones(*(a + b for a, b in zip(astuple(self), astuple(other), strict=True)))

    @property
    def dice(self) -> float | None:
        """Dice coefficient; None if there is no stone in either map."""
        pixels = self.found + self.reference
        return 2 * self.both / pixels if pixels else None


def touched_stones(found: np.ndarray, reference: np.ndarray) -> TouchedStones:
    """Compares two bool masks ``(k, j, i)``; voxels that touch at a corner belong to one stone."""
    import cc3d

    both = found & reference
    bodies, stones = cc3d.connected_components(reference, connectivity=26, return_N=True)
    hit = np.unique(bodies[both]).size
    bodies, count = cc3d.connected_components(found, connectivity=26, return_N=True)
    false = count - np.unique(bodies[both]).size
    return TouchedStones(int(both.sum()), int(found.sum()), int(reference.sum()), int(stones), int(hit), int(false))
