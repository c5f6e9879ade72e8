"""Where a body reaches the end of the image."""

from __future__ import annotations

from KidneySegLib.geometry.boxes import Box
from KidneySegLib.volume import Volume

# Ends of the canonical array axes (k, j, i): first voxel, last voxel.
PATIENT_ENDS = (("feet", "head"), ("front", "back"), ("right side", "left side"))


def cut_at(volume: Volume, box: Box) -> tuple[str, ...]:
    """Returns the patient directions in which a bounding box reaches the end of the image.

    Args:
        volume: axes in canonical order.
        box: slices for k, j, i.
    """
    ends = []
    for (first, last), part, size in zip(PATIENT_ENDS, box, volume.voxels.shape, strict=True):
        ends += [first] if part.start <= 0 else []
        ends += [last] if part.stop >= size else []
    return tuple(ends)
