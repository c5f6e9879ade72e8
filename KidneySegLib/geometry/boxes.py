"""Boxes of a grid: the part of an array that a body lies in."""

from collections.abc import Iterable, Sequence

import numpy as np

# slices of the array axes k, j, i
Box = tuple[slice, slice, slice]


def bounding_boxes(labels: np.ndarray) -> dict[int, Box]:
    """Returns the bounding box (slices for k, j, i) of every label in ``labels``, uint8 ``(k, j, i)``."""
    from scipy.ndimage import find_objects

    parts: list[slice] = []
    for axis in range(3):  # much faster than looking for every label everywhere
        others = tuple(other for other in range(3) if other != axis)
        filled = np.flatnonzero(labels[tuple(parts)].max(axis=others, initial=0))
        if filled.size == 0:
            return {}
        parts.append(slice(int(filled[0]), int(filled[-1]) + 1))
    k, j, i = parts
    found = enumerate(find_objects(labels[k, j, i]), start=1)
    return {label: placed(box, (k, j, i)) for label, box in found if box is not None}


def box_of(mask: np.ndarray) -> Box:
    """Returns the bounding box of a mask, bool ``(k, j, i)``, in which something is set."""
    return bounding_boxes(mask.view(np.uint8))[1]


def enlarged(box: Box, margin_mm: float, spacing: Sequence[float], shape: Sequence[int]) -> Box:
    """Returns a box with a margin on all sides, but not beyond an array of this shape; mm along k, j, i."""
    return padded(box, [int(np.ceil(margin_mm / axis)) for axis in spacing], shape)


def padded(box: Box, voxels: Sequence[int], shape: Sequence[int]) -> Box:
    """Returns a box with so many voxels more on both sides along k, j, i, but not beyond an array of this shape."""
    k, j, i = (
        slice(max(0, part.start - more), min(size, part.stop + more))
        for part, more, size in zip(box, voxels, shape, strict=True)
    )
    return k, j, i


def box_around(centre: np.ndarray, reach_mm: float, spacing: Sequence[float], shape: Sequence[int]) -> Box:
    """Returns the box around a ball, cut where an array of this shape ends, but never empty.

    Args:
        centre: voxel indices ``(k, j, i)``.
        reach_mm: radius of the ball.
        spacing: mm along k, j, i.
        shape: of the array.
    """
    slices = []
    for c, n, s in zip(centre, shape, spacing, strict=True):
        start = int(np.clip(np.floor(c - reach_mm / s), 0, n - 1))
        slices.append(slice(start, int(np.clip(np.ceil(c + reach_mm / s) + 1, start + 1, n))))
    return slices[0], slices[1], slices[2]


def hull(boxes: Iterable[Box]) -> Box:
    """Returns the smallest box around boxes, at least one."""
    k, j, i = (slice(min(a.start for a in axis), max(a.stop for a in axis)) for axis in zip(*boxes, strict=True))
    return k, j, i


def within(box: Box, outer: Box) -> Box:
    """Returns where a box lies in the array that ``outer`` cuts out."""
    k, j, i = (slice(a.start - b.start, a.stop - b.start) for a, b in zip(box, outer, strict=True))
    return k, j, i


def placed(box: Box, outer: Box) -> Box:
    """Returns where a box of the array that ``outer`` cuts out lies in the whole; undoes ``within``."""
    k, j, i = (slice(b.start + a.start, b.start + a.stop) for a, b in zip(box, outer, strict=True))
    return k, j, i


def in_box(array: np.ndarray, own: Box, box: Box) -> np.ndarray:
    """Returns what an array on the box ``own`` says in another box; 0 where it says nothing."""
    moved = np.zeros([b.stop - b.start for b in box], array.dtype)
    pairs = list(zip(own, box, strict=True))
    inner = tuple(slice(max(0, o.start - b.start), max(0, min(o.stop, b.stop) - b.start)) for o, b in pairs)
    outer = tuple(slice(max(0, b.start - o.start), max(0, min(o.stop, b.stop) - o.start)) for o, b in pairs)
    moved[inner] = array[outer]
    return moved


# Ends of the canonical array axes (k, j, i): first voxel, last voxel.
PATIENT_ENDS = (("feet", "head"), ("front", "back"), ("right side", "left side"))


def cut_at(box: Box, shape: Sequence[int]) -> tuple[str, ...]:
    """Returns the patient directions in which a bounding box reaches the end of the image.

    Args:
        box: slices for k, j, i, in canonical order.
        shape: of the image.
    """
    ends = []
    for (first, last), part, size in zip(PATIENT_ENDS, box, shape, strict=True):
        ends += [first] if part.start <= 0 else []
        ends += [last] if part.stop >= size else []
    return tuple(ends)
