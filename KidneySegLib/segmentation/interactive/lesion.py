"""Answers to clicks on masses and cysts: small, round, and often missed as a whole.

A click where nothing of the structure is drawn asks for a new body around the click (``body``). Where that body would
touch what is drawn, a part of it is missing, which the random walker finds (``walked``). A click just beside the border
says that the border is not far enough out there, and perhaps elsewhere: a body is found afresh about what is drawn
(``afresh``), or the body that is drawn is fitted again. On another structure there is something drawn whose borders
count, and the walker counts them.
A click on what is too much of a body that came from a click makes that body again, with what was said. Cysts are round
whoever drew them, so one that reaches too far is cut to a body, too, near the click, and what else lies beyond the body
and looks like what was clicked goes with it; a mass may have any shape.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from KidneySegLib.geometry.boxes import Box, in_box
from KidneySegLib.segmentation.interactive import walked
from KidneySegLib.segmentation.interactive.afresh import alike, middle, missing_rim
from KidneySegLib.segmentation.interactive.answer import Answer, connected, is_deepest, joined, within
from KidneySegLib.segmentation.interactive.body import (
    FORBIDDEN,
    RAYS,
    Body,
    Ground,
    Price,
    drawn_extent,
    grown,
    touches,
)
from KidneySegLib.segmentation.interactive.border import followed
from KidneySegLib.segmentation.interactive.click import Click
from KidneySegLib.segmentation.interactive.neighbourhood import Neighbourhood
from KidneySegLib.segmentation.interactive.reach import FARTHEST_MM, border_distance, reach_of_removed
from KidneySegLib.segmentation.interactive.sphere import sphere
from KidneySegLib.segmentation.interactive.territory import free_labels, may_take
from KidneySegLib.structures import BY_KEY
from KidneySegLib.volume import Volume

CYST = BY_KEY["cyst"].label
LESIONS = (BY_KEY["mass"].label, CYST)

# What is drawn farther away than this has nothing to do with a click. The piece that is meant has the deepest place,
# when each mm to the click counts as so much less depth; the click is within so many times that depth and some mm.
NEAR_MM, NEARNESS = 25.0, 0.5
MEANT, MEANT_MM = 2.0, 4.0
# A body is not known better than this share of its radius, so no rim is looked for with a click nearer to the border.
# Nor with a later click for more: the first would have found it.
THINNEST = 0.15
# The middle of a piece is that of what lies within as many times its depth of its deepest place, and some mm.
ROUND_MM = 2.0
# A click is beside the border if it is within this share of the piece's radius, and some mm.
BESIDE, BESIDE_MM = 0.35, 0.5
# A new body touches what is drawn in this share of all directions, at this distance. Five of 256 rays: one may do so by
# chance.
TOUCHING, TOUCHING_MM = 0.02, 1.5
# The centre of a missed body is farther from another one than from its own border; with room for a click beside it.
ROOM, ROOM_MM = 1.5, 1.0
# The click lies in the middle of the part that is wrong, so the border moves by twice its distance. Nowhere does it
# move farther than with some room for that, and each mm costs, up to so many.
MOVED, MOVED_MM = 2.4, 0.5
STAY, STAY_MM = 0.3, 5.0
# A rim is missing, and not only what was clicked, where the border moves by half of that in this share of all
# directions. Otherwise nothing but the part at the click is touched.
RIM = 0.5
# A body came from a click if there is one in its middle: within this share of its depth.
MIDDLE = 0.5
# A cyst that the network drew is cut to a body around its deepest place, at most so many times as far from the click as
# the click from the border, and some mm; nowhere does it grow by more than one mm.
TOO_MUCH, TOO_MUCH_MM = 3.0, 2.0
GROWN_MM = 1.0
# A border is pinned by a cost of its distance to the place, up to so many mm.
PIN_MM = 2.0


@dataclass(frozen=True)
class _Piece:
    """What is drawn of the structure near a click: its deepest place, voxel indices, and how deep in mm that lies."""

    centre: np.ndarray
    depth: float


@dataclass(frozen=True)
class _Said:
    """Places, voxel indices, that are said to be inside and outside."""

    inside: list[np.ndarray]
    outside: list[np.ndarray]


def added(volume: Volume, labels: np.ndarray, click: Click, earlier: Sequence[Click]) -> Answer:
    """Finds what a click adds to its lesion.

    Args:
        volume: in HU, axes at right angles.
        labels: label map, uint8 ``(k, j, i)``.
        click: on what is missing; not on a voxel of the structure.
        earlier: clicks of the same session.
    """
    at = np.array(click.kji, dtype=np.float64)
    said = _said(volume, click, earlier)
    free = free_labels(click.label)
    if labels[click.kji] not in free:
        return walked.added(volume, labels, click, earlier)
    border = border_distance(volume, at, lambda box: labels[box] == click.label)
    piece = _piece(volume, lambda box: labels[box] == click.label, click, border)
    if piece is not None:
        drawn = Ground(volume, labels, click.label, (*free, click.label), drawn=True)
        walk = walked.added(volume, labels, click, earlier)
        if border >= THINNEST * piece.depth and not said.inside:
            rim = _rim(drawn, piece, walk, click, earlier, said.outside)
            if rim is not None:
                return joined(rim, walk)
        extent = drawn_extent(drawn, piece.centre)
        if _is_beside(drawn, piece, extent, at):
            price = _moved(drawn, piece.centre, extent, at)
            body = grown(drawn, piece.centre, [*said.inside, at], said.outside, price, np.maximum(extent, 2.0))
            if np.mean(body.radii - extent >= _apart(drawn, piece.centre, extent, at)) < RIM:
                return walk
            return joined(_filled(drawn, body, click, earlier, new=False), walk)
    ground = Ground(volume, labels, click.label, free)
    room = ROOM * border + ROOM_MM if piece is not None else np.inf
    body = grown(ground, at, [at], said.outside, lambda mm: FORBIDDEN * (mm > room))
    if piece is not None and touches(ground, body, TOUCHING_MM) >= TOUCHING:
        return walk
    return _filled(ground, body, click, earlier, new=True)


def _rim(
    ground: Ground, piece: _Piece, walk: Answer, click: Click, earlier: Sequence[Click], outside: Sequence[np.ndarray]
) -> Answer | None:
    """Returns the rim that is missing of what is drawn around a click, as a body says that is found afresh."""
    reach = MEANT * piece.depth + ROUND_MM

    def whole(box: Box) -> np.ndarray:
        return (ground.labels[box] == ground.label) | in_box(walk.mask, walk.box, box)

    centre = middle(ground.volume, whole, piece.centre, reach)
    at = np.array(click.kji, dtype=np.float64)
    body = grown(ground, centre, [at], outside, _free)
    gained = _filled(ground, body, click, earlier, new=True)
    return missing_rim(ground, body, gained, click, earlier, (piece.centre, reach))


def removed(volume: Volume, labels: np.ndarray, click: Click, earlier: Sequence[Click]) -> Answer:
    """Finds what a click removes from its lesion; arguments as of ``added``, with the click on the structure."""
    walk = walked.removed(volume, labels, click, earlier)
    at = np.array(click.kji, dtype=np.float64)
    said = _said(volume, click, earlier)
    piece = _piece(volume, lambda box: labels[box] == click.label, click, 0.0)
    if piece is None:
        return walk
    ground = Ground(volume, labels, click.label, (*free_labels(click.label), click.label))
    makers = _makers(ground, piece, said)
    if makers:
        centre, farthest = min(makers, key=lambda place: _mm(ground, place - at)), FARTHEST_MM
    elif click.label == CYST and _mm(ground, piece.centre - at) >= MIDDLE * piece.depth:
        centre, farthest = piece.centre, TOO_MUCH * reach_of_removed(volume, labels, click) + TOO_MUCH_MM
    else:
        return _with_alike(ground, walk, click, said) if click.label == CYST else walk
    extent = drawn_extent(ground, centre)
    price = _pinned(ground, centre, extent, at) if makers else _moved_in(ground, centre, extent, at, farthest)
    body = grown(ground, centre, said.inside, [*said.outside, at], price, np.maximum(extent, 2.0))
    hood = Neighbourhood.around(volume, at, min(FARTHEST_MM, 2 * _mm(ground, centre - at) + 10))
    depth = body.depth(hood.offsets(volume, centre))
    share = np.where(hood.distance <= min(hood.radius, farthest), 0.5 - 0.5 * depth, 0)
    fitted = Answer(hood.box, hood.on_voxels(share, 0.5) & (labels[hood.box] == click.label))
    both = joined(fitted, walk)
    cut = connected(both.box, both.mask, click, earlier)
    if makers:
        return cut
    return _with_alike(ground, cut if is_deepest(cut, click, volume.spacing[::-1]) else walk, click, said)


def _with_alike(ground: Ground, cut: Answer, click: Click, said: _Said) -> Answer:
    """Returns a cut of a cyst with what else is too much, as the body says that is found afresh in what stays."""
    at = np.array(click.kji, dtype=np.float64)

    def rest(box: Box) -> np.ndarray:
        return (ground.labels[box] == ground.label) & ~in_box(cut.mask, cut.box, box)

    piece = _piece(ground.volume, rest, click, border_distance(ground.volume, at, rest))
    if piece is None:
        return cut
    centre = middle(ground.volume, rest, piece.centre, MEANT * piece.depth + ROUND_MM)
    body = grown(ground, centre, said.inside, [*said.outside, at], _free)
    return joined(cut, alike(ground, body, cut, said.inside))


def _said(volume: Volume, click: Click, earlier: Sequence[Click]) -> _Said:
    """Returns the places of the earlier clicks on the same structure that are not too far away to count."""
    spacing = np.array(volume.spacing[::-1])
    same = [each for each in earlier if each.label == click.label]
    places = [(np.array(each.kji, dtype=np.float64), each.adds) for each in same]
    near = [(at, adds) for at, adds in places if np.linalg.norm((at - click.kji) * spacing) < FARTHEST_MM]
    return _Said([at for at, adds in near if adds], [at for at, adds in near if not adds])


def _makers(ground: Ground, piece: _Piece, said: _Said) -> list[np.ndarray]:
    """Returns the places of the clicks that a piece came from: those in its middle."""
    return [place for place in said.inside if _mm(ground, place - piece.centre) <= MIDDLE * piece.depth]


def _piece(volume: Volume, structure: Callable[[Box], np.ndarray], click: Click, border: float) -> _Piece | None:
    """Returns what is drawn of the structure near a click, whose distance to it in mm is given."""
    from scipy.ndimage import distance_transform_edt

    if border > NEAR_MM:
        return None
    at = np.array(click.kji, dtype=np.float64)
    hood = Neighbourhood.around(volume, at, min(FARTHEST_MM, 2 * border + 30))
    own = hood.nodes(structure(hood.box))
    if not own.any():
        return None
    depth = distance_transform_edt(own, sampling=hood.spacing)
    node = np.unravel_index(np.where(own, depth - NEARNESS * hood.distance, -np.inf).argmax(), own.shape)
    centre = [
        (index + 0.5) * factor - 0.5 + part.start
        for index, factor, part in zip(node, hood.factors, hood.box, strict=True)
    ]
    return _Piece(np.array(centre), float(depth[node]))


def _is_beside(ground: Ground, piece: _Piece, extent: np.ndarray, at: np.ndarray) -> bool:
    """Whether a click lies beside the border of a piece, whose extent in all directions is given."""
    offset = (at - piece.centre) * ground.spacing
    apart = float(np.linalg.norm(offset))
    if apart == 0 or apart > MEANT * piece.depth + MEANT_MM:
        return False
    border = float(np.mean(extent[sphere().nearest(offset, RAYS)]))
    return abs(apart - border) <= BESIDE * float(np.median(extent)) + BESIDE_MM


def _pinned(ground: Ground, centre: np.ndarray, extent: np.ndarray, at: np.ndarray) -> Price:
    """Returns the price by which a click lies in the middle between the present border and the new one."""
    offset = (at - centre) * ground.spacing
    if not offset.any():
        return lambda mm: np.zeros((1, len(mm)))
    rays = sphere().nearest(offset, RAYS)
    goals = np.maximum(0.5, 2 * np.linalg.norm(offset) - extent[rays])

    def price(mm: np.ndarray) -> np.ndarray:
        cost = np.zeros((len(extent), len(mm)))
        cost[rays] = FORBIDDEN * np.minimum((mm - goals[:, None]) ** 2, PIN_MM**2)
        return cost

    return price


def _moved(ground: Ground, centre: np.ndarray, extent: np.ndarray, at: np.ndarray) -> Price:
    """Returns the price of a border that moves outward: pinned at the click, and not moved more than that asks for."""
    pinned = _pinned(ground, centre, extent, at)
    farthest = MOVED * _apart(ground, centre, extent, at) + MOVED_MM

    def price(mm: np.ndarray) -> np.ndarray:
        change = mm - extent[:, None]
        return pinned(mm) + FORBIDDEN * (change > farthest) + STAY * np.minimum(change**2, STAY_MM**2)

    return price


def _moved_in(ground: Ground, centre: np.ndarray, extent: np.ndarray, at: np.ndarray, farthest: float) -> Price:
    """Returns the price of a border that moves inward: pinned at the click, and by ``farthest`` mm at the most."""
    pinned = _pinned(ground, centre, extent, at)

    def price(mm: np.ndarray) -> np.ndarray:
        change = mm - extent[:, None]
        return pinned(mm) + FORBIDDEN * ((change > GROWN_MM) | (change < -farthest))

    return price


def _apart(ground: Ground, centre: np.ndarray, extent: np.ndarray, at: np.ndarray) -> float:
    """Returns the distance in mm from a click to the border in its direction."""
    offset = (at - centre) * ground.spacing
    return abs(float(np.linalg.norm(offset)) - float(extent[sphere().nearest(offset, 1)[0]]))


def _filled(ground: Ground, body: Body, click: Click, earlier: Sequence[Click], *, new: bool) -> Answer:
    """Returns what a body adds to its structure."""
    at = np.array(click.kji, dtype=np.float64)
    reach = _mm(ground, body.centre - at) + 1.25 * float(body.radii.max()) + 4
    hood = Neighbourhood.around(ground.volume, at, min(FARTHEST_MM, reach))
    drawn = ground.labels[hood.box]
    allowed = may_take(drawn, click.label, within(click.kji, hood.box)) & (drawn != click.label)
    depth = body.depth(hood.offsets(ground.volume, body.centre))
    radius = float(np.median(body.radii))
    share = followed(hood, drawn, depth, radius, allowed, click, earlier) if new else 0.5 + 0.5 * depth
    share = np.where(hood.distance <= hood.radius, share, 0)
    return connected(hood.box, hood.on_voxels(share, 0.5) & allowed, click, earlier)


def _free(mm: np.ndarray) -> np.ndarray:
    """The price of a border that may lie anywhere."""
    return np.zeros((1, len(mm)))


def _mm(ground: Ground, offset: np.ndarray) -> float:
    return float(np.linalg.norm(offset * ground.spacing))
