"""Where a body reaches the end of the image."""

from __future__ import annotations

from KidneySegLib.geometry.boxes import Box
from KidneySegLib.volume import Volume

# Ends of the canonical array axes (k, j, i): first voxel, last voxel.
PATIENT_ENDS = (("feet", "head"), ("front", "back"), ("right side", "left side"))


def cut_at(volume: Volume, box: Box) -> tuple[str, ...]:
    """Returns the patient directions in which the bounding box (slices for k, j, i) reaches the end of the image."""
    order = volume.axis_order()
    ends = []
    for names, axis, flipped in zip(PATIENT_ENDS, order.permutation, order.flipped, strict=True):
        touches = [box[axis].start <= 0, box[axis].stop >= volume.voxels.shape[axis]]
        if flipped:
            touches.reverse()
        ends += [name for name, touched in zip(names, touches, strict=True) if touched]
    return tuple(ends)
