"""What the network took for a mass or cyst and the rules did not: told to the reader in one flag.

The rules of ``belief`` and ``border`` leave out what is uncertain, small, thin or away from the kidney. Told of it is
what a reader would want to look at: the network calls it a lesion rather than not (a probability of one half), it is at
least 5 mm long (what is smaller cannot be characterised and needs no work-up: Herts et al., J Am Coll Radiol
2018;15:264-273), and as thick as two voxels of the network's grid, because a coarse grid leaves thin layers at any
border. What ``border`` takes from a cyst lies within 4 mm and a voxel of the rest: that is a question of the cyst's
size, not of another lesion.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cc3d
import numpy as np

from KidneySegLib.flags import Flag
from KidneySegLib.geometry.diameters import maximum_diameter
from KidneySegLib.geometry.distances import depth_within, near
from KidneySegLib.segmentation.lesions.find import FoundLesions
from KidneySegLib.structures import BY_KEY, KIDNEYS, Side
from KidneySegLib.volume import Volume

LESIONS = (BY_KEY["mass"].label, BY_KEY["cyst"].label)
_LEAST_PERCENT = 50
_LEAST_LENGTH_MM = 5.0
_LEAST_THICKNESS_MM = 4.0
_BORDER_MM = 4.0


@dataclass(frozen=True)
class LeftOut:
    """A region that may be a lesion and is not one in the result.

    Attributes:
        side: of its kidney.
        length_mm: its maximum 3D diameter.
        confidence: mean probability inside.
        centre: its centre of gravity in mm LPS, ``(3,)``.
    """

    side: Side
    length_mm: float
    confidence: float
    centre: np.ndarray


def left_out(canonical: Volume, found: FoundLesions, side: Side, labels: np.ndarray) -> list[LeftOut]:
    """Returns what of one kidney may be a lesion and is not labelled as one.

    Args:
        canonical: the scan in canonical orientation.
        found: the lesions of the kidney.
        side: of the kidney.
        labels: uint8 ``(k, j, i)`` on the scan's grid: the result, with the lesions of all kidneys.
    """
    part = labels[found.box]
    likely = (found.percent >= _LEAST_PERCENT) & ((part == 0) | (part == KIDNEYS[side].label))
    if not likely.any():
        return []
    spacing = canonical.spacing[::-1]
    # from centre to centre, so the border lies half a voxel nearer
    core = depth_within(likely, spacing) >= (_LEAST_THICKNESS_MM + min(spacing)) / 2
    core &= ~near(np.isin(part, LESIONS), _BORDER_MM + max(spacing), spacing)
    pieces = cc3d.connected_components(likely, connectivity=18)
    boxes = cc3d.statistics(pieces)["bounding_boxes"]
    start = np.array([axis.start for axis in found.box])
    regions = []
    for number in np.unique(pieces[core]):
        mask = pieces[boxes[number]] == number
        length = maximum_diameter(mask, canonical.ijk_to_lps).length
        if length < _LEAST_LENGTH_MM:
            continue
        confidence = float(found.percent[boxes[number]][mask].mean()) / 100
        corner = start + [axis.start for axis in boxes[number]]
        centre = canonical.to_lps(np.argwhere(mask).mean(axis=0) + corner)
        regions.append(LeftOut(side, length, confidence, centre))
    return regions


def told(regions: Sequence[LeftOut]) -> list[Flag]:
    """Returns one flag on all regions, which names the longest; none if there is no region."""
    if not regions:
        return []
    largest = max(regions, key=lambda region: region.length_mm)
    flag = Flag.of(
        "lesions_left_out",
        count=len(regions),
        side=largest.side,
        position_mm=largest.centre[2],
        length_mm=largest.length_mm,
        confidence=largest.confidence,
    )
    return [flag]
