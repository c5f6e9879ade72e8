"""The border of a cyst, by density: the network's grid is too coarse for it.

A cyst is homogeneous and so is the parenchyma around it. Their border lies where the density, smoothed against noise,
is half-way between the two (the same rule by which stones are measured). It is looked for within the network's border
only, which lies too far out more often than not, and only where the two differ by more than noise can. Outside of it
other fluid may lie, such as a calyx, and in the arterial phase the medulla. A heterogeneous mass is left alone.
"""

from collections.abc import Sequence

import cc3d
import numpy as np
from scipy.ndimage import distance_transform_edt, gaussian_filter

from KidneySegLib.geometry.boxes import padded
from KidneySegLib.geometry.distances import depth_within, near
from KidneySegLib.hounsfield import FAT
from KidneySegLib.segmentation.lesions.kind import CYST

_SMOOTH_MM = 1.5
# How far the network's border may be off.
_BAND_MM = 4.0
# Levels are taken away from the border: inside from here on, outside up to here.
_CORE_MM, _CORE_SHARE = 2.5, 0.4
_SHELL_MM = 12.0
_FEWEST_VOXELS = 50
# A part that breaks off is the cyst's own only if it holds this share of its core.
_LEAST_SHARE = 0.25
_LEAST_CONTRAST_HU = 8.0
_LEAST_CONTRAST_TO_NOISE = 3.0
# Opening with a ball of this radius removes thin layers that partial volume with fat leaves on the kidney's surface.
_OPENING_MM = 2.0


def refine_cysts(labels: np.ndarray, kidney: np.ndarray, hu: np.ndarray, spacing: Sequence[float]) -> np.ndarray:
    """Returns the labels with the border of each cyst where its density ends, never farther out than it was.

    Args:
        labels: uint8 ``(k, j, i)``: 3 solid mass, 4 cyst, 0 elsewhere.
        kidney: bool, same shape: the outline, which tells where parenchyma is.
        hu: the image, same shape.
        spacing: mm along k, j, i.
    """
    pieces, count = cc3d.connected_components(labels == CYST, connectivity=18, return_N=True)
    refined = labels.copy()
    reach = [int(np.ceil((_SHELL_MM + 3 * _SMOOTH_MM) / s)) for s in spacing]
    for piece, inner in enumerate(cc3d.statistics(pieces)["bounding_boxes"] if count else ()):
        if piece == 0:
            continue
        box = padded(inner, reach, labels.shape)
        here = pieces[box] == piece
        found = _refined(here, (labels[box] == 0) & kidney[box], hu[box].astype(np.float32), spacing)
        refined[box][here] = 0
        refined[box][found] = CYST
    return refined


def _refined(cyst: np.ndarray, parenchyma: np.ndarray, hu: np.ndarray, spacing: Sequence[float]) -> np.ndarray:
    """Returns the mask of one cyst without what is parenchyma; the whole of it where density tells no border."""
    inside = distance_transform_edt(cyst, sampling=spacing)
    outside = distance_transform_edt(~cyst, sampling=spacing)
    core = inside > max(_CORE_MM, _CORE_SHARE * float(inside.max()))
    shell = parenchyma & (outside > _BAND_MM) & (outside <= _SHELL_MM)
    if min(np.count_nonzero(core), np.count_nonzero(shell)) < _FEWEST_VOXELS:
        return cyst
    smooth = gaussian_filter(hu, [_SMOOTH_MM / s for s in spacing], truncate=3.0)
    own, around = float(np.median(hu[core])), float(np.median(hu[shell]))
    noise = 1.4826 * float(np.median(np.abs(smooth[core] - np.median(smooth[core]))))
    if around - own < max(_LEAST_CONTRAST_HU, _LEAST_CONTRAST_TO_NOISE * noise):
        return cyst
    # smoothing moves the half-way level of a ball inwards by sigma²/r; its profile rises by 1/(sigma sqrt(2 pi)) a mm
    radius = (3 * np.count_nonzero(cyst) * float(np.prod(spacing)) / (4 * np.pi)) ** (1 / 3)
    share = 0.5 + _SMOOTH_MM / (radius * np.sqrt(2 * np.pi))
    fluid = (smooth < own + share * (around - own)) & (smooth > (own + FAT) / 2)
    found = cyst & (fluid | (inside > _BAND_MM))
    left = depth_within(found, spacing) > _OPENING_MM
    # a voxel more than was taken: the opening shall cut layers, not the corners of a small ball
    refined = _with_core(found & near(left, _OPENING_MM + max(spacing[1:]), spacing), core)
    return refined if refined.any() else cyst


def _with_core(mask: np.ndarray, core: np.ndarray) -> np.ndarray:
    """Returns the pieces of a mask that hold much of the core."""
    pieces, count = cc3d.connected_components(mask, connectivity=6, return_N=True)
    keep = np.bincount(pieces[core], minlength=count + 1) >= _LEAST_SHARE * np.count_nonzero(core)
    keep[0] = False
    return np.asarray(keep[pieces])
