"""Runs a stage in one kidney's box, on the scan's own grid in and out."""

from collections.abc import Callable, Sequence

import numpy as np

from KidneySegLib.flags import Flag
from KidneySegLib.geometry.boxes import Box
from KidneySegLib.inference.organ_channels import ParenchymaLevel
from KidneySegLib.inference.predict import Predictor
from KidneySegLib.inference.scan_probabilities import scan_probabilities
from KidneySegLib.structures import Side
from KidneySegLib.volume import Volume


def box_probabilities(
    volume: Volume,
    side: Side,
    box: Box,
    predictor: Predictor,
    tell: Callable[[float], None],
    masks: tuple[np.ndarray, np.ndarray] | None = None,
    outputs: Sequence[str] | None = None,
    other: ParenchymaLevel | None = None,
) -> tuple[np.ndarray, list[Flag]]:
    """Returns what ``scan_probabilities`` finds in ``box``, float32 ``(outputs, k, j, i)``, and flags.

    Args:
        volume: canonical orientation.
        side: which kidney; the left one is mirrored for the network.
        box: where to look, slices for k, j, i.
        predictor: as for ``scan_probabilities``; so are all others.
        tell: takes a share.
        masks: on the voxels of ``box``.
        outputs: by name.
        other: of the kidney on the other side.
    """
    crop = volume.voxels[box]
    if side is Side.LEFT:
        crop = crop[..., ::-1]
        masks = None if masks is None else (masks[0][..., ::-1], masks[1][..., ::-1])
    spacing = volume.spacing[::-1]
    found, flags = scan_probabilities(crop, spacing, predictor, tell, masks=masks, outputs=outputs, other=other)
    return (found[..., ::-1] if side is Side.LEFT else found), flags


def touches_end(mask: np.ndarray, box: Box, volume: Volume) -> bool:
    """Whether a mask in ``box`` reaches the end of the image."""
    return any(
        bool((b.start == 0 and mask.take(0, axis).any()) or (b.stop == n and mask.take(-1, axis).any()))
        for axis, (b, n) in enumerate(zip(box, volume.voxels.shape, strict=True))
    )


def grown(box: Box, mask: np.ndarray, volume: Volume, growth_mm: float) -> Box | None:
    """Returns a larger box if the mask reaches a side of it that is not the end of the image, else None."""
    if not mask.any():
        return None
    slices, changed = [], False
    for axis, (b, n, s) in enumerate(zip(box, volume.voxels.shape, volume.spacing[::-1], strict=True)):
        more = int(np.ceil(growth_mm / s))
        start, stop = b.start, b.stop
        if start > 0 and mask.take(0, axis).any():
            start, changed = max(0, start - more), True
        if stop < n and mask.take(-1, axis).any():
            stop, changed = min(n, stop + more), True
        slices.append(slice(start, stop))
    return (slices[0], slices[1], slices[2]) if changed else None
