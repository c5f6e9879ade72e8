"""Answers by a random walker in a ball around the click: for kidneys, stones, and parts of lesions.

What is known of every node before its neighbours are asked: its tissue, and how far from the click it lies.
"""

from collections.abc import Sequence

import numpy as np

from KidneySegLib.segmentation.interactive.answer import Answer, connected, within
from KidneySegLib.segmentation.interactive.click import Click
from KidneySegLib.segmentation.interactive.neighbourhood import Neighbourhood
from KidneySegLib.segmentation.interactive.random_walker import edge_weights, region_share
from KidneySegLib.segmentation.interactive.reach import FARTHEST_MM, noise, reach_of_added, reach_of_removed
from KidneySegLib.segmentation.interactive.territory import may_take
from KidneySegLib.segmentation.interactive.tissue import bins_of, histogram
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
    share = walk(hood, drawn, takable, known, odds, click, earlier)
    return connected(hood.box, hood.on_voxels(share, 0.5) & allowed & ~here, click, earlier)


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
    share = walk(hood, drawn, own, known, odds, click, earlier)
    return connected(hood.box, hood.on_voxels(_continued(share, own), 0.5) & here, click, earlier)


def _ball(volume: Volume, click: Click, reach: float) -> Neighbourhood:
    radius = min(BALL_FACTOR * reach + BALL_MARGIN_MM, FARTHEST_MM)
    return Neighbourhood.around(volume, np.array(click.kji, dtype=np.float64), radius)


def walk(
    hood: Neighbourhood,
    drawn: np.ndarray,
    free: np.ndarray,
    known: np.ndarray,
    odds: np.ndarray,
    click: Click,
    earlier: Sequence[Click],
    prior_weight: float = PRIOR_WEIGHT,
) -> np.ndarray:
    """Returns the share of the region at every node.

    The rim of the ball is not of the region; clicks of the same structure are what their reader said they are.

    Args:
        hood: the ball.
        drawn: label map of its box.
        free: bool ``(k, j, i)`` of the nodes: those that may belong to the region.
        known: share of the nodes that is known, NaN elsewhere.
        odds: prior probability of the region at every node.
        click: that is answered.
        earlier: clicks of the same session.
        prior_weight: how much the prior counts.
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
    return region_share(weights, solved, known, prior_weight * odds, prior_weight * (1 - odds))


def _continued(share: np.ndarray, own: np.ndarray) -> np.ndarray:
    """Returns the share with that of the nearest own node at all others: a border there is the structure's own."""
    from scipy.ndimage import distance_transform_edt

    if own.all():
        return share
    nearest = distance_transform_edt(~own, return_distances=False, return_indices=True)
    return share[tuple(nearest)]


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
        bins = bins_of(values)
        region = histogram(bins, inside, SMOOTHING_HU)
        rest = histogram(bins, outside.astype(np.float64), SMOOTHING_HU)
        log_odds = log_odds + np.clip(np.log((region + RARE) / (rest + RARE)), -LOUDEST, LOUDEST)[bins]
    return 1 / (1 + np.exp(-log_odds))
