"""Answers to clicks on masses and cysts: small, round, and often missed as a whole.

A click where nothing of the structure is drawn asks for a new body around the click (``body``). Where that body would
touch what is drawn, a part of it is missing, which the random walker finds (``walked``). A click just beside the border
says that the border is not far enough out there, and perhaps elsewhere: the body that is drawn is fitted again. On
another structure there is something drawn whose borders count, and the walker counts them.
A click on what is too much of a body that came from a click makes that body again, with what was said. Cysts are round
whoever drew them, so one that reaches too far is cut to a body, too, near the click; a mass may have any shape.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from KidneySegLib.segmentation.interactive import walked
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
    piece = _piece(volume, labels, click, border)
    if piece is not None:
        drawn = Ground(volume, labels, click.label, (*free, click.label), drawn=True)
        extent = drawn_extent(drawn, piece.centre)
        if _is_beside(drawn, piece, extent, at):
            price = _moved(drawn, piece.centre, extent, at)
            body = grown(drawn, piece.centre, [*said.inside, at], said.outside, price, np.maximum(extent, 2.0))
            walk = walked.added(volume, labels, click, earlier)
            if np.mean(body.radii - extent >= _apart(drawn, piece.centre, extent, at)) < RIM:
                return walk
            return joined(_filled(drawn, body, click, earlier, new=False), walk)
    ground = Ground(volume, labels, click.label, free)
    room = ROOM * border + ROOM_MM if piece is not None else np.inf
    body = grown(ground, at, [at], said.outside, lambda mm: FORBIDDEN * (mm > room))
    if piece is not None and touches(ground, body, TOUCHING_MM) >= TOUCHING:
        return walked.added(volume, labels, click, earlier)
    return _filled(ground, body, click, earlier, new=True)


def removed(volume: Volume, labels: np.ndarray, click: Click, earlier: Sequence[Click]) -> Answer:
    """Finds what a click removes from its lesion; arguments as of ``added``, with the click on the structure."""
    walk = walked.removed(volume, labels, click, earlier)
    at = np.array(click.kji, dtype=np.float64)
    said = _said(volume, click, earlier)
    piece = _piece(volume, labels, click, 0.0)
    if piece is None:
        return walk
    ground = Ground(volume, labels, click.label, (*free_labels(click.label), click.label))
    makers = [place for place in said.inside if _mm(ground, place - piece.centre) <= MIDDLE * piece.depth]
    if makers:
        centre, farthest = min(makers, key=lambda place: _mm(ground, place - at)), FARTHEST_MM
    elif click.label == CYST and _mm(ground, piece.centre - at) >= MIDDLE * piece.depth:
        centre, farthest = piece.centre, TOO_MUCH * reach_of_removed(volume, labels, click) + TOO_MUCH_MM
    else:
        return walk
    extent = drawn_extent(ground, centre)
    price = _pinned(ground, centre, extent, at) if makers else _moved_in(ground, centre, extent, at, farthest)
    body = grown(ground, centre, said.inside, [*said.outside, at], price, np.maximum(extent, 2.0))
    hood = Neighbourhood.around(volume, at, min(FARTHEST_MM, 2 * _mm(ground, centre - at) + 10))
    depth = body.depth(hood.offsets(volume, centre))
    share = np.where(hood.distance <= min(hood.radius, farthest), 0.5 - 0.5 * depth, 0)
    fitted = Answer(hood.box, hood.on_voxels(share, 0.5) & (labels[hood.box] == click.label))
    both = joined(fitted, walk)
    cut = connected(both.box, both.mask, click, earlier)
    return cut if makers or is_deepest(cut, click, volume.spacing[::-1]) else walk


def _said(volume: Volume, click: Click, earlier: Sequence[Click]) -> _Said:
    """Returns the places of the earlier clicks on the same structure that are not too far away to count."""
    spacing = np.array(volume.spacing[::-1])
    alike = [each for each in earlier if each.label == click.label]
    places = [(np.array(each.kji, dtype=np.float64), each.adds) for each in alike]
    near = [(at, adds) for at, adds in places if np.linalg.norm((at - click.kji) * spacing) < FARTHEST_MM]
    return _Said([at for at, adds in near if adds], [at for at, adds in near if not adds])


def _piece(volume: Volume, labels: np.ndarray, click: Click, border: float) -> _Piece | None:
    """Returns what is drawn of the structure near a click, whose distance to it in mm is given."""
    from scipy.ndimage import distance_transform_edt

    if border > NEAR_MM:
        return None
    at = np.array(click.kji, dtype=np.float64)
    hood = Neighbourhood.around(volume, at, min(FARTHEST_MM, 2 * border + 30))
    own = hood.nodes(labels[hood.box] == click.label)
    if not own.any():
        return None
    depth = distance_transform_edt(own, sampling=hood.spacing)
    node = np.unravel_index(np.where(own, depth - NEARNESS * hood.distance, -np.inf).argmax(), own.shape)
    middle = [
        (index + 0.5) * factor - 0.5 + part.start
        for index, factor, part in zip(node, hood.factors, hood.box, strict=True)
    ]
    return _Piece(np.array(middle), float(depth[node]))


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


def _mm(ground: Ground, offset: np.ndarray) -> float:
    return float(np.linalg.norm(offset * ground.spacing))
