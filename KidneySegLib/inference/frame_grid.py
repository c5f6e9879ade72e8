"""How an ultrasound frame comes on the grid of a network: what the frame shows, with its longest side one patch long.

Frames have no common scale: depth and zoom differ, and a picture has no pixel size at all. So every frame is brought to
one size, and only the proportion of its pixels counts.
"""

from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from KidneySegLib.bundles.plan import StagePlan

# Of 255: darker is the black around a sector, or noise of its compression.
_BLACK = 12.0
# The window in which a frame's mean tells whether something is shown there, in shares of the shorter side.
_WINDOW = 0.03
# Where less than this share of a frame is seen, black is part of the image.
_LEAST_SHARE = 0.05

Box2D = tuple[slice, slice]


def shown_box(grey: np.ndarray) -> Box2D:
    """Returns rows and columns of what a frame shows: the largest connected part that is not black.

    Burnt-in text and grey scales beside a sector are parts of their own and left out.

    Args:
        grey: ``(j, i)``, 0..255.
    """
    whole = (slice(0, grey.shape[0]), slice(0, grey.shape[1]))
    width = max(3, round(_WINDOW * min(grey.shape)))
    parts, count = ndimage.label(ndimage.uniform_filter(grey.astype(np.float32), width) > _BLACK)
    if count == 0:
        return whole
    largest = int(np.bincount(parts.ravel())[1:].argmax()) + 1
    if np.count_nonzero(parts == largest) < _LEAST_SHARE * grey.size:
        return whole
    rows, columns = ndimage.find_objects(parts)[largest - 1]
    return rows, columns


def frame_spacing(shape: Sequence[int], pixel: Sequence[float], stage: StagePlan) -> tuple[float, float, float]:
    """Returns the spacing along k, j, i with which the longest side of a frame fills one patch of a 2D stage.

    Args:
        shape: rows and columns.
        pixel: distance of rows and of columns, in one unit.
        stage: its patch and spacing say how long a patch is.
    """
    length = max(n * size for n, size in zip(shape, pixel, strict=True))
    unit = max(n * size for n, size in zip(stage.patch[1:], stage.spacing[1:], strict=True)) / length
    return 1.0, pixel[0] * unit, pixel[1] * unit
