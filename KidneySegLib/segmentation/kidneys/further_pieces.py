"""What the first pass took for kidney and the result does not hold: told, however large it is.

A transplant, a second kidney, a shrunken kidney beside a transplant, or a pole far from the rest. Pieces that are small
for a kidney (``KidneyRules.smallest_candidate_ml``) are noise and not told.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from KidneySegLib.flags import Flag
from KidneySegLib.segmentation.kidneys.outlines import Located
from KidneySegLib.segmentation.kidneys.sides import LocatedKidney
from KidneySegLib.structures import Side

# Of a piece that belongs to the result, at least this share lies in it.
_LEAST_SHARE = 0.5


def further_pieces(located: Located, refused: Sequence[LocatedKidney], labels: np.ndarray) -> list[Flag]:
    """Returns a flag on each piece that is neither in the result nor was refused as no kidney.

    Args:
        located: what the first pass found.
        refused: regions whose outline can be no kidney.
        labels: uint8 ``(k, j, i)``, canonical: kidneys with their lesions.
    """
    flags = []
    for piece in located.candidates:
        if piece.small or any((region.seeds[piece.mask] > 0).any() for region in refused):
            continue
        if _share_in(labels, piece.mask) < _LEAST_SHARE:
            side = Side.RIGHT if piece.centre[2] < located.middle else Side.LEFT
            flags.append(Flag.of("further_kidney", volume_ml=piece.volume_ml, side=side))
    return flags


def _share_in(labels: np.ndarray, mask: np.ndarray) -> float:
    """Returns the share of ``mask``, on any grid over the same extent, whose centres lie in ``labels``."""
    voxels = np.argwhere(mask) + 0.5
    at = (voxels * labels.shape / mask.shape).astype(int)
    return float((labels[tuple(at.T)] > 0).mean())
