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

# By so much another look has to agree better with itself than the first. On 36 kidneys of 18 training exams that the
# organ network never saw a coarser grid was surer by 0.05 in a tumour of 900 ml, by 0.08 and 0.17 in two small pieces,
# and elsewhere by 0.003 at most. With a ceiling on HU the kidney network was surer by 0.009 at most on ten of these
# exams as they are, and by 0.022 to 0.17 on most of those whose pelvis was filled, which gained 0.1 to 0.4 of Dice.
SURER = 0.02


def box_probabilities(
    volume: Volume,
    side: Side,
    box: Box,
    predictor: Predictor,
    tell: Callable[[float], None],
    masks: tuple[np.ndarray, np.ndarray] | None = None,
    outputs: Sequence[str] | None = None,
    other: ParenchymaLevel | None = None,
    ceiling: float | None = None,
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
        ceiling: HU above which the network sees all as dense as this.
    """
    crop = volume.voxels[box]
    if ceiling is not None:
        crop = np.minimum(crop, ceiling).astype(crop.dtype)
    if side is Side.LEFT:
        crop = crop[..., ::-1]
        masks = None if masks is None else (masks[0][..., ::-1], masks[1][..., ::-1])
    spacing = volume.spacing[::-1]
    found, flags = scan_probabilities(crop, spacing, predictor, tell, masks=masks, outputs=outputs, other=other)
    return (found[..., ::-1] if side is Side.LEFT else found), flags


def agreement(probability: np.ndarray, mask: np.ndarray) -> float:
    """Returns how sure a network is: Dice of its probability and of the mask made from it, 0 for an empty mask."""
    size = np.count_nonzero(mask)
    return 2 * float(probability[mask].sum()) / (float(probability.sum()) + size) if size else 0.0


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
