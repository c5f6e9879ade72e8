"""The part of an exam that is looked at, where a plan leaves out what lies around the body (after MONAI)."""

import numpy as np

from KidneySegLib.geometry.boxes import Box


def body_box(hu: np.ndarray, above: float) -> Box:
    """Returns the box of the voxels above a value, slices for k, j, i; the whole array where there are none.

    Args:
        hu: ``(k, j, i)``.
        above: in HU.
    """
    parts = []
    for axis in range(3):
        others = tuple(other for other in range(3) if other != axis)
        held = np.flatnonzero((hu > above).any(axis=others))
        parts.append(slice(int(held[0]), int(held[-1]) + 1) if held.size else slice(0, hu.shape[axis]))
    k, j, i = parts
    return k, j, i
