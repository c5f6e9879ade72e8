"""Which region of a slice is which kidney: by its side of the spine, in patient space."""

import numpy as np
from scipy import ndimage

from KidneySegLib.hounsfield import BODY, BONE
from KidneySegLib.segmentation.kidneys.locate import middle_by_spine
from KidneySegLib.structures import KIDNEYS, Side

# Pixels around a kidney that may still be kidney, in mm.
_RIM_MM = 6.0
_LEAST_BONE_MM2 = 100.0


def label_sides(regions: np.ndarray, hu: np.ndarray, spacing: tuple[float, float]) -> np.ndarray:
    """Returns a label map, uint8 ``(j, i)``: each region gets the kidney's label of its side.

    Two regions on one side are taken for two parts of one kidney.

    Args:
        regions: numbered regions, 0 elsewhere; columns run to the patient's left.
        hu: the slice, same shape.
        spacing: of rows and columns in mm.
    """
    labels = np.zeros(regions.shape, np.uint8)
    middle = slice_midline(hu, regions > 0, spacing)
    for number in range(1, int(regions.max()) + 1):
        mask = regions == number
        side = Side.RIGHT if np.nonzero(mask)[1].mean() < middle else Side.LEFT
        labels[mask] = KIDNEYS[side].label
    return labels


def slice_midline(hu: np.ndarray, kidneys: np.ndarray, spacing: tuple[float, float]) -> float:
    """Returns the column of the body's middle.

    The spine tells it: median of the bone in the middle half of the body's width. Without bone the middle of the
    body's outline serves.

    Args:
        hu: ``(j, i)``, columns from the patient's right to left.
        kidneys: bool, same shape: what may be as bright as bone without being bone.
        spacing: of rows and columns in mm.
    """
    pieces, count = ndimage.label(hu > max(BODY, float(hu.min()) + 1))
    if count == 0:
        return (hu.shape[1] - 1) / 2
    body = pieces == 1 + int(np.bincount(pieces.ravel())[1:].argmax())
    columns = np.flatnonzero(body.any(axis=0))
    left, right = int(columns[0]), int(columns[-1]) + 1
    far = ndimage.distance_transform_edt(~kidneys, sampling=spacing) > _RIM_MM if kidneys.any() else ~kidneys
    return middle_by_spine(body & far & (hu > BONE), left, right, _LEAST_BONE_MM2 / (spacing[0] * spacing[1]))
