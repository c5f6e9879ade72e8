"""Resampling while reading: slices of the volume from images at other places, without a second copy of the volume."""

import math
from collections.abc import Callable

import numpy as np

from KidneySegLib.hounsfield import OUTSIDE
from KidneySegLib.readers.dicom.stacking.stack import StackPlan


def fill(plan: StackPlan, read: Callable[[int], np.ndarray], progress: Callable[[float], None] | None) -> np.ndarray:
    """Makes the volume's voxels, int16 array ``(k, j, i)``.

    Each image is read once, in order; two of them are held at a time. A slice that lies on an image is that image's
    exact copy, one between two is interpolated linearly.

    Args:
        plan: which slices come from which images.
        read: returns image n of the plan in Hounsfield units, int16 array (rows, columns).
        progress: called with the share done, 0 to 1.
    """
    # the first image shows whether there is as much as the headers say, before memory is taken for it
    before = read(0)
    voxels = np.empty(plan.shape, dtype=np.int16)
    k = 0
    for n, place in enumerate(plan.along):
        image = read(n) if n else before
        if plan.shifts is not None:
            image = shift(image, plan.shifts[n], plan.shape[1:])
        while k < len(plan.targets) and plan.targets[k] <= place:
            if plan.targets[k] == place:
                voxels[k] = image
            else:
                weight = (plan.targets[k] - plan.along[n - 1]) / (place - plan.along[n - 1])
                voxels[k] = blend(before, image, weight)
            k += 1
        before = image
        if progress is not None:
            progress((n + 1) / len(plan.along))
    return voxels


def blend(first: np.ndarray, second: np.ndarray, weight: float) -> np.ndarray:
    """Returns ``first`` with the share ``weight`` of the way to ``second``, rounded, int16."""
    share = np.float32(weight)
    return np.rint(first * (np.float32(1) - share) + second * share).astype(np.int16)


def shift(image: np.ndarray, by: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Moves an image on a larger canvas of air, interpolating linearly between pixels.

    Args:
        image: int16 array (rows, columns).
        by: rows and columns to move it by, both >= 0, whole or not.
        shape: rows and columns of the canvas.
    """
    for axis in (0, 1):
        whole = math.floor(by[axis] + 1e-3)
        rest = max(0.0, float(by[axis]) - whole)
        canvas_shape = list(image.shape)
        canvas_shape[axis] = shape[axis]
        canvas = np.full(canvas_shape, OUTSIDE, dtype=np.int16)
        space = canvas if axis == 0 else canvas.T
        source = image if axis == 0 else image.T
        size = len(source)
        space[whole : whole + size] = source
        if rest > 1e-3:
            moved = np.full_like(space, OUTSIDE)
            moved[whole + 1 : whole + 1 + size] = source[: max(0, len(space) - whole - 1)]
            space[...] = blend(space, moved, rest)
        image = canvas
    return image
