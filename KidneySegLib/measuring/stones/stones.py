"""Stones of a label map: each one's size and place, and the burden of each side.

A stone is a group of voxels that touch at a face, an edge or a corner; two stones that touch count as one.
"""

from collections.abc import Sequence

import numpy as np

from KidneySegLib.findings.flag_values import name_of
from KidneySegLib.findings.lesion import Pole
from KidneySegLib.findings.stone import StoneBurden, StoneFinding, StoneLocation
from KidneySegLib.flags import Flag
from KidneySegLib.geometry.bodies import Body
from KidneySegLib.geometry.boxes import cut_at, padded, within
from KidneySegLib.geometry.partial_volume import ball, margin, size
from KidneySegLib.hounsfield import CORTICAL_BONE
from KidneySegLib.measuring.anatomy import Anatomy
from KidneySegLib.measuring.known import KnownFindings, numbered
from KidneySegLib.measuring.stones.skin import Skin
from KidneySegLib.structures import BY_KEY, KIDNEYS, Side

STONE = BY_KEY["stone"].label
BELOW_RESOLUTION_VOXELS = 2
# The pelvis can lie outside of the kidney's contour; further away it is the ureter.
PELVIS_MM = 10.0
SURROUNDED = 0.5


def measure_stones(
    anatomy: Anatomy, known: KnownFindings | None = None
) -> tuple[list[StoneFinding], list[StoneBurden]]:
    """Measures all stones.

    Where the image went through a display window (no value above 400 HU, and stones reach its upper end), the true
    peak is not known: volume, length and mean are then those of the voxels.

    Args:
        anatomy: the label map taken apart.
        known: stones that keep their identifiers; None numbers them by their place.

    Returns:
        The stones, right before left and from head to feet; and the burden of each side that has a kidney or a stone.

    Raises:
        InputError: the image has no valid values inside a stone.
    """
    bodies = [stone.body for stone in anatomy.stones]
    names = known.names("S", bodies) if known else numbered("S", len(bodies))
    skin = Skin(anatomy.canonical)
    highest = float(np.nanmax(anatomy.canonical.voxels)) if bodies else 0.0
    stones = [
        _measure(anatomy, stone.body, stone.own_side, name, skin, highest)
        for stone, name in zip(anatomy.stones, names, strict=True)
    ]
    sides = {stone.side for stone in anatomy.stones} | anatomy.kidneys.keys()
    return stones, [_burden(side, stones) for side in Side if side in sides]


def _measure(anatomy: Anatomy, body: Body, side: Side, name: str, skin: Skin, highest: float) -> StoneFinding:
    canonical = anatomy.canonical
    measures = anatomy.measure(body)
    small = measures.voxels <= BELOW_RESOLUTION_VOXELS
    mean, length, volume = measures.hu_mean, measures.length_mm, measures.volume_ml
    if not small and not (highest < CORTICAL_BONE and measures.hu_max >= highest):
        around = padded(body.box, margin(canonical.spacing[::-1]), canonical.voxels.shape)
        part = canonical.crop(around)
        stones = anatomy.labels[around] == STONE
        mask = np.zeros(stones.shape, bool)
        mask[within(body.box, around)] = body.mask
        sized = size(part.voxels, mask, stones & ~mask, part.ijk_to_lps)
        mean, length, volume = sized.mean, sized.length, sized.volume / 1000
    location, pole = _place(anatomy, body, side)
    cut = cut_at(body.box, canonical.voxels.shape)
    return StoneFinding(
        id=name,
        side=side,
        pole=pole,
        location=location,
        measures=measures.without_length() if cut else measures,
        length_mm=None if small or cut else length,
        volume_ml=None if small else volume,
        hu_peak=measures.hu_max,
        hu_mean=mean,
        below_resolution=small,
        skin_distance_mm=skin.distance(body.voxels().mean(axis=0), side),
        cut_at=cut,
        length_at_least_mm=length if cut and not small else None,
    )


def _place(anatomy: Anatomy, body: Body, side: Side) -> tuple[StoneLocation, Pole | None]:
    """Returns where a stone lies: in the contour of the kidney, within its tissue or in the sinus, or beyond it."""
    organ = anatomy.organs.get(side)
    centre = anatomy.canonical.to_lps(body.voxels().mean(axis=0))
    if _surrounded(anatomy, body, side) >= SURROUNDED:
        return "kidney", organ.pole(centre) if organ else None
    if organ is None:
        return "ureter", None
    outside = float(organ.outside_mm(anatomy.canonical.to_lps(body.voxels())).min())
    if outside > PELVIS_MM:
        return "ureter", None
    return "pelvis", organ.pole(centre) if outside <= 0 else None


def _surrounded(anatomy: Anatomy, body: Body, side: Side) -> float:
    """Returns the share of the voxels next to a stone that are kidney."""
    from scipy.ndimage import binary_dilation

    spacing = anatomy.canonical.spacing[::-1]
    near = ball(1.5, spacing)
    pads = [(extent - 1) // 2 for extent in near.shape]
    mask = np.pad(body.mask, [(pad, pad) for pad in pads])
    shell = np.argwhere(binary_dilation(mask, near) & ~mask) + np.array(body.offset) - pads
    shell = shell[((shell >= 0) & (shell < anatomy.labels.shape)).all(axis=1)]
    labels = anatomy.labels[tuple(shell.T)]
    labels = labels[labels != STONE]
    kidney = anatomy.outline(side)[1] if side in anatomy.organs else KIDNEYS[side].label
    return float((labels == kidney).mean()) if labels.size else 0.0


def _burden(side: Side, stones: list[StoneFinding]) -> StoneBurden:
    own = [stone for stone in stones if stone.side is side]
    lengths = [stone.longest_mm for stone in own if stone.longest_mm is not None]
    volume = sum(stone.volume_ml for stone in own if stone.volume_ml is not None)
    cut = any(stone.cut_at for stone in own)
    return StoneBurden(side, len(own), float(volume), max(lengths, default=None), cut)


def check_stones(stones: Sequence[StoneFinding]) -> list[Flag]:
    """Tells which stones the image cuts."""
    return [Flag.of("stone_cut", stone=name_of(stone), ends=stone.cut_at) for stone in stones if stone.cut_at]
