"""Dense bodies in the region, each described by what tells a stone from other dense things."""

from collections.abc import Iterator
from dataclasses import dataclass

import cc3d
import numpy as np
from scipy.ndimage import binary_dilation

from KidneySegLib.geometry.boxes import Box, padded, placed
from KidneySegLib.geometry.partial_volume import ball
from KidneySegLib.hounsfield import SOFT_TISSUE
from KidneySegLib.segmentation.stones.border import REACH_MM, outline
from KidneySegLib.segmentation.stones.region import KidneyRegion, Zone
from KidneySegLib.segmentation.stones.tissue import Tissue
from KidneySegLib.structures import BY_KEY, Side
from KidneySegLib.volume import Volume

LESIONS = (BY_KEY["mass"].label, BY_KEY["cyst"].label)
# Nothing larger is a stone: a cast of a whole collecting system has some 100 ml.
LARGEST_ML = 150.0
MARGIN_MM = REACH_MM + 2.0


@dataclass(frozen=True)
class DenseBody:
    """One dense body.

    Attributes:
        side: of the kidney whose region it lies in.
        zone: where most of it lies.
        box: its box with a margin, on the scan's canonical grid.
        mask: bool ``(k, j, i)`` within ``box``: up to its border.
        voxels: number of voxels above the threshold of detection.
        inside: share of these within the region.
        peak: largest value in HU.
        axes: lengths in mm of a box that spreads as the body does, along its principal axes, longest first.
        at_lesion: share of the voxels around it that belong to a mass or a cyst.
        in_fat: share of the voxels around it that are fat.
        darkest: smallest value around it in HU.
        too_large: whether it has more than ``LARGEST_ML``; it is then not outlined, and nothing is known of what lies
            around it.
    """

    side: Side
    zone: Zone
    box: Box
    mask: np.ndarray
    voxels: int
    inside: float
    peak: float
    axes: tuple[float, float, float]
    at_lesion: float
    in_fat: float
    darkest: float
    too_large: bool = False


def dense_bodies(canonical: Volume, labels: np.ndarray, region: KidneyRegion, tissue: Tissue) -> Iterator[DenseBody]:
    """Finds the dense bodies that reach into a kidney's region.

    Args:
        canonical: the image in HU, axes in canonical order.
        labels: uint8 ``(k, j, i)`` on its grid, values of ``structures``.
        region: of one kidney.
        tissue: that kidney's parenchyma.
    """
    voxels = canonical.voxels[region.box]
    dense = voxels >= tissue.dense
    searched = dense & (region.zones != Zone.OUTSIDE)
    if not searched.any():
        return
    bodies = cc3d.connected_components(dense, connectivity=26)
    statistics = cc3d.statistics(bodies)
    spacing = canonical.spacing[::-1]
    margin = [int(np.ceil(MARGIN_MM / axis)) for axis in spacing]
    for body in np.unique(bodies[searched]):
        count = int(statistics["voxel_counts"][body])
        too_large = count * canonical.voxel_volume > LARGEST_ML * 1000
        box = padded(statistics["bounding_boxes"][body], margin, voxels.shape)
        core = bodies[box] == body
        zones = region.zones[box][core]
        inside = float(np.count_nonzero(zones) / count)
        if too_large and inside <= 0.5:  # spine, bowel, the table
            continue
        looked_at = inside > 0.5 and not too_large
        part = voxels[box]
        mask = outline(part, core, spacing, tissue.level, tissue.noise) if looked_at else core
        around = _shell(core | mask, spacing) if looked_at else np.zeros_like(core)  # nobody asks
        whole = placed(box, region.box)
        near = labels[whole][around]
        yield DenseBody(
            side=region.side,
            zone=Zone(int(np.bincount(zones, minlength=4)[1:].argmax()) + 1),
            box=whole,
            mask=mask,
            voxels=count,
            inside=inside,
            peak=float(part[core].max()),
            axes=principal_axes(core, spacing),
            at_lesion=float(np.isin(near, LESIONS).mean()) if near.size else 0.0,
            in_fat=float((part[around] < SOFT_TISSUE).mean()) if near.size else 0.0,
            darkest=float(part[around].min()) if near.size else 0.0,
            too_large=too_large,
        )


def principal_axes(mask: np.ndarray, spacing: tuple[float, float, float]) -> tuple[float, float, float]:
    """Returns the side lengths in mm of the box with the same second moments, longest first.

    Args:
        mask: bool ``(k, j, i)`` with at least one voxel set.
        spacing: mm along k, j, i.
    """
    points = np.argwhere(mask) * np.asarray(spacing)
    own = np.diag(np.square(spacing) / 12)  # a voxel has an extent itself
    covariance = own if len(points) == 1 else np.cov(points.T, bias=True) + own
    short, middle, long = np.sqrt(12 * np.linalg.eigvalsh(covariance))
    return float(long), float(middle), float(short)


def _shell(body: np.ndarray, spacing: tuple[float, float, float]) -> np.ndarray:
    """Returns the voxels around a body, beyond its blurred border."""
    near = binary_dilation(body, ball(1.2, spacing))
    return binary_dilation(near, ball(2.0, spacing)) & ~near
