"""Where stones are looked for: kidney, sinus with pelvis, and the way of the proximal ureter."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from KidneySegLib.geometry.boxes import Box, bounding_boxes, enlarged, hull, within
from KidneySegLib.geometry.depth import coarse_kidney
from KidneySegLib.hounsfield import SPONGY_BONE
from KidneySegLib.structures import BY_KEY, KIDNEYS, Side
from KidneySegLib.volume import Volume

MARGIN_MM = 6.0
# Around the region: enough to see that something dense goes on outside (spine, rib, bowel).
SURROUNDINGS_MM = 12.0

# The proximal ureter lies before the psoas, between the transverse processes' tips and the kidney, below the hilum.
URETER_BELOW_KIDNEY_MM = 40.0
URETER_ABOVE_CENTRE_MM = 15.0
URETER_BEFORE_CENTRE_MM = 55.0
URETER_BEHIND_CENTRE_MM = 15.0
# The aorta and the calcium in its wall reach 20 mm to the left of the midline.
MIDLINE_MM = 22.0
# Of a kidney that the image cuts at the feet the level of the hilum is known if this much is seen.
SEEN_MM = 60.0

LEAST_BONE = 100
# Half the width of a vertebra with most of its transverse processes.
VERTEBRA_MM = 30.0
SHIFTS = 5


class Zone(IntEnum):
    """What kind of place a voxel of the region is."""

    OUTSIDE = 0
    KIDNEY = 1
    SINUS = 2
    URETER = 3


@dataclass(frozen=True)
class KidneyRegion:
    """One kidney's part of the region.

    Attributes:
        side: the patient's side.
        box: what is looked at, on the scan's canonical grid.
        zones: uint8 ``(k, j, i)`` within ``box``, values of ``Zone``.
        tissue: bool ``(k, j, i)`` within ``box``: the kidney's own label.
    """

    side: Side
    box: Box
    zones: np.ndarray
    tissue: np.ndarray


def stone_regions(canonical: Volume, labels: np.ndarray, *, ureter: bool) -> list[KidneyRegion]:
    """Builds the region of each kidney in ``labels``.

    Args:
        canonical: the image in HU, axes in canonical order.
        labels: uint8 ``(k, j, i)`` on its grid, values of ``structures``; lesions belong to the organ.
        ureter: whether the way of the ureter is searched too.
    """
    boxes = bounding_boxes(labels)
    kidneys = {side: boxes[kidney.label] for side, kidney in KIDNEYS.items() if kidney.label in boxes}
    return [_region(canonical, labels, side, box, kidneys.get(side.other), ureter) for side, box in kidneys.items()]


def _region(
    canonical: Volume, labels: np.ndarray, side: Side, kidney: Box, other: Box | None, ureter: bool
) -> KidneyRegion:
    spacing, shape = canonical.spacing[::-1], labels.shape
    hull_box = enlarged(kidney, MARGIN_MM, spacing, shape)
    part = labels[hull_box]
    lesions = (BY_KEY["mass"].label, BY_KEY["cyst"].label)
    organ = (part == KIDNEYS[side].label) | np.isin(part, lesions) | (part == BY_KEY["stone"].label)
    coarse = coarse_kidney(organ, hull_box, spacing)
    zones = np.where(coarse.fine(coarse.hull), np.uint8(Zone.SINUS), np.uint8(Zone.OUTSIDE))
    zones[organ] = Zone.KIDNEY
    way = _ureter(canonical, kidney, side, other) if ureter else None
    box = enlarged(hull([hull_box] if way is None else [hull_box, way]), SURROUNDINGS_MM, spacing, shape)
    whole = np.zeros([axis.stop - axis.start for axis in box], np.uint8)
    if way is not None:
        whole[within(way, box)] = Zone.URETER
    target = whole[within(hull_box, box)]
    np.copyto(target, zones, where=zones != Zone.OUTSIDE)
    return KidneyRegion(side, box, whole, labels[box] == KIDNEYS[side].label)


def _ureter(canonical: Volume, kidney: Box, side: Side, other: Box | None) -> Box | None:
    """Returns the box in which the proximal ureter runs, or None where there is no room for it."""
    along_k, along_j, along_i = canonical.spacing[::-1]
    whole = canonical.voxels.shape[0] == 1  # a slice for itself: whatever it shows besides the kidney is looked at
    if not whole and kidney[0].start == 0 and (kidney[0].stop - kidney[0].start) * along_k < SEEN_MM:
        return None
    centre = [(axis.start + axis.stop) / 2 for axis in kidney]
    middle = _spine(canonical, kidney, side, other)
    away = MIDLINE_MM / along_i
    columns = (centre[2], middle - away) if side is Side.RIGHT else (middle + away, centre[2])
    box = [
        (kidney[0].start - URETER_BELOW_KIDNEY_MM / along_k, centre[0] + URETER_ABOVE_CENTRE_MM / along_k),
        (centre[1] - URETER_BEFORE_CENTRE_MM / along_j, centre[1] + URETER_BEHIND_CENTRE_MM / along_j),
        columns,
    ]
    slices = [
        slice(max(0, int(np.ceil(low))), min(size, int(np.floor(high))))
        for (low, high), size in zip(box, canonical.voxels.shape, strict=True)
    ]
    if any(axis.stop <= axis.start for axis in slices):
        return None
    return slices[0], slices[1], slices[2]


def _spine(canonical: Volume, kidney: Box, side: Side, other: Box | None) -> float:
    """Returns the column of the spine: where most bone stands between kidney and kidney, or medial of the only one.

    Without bone it is the middle between the kidneys, or of the image.
    """
    width = canonical.voxels.shape[2]
    spacing = canonical.spacing[0]
    edge = kidney[2].stop if side is Side.RIGHT else kidney[2].start
    if other is not None:
        far = other[2].start if side is Side.RIGHT else other[2].stop
    else:
        far = edge + (100 if side is Side.RIGHT else -100) / spacing
    guess = (edge + far) / 2 if other is not None else width / 2
    part = canonical.voxels[kidney[0], kidney[1].start :]
    bone = np.count_nonzero(part[:: max(1, part.shape[0] // 20)] > SPONGY_BONE, axis=(0, 1)).astype(float)
    columns = np.arange(width)
    medial = (columns >= min(edge, far)) & (columns < max(edge, far))
    if bone[medial].sum() < LEAST_BONE:
        return guess
    window = np.ones(max(1, int(2 * VERTEBRA_MM / spacing)))
    middle = float(columns[medial][np.convolve(bone, window, mode="same")[medial].argmax()])
    for _ in range(SHIFTS):  # to the centre of gravity of what lies around it: a vertebra is symmetric
        near = np.abs(columns - middle) <= VERTEBRA_MM / spacing
        middle = float(np.average(columns[near], weights=bone[near])) if bone[near].any() else middle
    return middle
