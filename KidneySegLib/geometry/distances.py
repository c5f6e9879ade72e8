"""Distances to the border of a mask, looked for no farther than they can matter: whole scans would take seconds."""

from collections.abc import Sequence

import numpy as np

from KidneySegLib.geometry.boxes import box_of, padded


def depth_within(mask: np.ndarray, spacing: Sequence[float] | np.ndarray) -> np.ndarray:
    """Returns the distance in mm of each voxel of a mask to the nearest one outside, float ``(k, j, i)``, 0 elsewhere.

    Where the mask reaches an end of the array it has no border there.

    Args:
        mask: bool ``(k, j, i)``.
        spacing: mm along k, j, i.
    """
    from scipy.ndimage import distance_transform_edt

    depth = np.zeros(mask.shape)
    if mask.any():
        # one voxel around the mask holds the nearest one outside of every voxel in it
        box = padded(box_of(mask), (1, 1, 1), mask.shape)
        depth[box] = distance_transform_edt(mask[box], sampling=spacing)
    return depth


def near(mask: np.ndarray, reach_mm: float, spacing: Sequence[float] | np.ndarray) -> np.ndarray:
    """Returns the voxels of a mask and those at most ``reach_mm`` from it, bool ``(k, j, i)``.

    Args:
        mask: bool ``(k, j, i)``.
        reach_mm: distance between centres of voxels.
        spacing: mm along k, j, i.
    """
    from scipy.ndimage import distance_transform_edt

    reached = np.zeros(mask.shape, bool)
    if mask.any():
        box = padded(box_of(mask), [int(np.ceil(reach_mm / axis)) for axis in spacing], mask.shape)
        reached[box] = distance_transform_edt(~mask[box], sampling=spacing) <= reach_mm
    return reached
