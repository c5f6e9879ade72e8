"""Boxes of a grid: the part of an array that a body lies in."""

from __future__ import annotations

import numpy as np

from KidneySegLib.volume import Volume

# slices of the array axes k, j, i
Box = tuple[slice, slice, slice]


def bounding_boxes(labels: np.ndarray) -> dict[int, Box]:
    """Returns the bounding box (slices for k, j, i) of every label in ``labels``, uint8 ``(k, j, i)``."""
    from scipy.ndimage import find_objects

    filled = np.flatnonzero(labels.any(axis=(1, 2)))  # much faster than looking for every label everywhere
    if filled.size == 0:
        return {}
    start = int(filled[0])
    boxes = {}
    for label, box in enumerate(find_objects(labels[start : filled[-1] + 1]), start=1):
        if box is not None:
            boxes[label] = (slice(box[0].start + start, box[0].stop + start), box[1], box[2])
    return boxes


def enlarged(box: Box, volume: Volume, margin_mm: float) -> Box:
    """Returns a box (slices for k, j, i) with a margin on all sides, but not beyond the image."""
    margins = [int(np.ceil(margin_mm / axis)) for axis in volume.spacing[::-1]]
    k, j, i = (
        slice(max(0, part.start - margin), min(size, part.stop + margin))
        for part, margin, size in zip(box, margins, volume.voxels.shape, strict=True)
    )
    return k, j, i
