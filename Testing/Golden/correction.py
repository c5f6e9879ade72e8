"""A label map corrected as a reader might do it, always in the same way."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

KIDNEYS, LESIONS, CYST = (1, 2), (3, 4, 5), 4
RADIUS_MM = 8.0


def correct_file(labels: Path, corrected: Path) -> None:
    """Reads a label map, corrects it and writes it on the same grid."""
    image = sitk.ReadImage(str(labels))
    voxels = correct(sitk.GetArrayFromImage(image), image.GetSpacing()[::-1])
    result = sitk.GetImageFromArray(voxels)
    result.CopyInformation(image)
    sitk.WriteImage(result, str(corrected), useCompression=True)


def correct(labels: np.ndarray, spacing: tuple[float, ...]) -> np.ndarray:
    """Removes the smallest lesion, draws a cyst into the larger kidney, takes a slice from the other kidney.

    Args:
        labels: label map (k, j, i).
        spacing: mm along k, j and i.

    Returns:
        A corrected copy; an empty label map stays empty.
    """
    corrected = labels.copy()
    bodies = [bodies == n for bodies, count in map(ndimage.label, (labels == x for x in LESIONS)) for n in _to(count)]
    if bodies:
        corrected[min(bodies, key=np.count_nonzero)] = 0
    larger, other = sorted(KIDNEYS, key=lambda kidney: -np.count_nonzero(labels == kidney))
    if np.any(labels == larger):
        corrected[_ball(labels == larger, spacing) & (labels == larger)] = CYST
    slices = np.flatnonzero((labels == other).any(axis=(1, 2)))
    if len(slices) > 1:
        last = corrected[slices[-1]]
        last[last == other] = 0
    return corrected


def _to(count: int) -> range:
    return range(1, count + 1)


def _ball(kidney: np.ndarray, spacing: tuple[float, ...]) -> np.ndarray:
    """Returns a ball around that voxel of the kidney that lies deepest in it."""
    deepest = np.unravel_index(ndimage.distance_transform_edt(kidney, sampling=spacing).argmax(), kidney.shape)
    outside = np.ones(kidney.shape, bool)
    outside[deepest] = False
    return ndimage.distance_transform_edt(outside, sampling=spacing) <= RADIUS_MM
