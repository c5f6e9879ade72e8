"""The answer to one click: the voxels that it adds to its structure, or removes from it.

What is known of every node before its neighbours are asked: its tissue, and how far from the click it lies.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from KidneySegLib.geometry.boxes import Box
from KidneySegLib.segmentation.interactive.click import Click
from KidneySegLib.segmentation.interactive.neighbourhood import Neighbourhood
from KidneySegLib.segmentation.interactive.random_walker import edge_weights, region_share
from KidneySegLib.segmentation.interactive.reach import FARTHEST_MM, noise, reach_of_added, reach_of_removed
from KidneySegLib.segmentation.interactive.territory import may_take
from KidneySegLib.volume import Volume

# The ball reaches beyond the region: its radius is this many times the click's reach, and some mm more.
BALL_FACTOR, BALL_MARGIN_MM = 1.8, 6.0
# How much the prior counts beside the edges to the neighbours, whose weight is 1 in even tissue.
PRIOR_WEIGHT = 0.05
# An edge is weak where HU change by more than this many times the noise, and by at least so many HU.
EDGE_NOISE, EDGE_HU, LEAST_EDGE = 2.0, 12.0, 0.01
# Borders that the network or the reader drew between other structures are likely to be borders here too.
DRAWN_BORDER = 0.3
# Samples of the region's tissue lie within this share of the reach, those of the rest beyond that one. The structure's
# own tissue nearby is a sample of the region too, which counts less.
NEAR, BEYOND, OWN_TISSUE = 0.5, 1.2, 0.3
# A click on what is too much takes more than its reach: within the structure, only its own tissue bounds it.
REMOVAL_REACH = 1.6


@dataclass(frozen=True)
class Answer:
    """Voxels that change.

    Attributes:
        box: part of the image, slices for k, j, i.
        mask: bool ``(k, j, i)``: what changes within the box.
    """

    box: Box
    mask: np.ndarray


def added(volume: Volume, labels: np.ndarray, click: Click, earlier: Sequence[Click]) -> Answer:
    """Finds what a click adds to its structure.

    Args:
        volume: in HU, axes at right angles.
        labels: label map, uint8 ``(k, j, i)``.
        click: on what is missing; not on a voxel of the structure.
        earlier: clicks of the same session.
    """
    reach = reach_of_added(volume, labels, click, earlier)
    hood = _ball(volume, click, reach)
    drawn = labels[hood.box]
    allowed = may_take(drawn, click.label, within(click.kji, hood.box))
    here = drawn == click.label
    own = hood.nodes(here)
    takable = hood.nodes(allowed) & ~own
    known = np.where(own & (hood.distance <= hood.radius), 1.0, np.nan)
    near = (hood.distance <= max(NEAR * reach, 1.5 * hood.width)) & (takable | own)
    samples = near.astype(np.float64)
    beside = own & ~near & (hood.distance <= 1.5 * reach + 3)
    samples[beside] = OWN_TISSUE * near.sum() / np.maximum(1, beside.sum())
    rest = takable & (hood.distance <= hood.radius) & (hood.distance > BEYOND * reach)
    takable[hood.node_of(click.kji)] = True
    odds = region_odds(hood.values, samples, rest, hood.distance, reach)
    share = _walk(hood, drawn, takable, known, odds, click, earlier)
    return _connected(hood, hood.on_voxels(share, 0.5) & allowed & ~here, click, earlier)


def removed(volume: Volume, labels: np.ndarray, click: Click, earlier: Sequence[Click]) -> Answer:
    """Finds what a click removes from its structure; arguments as of ``added``, with the click on the structure."""
    reach = reach_of_removed(volume, labels, click)
    hood = _ball(volume, click, reach)
    drawn = labels[hood.box]
    here = drawn == click.label
    own = hood.nodes(here)
    own[hood.node_of(click.kji)] = True
    known = np.full(own.shape, np.nan)
    near = (hood.distance <= max(NEAR * reach, 1.5 * hood.width)) & own
    rest = own & (hood.distance > BEYOND * reach)
    odds = region_odds(hood.values, near.astype(np.float64), rest, hood.distance, REMOVAL_REACH * reach)
    share = _walk(hood, drawn, own, known, odds, click, earlier)
    return _connected(hood, hood.on_voxels(_continued(share, own), 0.5) & here, click, earlier)


def _ball(volume: Volume, click: Click, reach: float) -> Neighbourhood:
    radius = min(BALL_FACTOR * reach + BALL_MARGIN_MM, FARTHEST_MM)
    return Neighbourhood.around(volume, np.array(click.kji, dtype=np.float64), radius)


def _walk(
    hood: Neighbourhood,
    drawn: np.ndarray,
    free: np.ndarray,
    known: np.ndarray,
    odds: np.ndarray,
    click: Click,
    earlier: Sequence[Click],
) -> np.ndarray:
    """Returns the share of the region at every node.

    The rim of the ball is not of the region; clicks of the same structure are what their reader said they are.
    """
    known = known.copy()
    known[free & (hood.distance > hood.radius - hood.width)] = 0
    for each in (*earlier, click):
        node = hood.node_of(each.kji) if each.label == click.label else None
        if node is not None and free[node]:
            known[node] = float(each.adds == click.adds)
    solved = free & np.isnan(known) & (hood.distance <= hood.radius)
    step = max(EDGE_NOISE * noise(hood.values), EDGE_HU)
    weights = edge_weights(hood.values, hood.spacing, step, LEAST_EDGE)
    labels = hood.centres(drawn)
    for axis, weight in enumerate(weights):
        weight[np.diff(labels.astype(np.int16), axis=axis) != 0] *= DRAWN_BORDER
    return region_share(weights, solved, known, PRIOR_WEIGHT * odds, PRIOR_WEIGHT * (1 - odds))


def _connected(hood: Neighbourhood, mask: np.ndarray, click: Click, earlier: Sequence[Click]) -> Answer:
    """Returns the piece of a mask that the click lies in: with its own voxel, without those that it was denied."""
    import cc3d

    for each in earlier:
        if each.label == click.label and each.adds != click.adds and hood.node_of(each.kji) is not None:
            mask[within(each.kji, hood.box)] = False
    clicked = within(click.kji, hood.box)
    mask[clicked] = True
    pieces = cc3d.connected_components(mask, connectivity=26)
    return Answer(hood.box, pieces == pieces[clicked])


def _continued(share: np.ndarray, own: np.ndarray) -> np.ndarray:
    """Returns the share with that of the nearest own node at all others: a border there is the structure's own."""
    from scipy.ndimage import distance_transform_edt

    if own.all():
        return share
    nearest = distance_transform_edt(~own, return_distances=False, return_indices=True)
    return share[tuple(nearest)]


