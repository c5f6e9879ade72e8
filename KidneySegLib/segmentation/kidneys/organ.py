"""Third pass: a kidney together with its masses and cysts, however far they reach beyond its outline.

The network sees patches of 128 mm. Of a tumour that is larger it never sees the end, and is sure of none of it. On a
coarser grid the same patch shows more: what is larger than the fine patch counts as it is found there, if the network
is clearly surer of it.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise

import cc3d
import numpy as np

from KidneySegLib.flags import Flag
from KidneySegLib.geometry.boxes import Box, box_of, enlarged, in_box, placed
from KidneySegLib.inference.predict import Predictor
from KidneySegLib.progress import Share
from KidneySegLib.segmentation.kidneys.boxed import SURER, agreement, box_probabilities, grown
from KidneySegLib.segmentation.kidneys.outline import Outline
from KidneySegLib.volume import Volume

# A large mass leaves the kidney's box; the box follows it up to five times. Most runs need one pass.
_GROWTH_MM = 30.0
_MARGIN_MM = 20.0
_SHARES = (0.0, 0.7, 0.8, 0.9, 0.95, 1.0)


@dataclass(frozen=True)
class OrganMask:
    """A kidney with its lesions on the scan's own grid.

    Attributes:
        box: part of the canonical volume that the arrays cover, slices for k, j, i.
        mask: bool ``(k, j, i)``; holds the kidney's outline.
        probability: float32 ``(k, j, i)``: that a voxel belongs to the organ; inside the outline at least that of the
            outline.
        flags: what the memory guard lowered.
    """

    box: Box
    mask: np.ndarray
    probability: np.ndarray
    flags: tuple[Flag, ...]


def find_organ(volume: Volume, outline: Outline, predictor: Predictor, tell: Callable[[float], None]) -> OrganMask:
    """Segments one kidney with all that belongs to it.

    Args:
        volume: canonical orientation.
        outline: the kidney.
        predictor: the organ stage. Its first scale counts, unless the network is clearly surer at another of an organ
            that is larger than a patch of the first.
        tell: takes the finished share.
    """
    stage, scales = predictor.stage, predictor.stage.scales
    patch_mm = scales[0] * max(n * mm for n, mm in zip(stage.patch, stage.spacing, strict=True))
    best, surest, flags = None, 0.0, list[Flag]()
    for number, scale in enumerate(scales):
        at_scale = replace(predictor, stage=replace(stage, scales=(scale,)))
        organ, sure = _followed(volume, outline, at_scale, Share(tell).nth(number, len(scales)))
        flags += [flag for flag in organ.flags if flag not in flags]
        if best is None or (sure > surest + SURER and _longest_side(organ, volume) > patch_mm):
            best, surest = organ, sure
    tell(1.0)
    assert best is not None  # a stage has a scale
    return replace(best, flags=tuple(flags))


def _followed(
    volume: Volume, outline: Outline, predictor: Predictor, tell: Callable[[float], None]
) -> tuple[OrganMask, float]:
    """Returns the organ, however far it reaches, and how sure the network is: Dice of its own mask and its probability.

    A network that finds nothing beyond the outline is sure of that.
    """
    box, flags = outline.box, list[Flag]()
    for start, end in pairwise(_SHARES):
        (probability,), more = box_probabilities(volume, outline.side, box, predictor, Share(tell).part(start, end))
        flags += more
        found = probability > predictor.stage.threshold
        mask = _joined(found, in_box(outline.mask, outline.box, box))
        larger = grown(box, mask, volume, _GROWTH_MM)
        if larger is None or end == _SHARES[-1]:
            break
        box = larger
    sure = agreement(probability, found) if found.any() else 1.0
    # What comes next shall depend on the organ, not on how the box came about.
    around = enlarged(placed(box_of(mask), box), _MARGIN_MM, volume.spacing[::-1], volume.voxels.shape)
    kidney = in_box(np.where(outline.mask, outline.probability, 0), outline.box, around)
    belongs = np.maximum(in_box(probability, box, around), kidney)
    return OrganMask(around, in_box(mask, box, around), belongs, tuple(flags)), sure


def _longest_side(organ: OrganMask, volume: Volume) -> float:
    sides = zip(box_of(organ.mask), volume.spacing[::-1], strict=True)
    return max((side.stop - side.start) * mm for side, mm in sides)


def _joined(found: np.ndarray, kidney: np.ndarray) -> np.ndarray:
    """Returns the kidney and what was found that hangs together with it."""
    pieces = cc3d.connected_components(found | kidney, connectivity=6)
    own = np.unique(pieces[kidney])
    return np.isin(pieces, own[own > 0])
