"""Third pass: a kidney together with its masses and cysts, however far they reach beyond its outline."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import cc3d
import numpy as np

from KidneySegLib.flags import Flag
from KidneySegLib.geometry.boxes import Box, box_of, enlarged, in_box, placed
from KidneySegLib.inference.predict import Predictor
from KidneySegLib.progress import Share
from KidneySegLib.segmentation.kidneys.boxed import box_probabilities, grown
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
        box: part of the canonical volume that ``mask`` covers, slices for k, j, i.
        mask: bool ``(k, j, i)``; holds the kidney's outline.
        flags: what the memory guard lowered.
    """

    box: Box
    mask: np.ndarray
    flags: tuple[Flag, ...]


def find_organ(volume: Volume, outline: Outline, predictor: Predictor, tell: Callable[[float], None]) -> OrganMask:
    """Segments one kidney with all that belongs to it.

    Args:
        volume: canonical orientation.
        outline: the kidney.
        predictor: the organ stage.
        tell: takes the finished share.
    """
    box, flags = outline.box, list[Flag]()
    for start, end in pairwise(_SHARES):
        found, more = box_probabilities(volume, outline.side, box, predictor, Share(tell).part(start, end))
        flags += more
        mask = _joined(found[0] > predictor.stage.threshold, in_box(outline.mask, outline.box, box))
        larger = grown(box, mask, volume, _GROWTH_MM)
        if larger is None or end == _SHARES[-1]:
            break
        box = larger
    tell(1.0)
    # What comes next shall depend on the organ, not on how the box came about.
    around = enlarged(placed(box_of(mask), box), volume, _MARGIN_MM)
    return OrganMask(around, in_box(mask, box, around), tuple(flags))


def _joined(found: np.ndarray, kidney: np.ndarray) -> np.ndarray:
    """Returns the kidney and what was found that hangs together with it."""
    pieces = cc3d.connected_components(found | kidney, connectivity=6)
    own = np.unique(pieces[kidney])
    return np.isin(pieces, own[own > 0])
