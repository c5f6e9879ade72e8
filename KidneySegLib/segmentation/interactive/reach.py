"""How far a click reaches: to the border of the structure, or as far as the tissue around it stays the same."""

from collections.abc import Callable, Sequence

import numpy as np

from KidneySegLib.geometry.boxes import Box, box_around
from KidneySegLib.segmentation.interactive.click import Click
from KidneySegLib.segmentation.interactive.neighbourhood import Neighbourhood
from KidneySegLib.segmentation.interactive.territory import KIDNEY_LABELS
from KidneySegLib.volume import Volume

# No answer changes what is farther away than this.
FARTHEST_MM = 60.0
NEAREST_MM = 3.0
# A click on the rim of a small stone must not take the stone.
LEAST_REMOVED_MM = 1.5
# The border is looked for in growing boxes, the first of which reaches this far; each is sampled as finely as its size
# asks for.
FIRST_LOOK_MM = 10.0
SAMPLES_PER_LOOK = 20
# Tissue differs from that at the click by more than this many times the noise, and by at least so many HU.
UNLIKE_NOISE = 3.0
UNLIKE_HU = 20.0
CORE_MM = 2.5
# A shell around the click is another tissue where this share of it is unlike the click.
UNLIKE_SHARE = 0.35
# A missing part is at most so many times as wide as the click's distance to the structure says.
BORDER_FACTOR = 1.5
# The reach of a further click on a kidney is at least this share of the distance to the earlier one. Lesions are small
# and may be long, where this would reach beyond them.
AGAIN = 0.5


def border_distance(volume: Volume, centre: np.ndarray, structure: Callable[[Box], np.ndarray]) -> float:
    """Returns the distance in mm from a click to the nearest voxel of a structure, infinite beyond ``FARTHEST_MM``.

    Args:
        volume: the image.
        centre: the click, voxel indices ``(k, j, i)``.
        structure: returns the structure's mask, bool ``(k, j, i)``, in a box.
    """
    spacing = np.array(volume.spacing[::-1])
    look = FIRST_LOOK_MM
    while True:
        box = box_around(centre, look, volume.spacing[::-1], volume.voxels.shape)
        step = np.maximum(1, np.rint(look / SAMPLES_PER_LOOK / spacing)).astype(int)
        low = [part.start for part in box]
        sampled = np.argwhere(structure(box)[:: step[0], :: step[1], :: step[2]]) * step + low
        if len(sampled):
            distance = float(np.sqrt((((sampled - centre) * spacing) ** 2).sum(axis=1).min()))
            if distance <= look:
                return distance
        if look >= FARTHEST_MM:
            return np.inf
        look = min(FARTHEST_MM, 2 * look)


def tissue_extent(hood: Neighbourhood) -> float:
    """Returns the radius in mm up to which the tissue around a click stays like that at the click.

    Args:
        hood: a ball around the click; nothing beyond it is looked at.
    """
    width = hood.width
    core = hood.distance <= max(CORE_MM, 1.2 * width)
    unlike = np.abs(hood.values - np.median(hood.values[core])) > max(UNLIKE_NOISE * noise(hood.values), UNLIKE_HU)
    shell = (hood.distance / width).astype(np.intp).ravel()
    share = np.bincount(shell, unlike.ravel()) / np.maximum(1, np.bincount(shell))
    farthest = float(hood.distance.max())
    other = np.flatnonzero(share[1:] > UNLIKE_SHARE) + 1
    return max(NEAREST_MM, min(float(other[0]) * width, farthest) if len(other) else farthest)


def noise(values: np.ndarray) -> float:
    """Returns the standard deviation of the noise, from the differences of neighbours along i, and 1 HU at least."""
    if values.shape[2] < 2:
        return 1.0
    return float(np.median(np.abs(np.diff(values, axis=2)))) / 0.6745 / np.sqrt(2) + 1.0


def reach_of_added(volume: Volume, labels: np.ndarray, click: Click, earlier: Sequence[Click]) -> float:
    """Returns the reach in mm of a click on what is missing of a structure.

    The centre of a missing part lies as far from the structure's border as from the part's own, so the distance to the
    border measures it. There is one kidney a side, so its border counts however far it is; another lesion's does not,
    and where no border is near, the extent of the tissue counts. Where an earlier click on a kidney fell short, the
    distance to it counts too.
    """
    reach = _reach_by_image(volume, labels, click)
    if click.label not in KIDNEY_LABELS:
        return reach
    return max(reach, AGAIN * _nearest_click(volume, click, earlier))


def _nearest_click(volume: Volume, click: Click, earlier: Sequence[Click]) -> float:
    """Returns the distance in mm to the nearest earlier click of the same kind, 0 where there is none in reach."""
    alike = [each.kji for each in earlier if (each.label, each.adds) == (click.label, click.adds)]
    if not alike:
        return 0.0
    apart = (np.array(alike) - click.kji) * volume.spacing[::-1]
    nearest = float(np.sqrt((apart**2).sum(axis=1)).min())
    return nearest if nearest <= FARTHEST_MM else 0.0


def _reach_by_image(volume: Volume, labels: np.ndarray, click: Click) -> float:
    """Returns the reach in mm as far as image and label map tell it."""
    centre = np.array(click.kji, dtype=np.float64)
    border = border_distance(volume, centre, lambda box: labels[box] == click.label)
    if click.label in KIDNEY_LABELS and np.isfinite(border):
        return max(NEAREST_MM, border)
    extent = tissue_extent(Neighbourhood.around(volume, centre, min(border, FARTHEST_MM) + 4))
    return max(NEAREST_MM, extent if border > extent else min(extent, BORDER_FACTOR * border))


def reach_of_removed(volume: Volume, labels: np.ndarray, click: Click) -> float:
    """Returns the reach in mm of a click on what is too much of a structure: the distance to its border."""
    centre = np.array(click.kji, dtype=np.float64)
    border = border_distance(volume, centre, lambda box: labels[box] != click.label)
    return max(LEAST_REMOVED_MM, min(border, FARTHEST_MM))