def within(kji: tuple[int, int, int], box: Box) -> tuple[int, int, int]:
    """Returns the indices of a voxel ``(k, j, i)`` within a box."""
    k, j, i = (at - part.start for at, part in zip(kji, box, strict=True))
    return k, j, i


# HU that are told apart: fat to dense contrast medium or stone
LOWEST, HIGHEST, BIN = -200.0, 500.0, 5.0
SMOOTHING_HU = 10.0
# No tissue speaks louder than this (logarithm of odds), and the distance to the click as much at the click itself.
LOUDEST = 3.0
RARE = 1e-3


def region_odds(
    values: np.ndarray, inside: np.ndarray, outside: np.ndarray, distance: np.ndarray, reach: float
) -> np.ndarray:
    """Returns the prior probability that a node belongs to the region that was clicked.

    Args:
        values: HU of the nodes, ``(k, j, i)``.
        inside: weight of each node as a sample of the region's tissue, float ``(k, j, i)``.
        outside: bool ``(k, j, i)``, samples of the tissue around the region; where there is none, tissue says nothing.
        distance: mm to the click.
        reach: of the click in mm: as far away as this, the distance speaks neither for nor against.
    """
    log_odds = LOUDEST * (1 - distance / reach)
    if outside.any():
        bins = ((np.clip(values, LOWEST, HIGHEST - 1) - LOWEST) / BIN).astype(np.intp)
        region, rest = _histogram(bins, inside), _histogram(bins, outside.astype(np.float64))
        log_odds = log_odds + np.clip(np.log((region + RARE) / (rest + RARE)), -LOUDEST, LOUDEST)[bins]
    return 1 / (1 + np.exp(-log_odds))


def _histogram(bins: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Returns the smoothed share of every bin."""
    from scipy.ndimage import gaussian_filter1d

    counts = np.bincount(bins.ravel(), weights.ravel(), int((HIGHEST - LOWEST) / BIN))
    smooth = gaussian_filter1d(counts, SMOOTHING_HU / BIN, mode="nearest")
    return smooth / max(smooth.sum(), 1e-9)
