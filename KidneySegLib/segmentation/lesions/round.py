"""A cyst as the round body that its density shows: networks draw it on a coarse grid, and only inside the organ.

Where a network drew a cyst, its deepest place of fluid is taken for a reader's click (``interactive.lesion``):
rays from there end where the fluid does, wherever the network's border was. What it drew of fluid beside that body is
looked at in the same way, so cysts that touch are found one by one. A body counts if the network drew it, too. Where it
did not, or where the drawing is too dense for fluid or hardly darker than what is around it, the drawing stays.
"""

from collections.abc import Sequence

import cc3d
import numpy as np
from scipy.ndimage import distance_transform_edt, gaussian_filter

from KidneySegLib.geometry.boxes import padded
from KidneySegLib.geometry.distances import depth_within, near
from KidneySegLib.hounsfield import DENSEST_FLUID, FAT
from KidneySegLib.segmentation.interactive import lesion
from KidneySegLib.segmentation.interactive.click import Click
from KidneySegLib.segmentation.lesions.kind import CYST, MASS
from KidneySegLib.structures import KIDNEYS, Side
from KidneySegLib.volume import Volume

_SMOOTH_MM = 2.0
# Fluid is what the darker part of the drawing's middle is; parenchyma is looked at so far around the drawing.
_CORE_MM, _DARK = 2.5, 0.15
_SHELL_MM = (2.0, 14.0)
_FEWEST_VOXELS = 50
_LEAST_CONTRAST_HU = 10.0
# Beside the first body fluid is as dark as in it, by a share of its contrast and some HU, and so deep in mm.
_DARKER, _DARKER_HU, _DEEP_MM = 1 / 3, 20.0, 4.0
# The first body is the drawing, by their Dice coefficient, or lies within it, by its share; of a further one this share
# was drawn.
_ALIKE, _WITHIN, _DRAWN = 0.5, 0.8, 0.5
# What is left of the drawing counts where it is fluid and twice as thick as this.
_THICK_MM = 2.0
# Bodies are looked for so far from the drawing.
_REACH_MM = 30.0
_MOST = 20

_KIDNEY = KIDNEYS[Side.RIGHT].label


def round_cysts(
    labels: np.ndarray, kidney: np.ndarray, hu: np.ndarray, spacing: Sequence[float], smallest: float
) -> np.ndarray:
    """Returns the labels with each cyst as the round bodies of fluid at its place, which may reach beyond the drawing.

    Args:
        labels: uint8 ``(k, j, i)``: 3 solid mass, 4 cyst, 0 elsewhere.
        kidney: bool, same shape: the outline, which tells where parenchyma is.
        hu: the image, same shape.
        spacing: mm along k, j, i.
        smallest: voxels of the smallest lesion.
    """
    pieces, count = cc3d.connected_components(labels == CYST, connectivity=18, return_N=True)
    result = labels.copy()
    reach = [int(np.ceil(_REACH_MM / s)) for s in spacing]
    for piece, inner in enumerate(cc3d.statistics(pieces)["bounding_boxes"] if count else ()):
        if piece == 0:
            continue
        box = padded(inner, reach, labels.shape)
        drawn = pieces[box] == piece
        if np.count_nonzero(drawn) < smallest:
            result[box][drawn] = 0  # what the border by density left over
            continue
        # no body takes what is another lesion
        ground = np.where(kidney[box], _KIDNEY, 0).astype(np.uint8)
        ground[(result[box] > 0) & ~drawn] = MASS
        bodies = _bodies(drawn, ground, hu[box], spacing, smallest)
        if bodies is not None:
            result[box][drawn] = 0
            result[box][bodies] = CYST
    return result


def _bodies(
    drawn: np.ndarray, ground: np.ndarray, hu: np.ndarray, spacing: Sequence[float], smallest: float
) -> np.ndarray | None:
    """Returns the bodies of fluid in the place of what was drawn, bool ``(k, j, i)``; None where that stays."""
    if np.median(hu[drawn]) > DENSEST_FLUID:
        return None
    smooth = gaussian_filter(hu.astype(np.float32), [_SMOOTH_MM / s for s in spacing], truncate=3.0)
    inside = depth_within(drawn, spacing)
    outside = distance_transform_edt(~drawn, sampling=spacing)
    shell = (ground == _KIDNEY) & (outside > _SHELL_MM[0]) & (outside <= _SHELL_MM[1])
    if np.count_nonzero(shell) < _FEWEST_VOXELS:
        return None
    core = smooth[inside > min(_CORE_MM, float(inside.max()) / 2)]
    own, around = float(np.quantile(core, _DARK)), float(np.median(hu[shell]))
    if around - own < _LEAST_CONTRAST_HU:
        return None
    fluid = drawn & (smooth < (own + around) / 2) & (smooth > (own + FAT) / 2)
    darkest = _darkest(own, around)
    volume = Volume(hu, np.diag([*spacing[::-1], 1.0]))
    bodies = np.zeros_like(drawn)
    for number in range(_MOST):
        # an end of the image is a border here: rays from it would see half of the body
        depth = depth_within(np.pad(fluid, 1), spacing)[1:-1, 1:-1, 1:-1]
        middle = smooth[depth > depth.max() / 2]
        if depth.max() == 0 or (number and (depth.max() < _DEEP_MM or np.median(middle) > darkest)):
            break
        k, j, i = (int(index) for index in np.unravel_index(int(depth.argmax()), depth.shape))
        answer = lesion.added(volume, ground, Click((k, j, i), CYST, adds=True), ())
        body = np.zeros_like(drawn)
        body[answer.box] = answer.mask
        size, both = np.count_nonzero(body), np.count_nonzero(body & drawn)
        if number == 0 and 2 * both < _ALIKE * (size + np.count_nonzero(drawn)) and both < _WITHIN * size:
            return None
        fluid &= ~body
        if number == 0 or (both >= _DRAWN * size and size >= smallest):
            bodies |= body
            ground[body] = MASS
    # what else is fluid there was drawn rightly, if it is not round; thin layers of it are where tissues blur
    whole = bodies | (fluid & (smooth < _darkest(float(np.median(smooth[bodies])), around)))
    thick = bodies | (whole & near(depth_within(whole, spacing) > _THICK_MM, _THICK_MM, spacing))
    pieces = cc3d.connected_components(thick, connectivity=26)
    return np.isin(pieces, np.unique(pieces[bodies]))


def _darkest(own: float, around: float) -> float:
    """Returns the HU up to which fluid is as dark as fluid of so many HU in parenchyma of so many."""
    return own + min(_DARKER * (around - own), _DARKER_HU)
