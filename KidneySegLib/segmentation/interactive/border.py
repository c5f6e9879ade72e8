"""The border of a body: that of its shape, or, where tissues are told apart clearly, that of its tissue."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from KidneySegLib.segmentation.interactive.click import Click
from KidneySegLib.segmentation.interactive.neighbourhood import Neighbourhood
from KidneySegLib.segmentation.interactive.reach import noise
from KidneySegLib.segmentation.interactive.tissue import log_odds
from KidneySegLib.segmentation.interactive.walked import walk

# The tissues differ clearly by so many times the noise.
CLEAR = 3.0
# Samples of the body lie deeper than this share of its radius, those around it between these beyond its border.
DEEP, BEYOND, FARTHEST = 0.2, -0.1, -0.7
# What the shape says at the most (logarithm of odds), and over how many mm and what share of the radius it rises to it.
SHAPE, SHAPE_MM, SHAPE_SHARE = 3.0, 1.0, 0.5
LOUDEST, SMOOTHING_HU = 3.0, 5.0
# The shape is known better than the ball of a click alone, so the prior counts more than elsewhere; small bodies would
# shrink otherwise.
PRIOR_WEIGHT = 0.2


def followed(
    hood: Neighbourhood,
    drawn: np.ndarray,
    depth: np.ndarray,
    radius: float,
    allowed: np.ndarray,
    click: Click,
    earlier: Sequence[Click],
) -> np.ndarray:
    """Returns the share of a body at every node, of which it has those above one half.

    Args:
        hood: a ball that holds the body.
        drawn: label map of its box.
        depth: of the nodes: 1 at the body's centre, 0 at its border.
        radius: of the body in mm.
        allowed: bool, voxels of the box that the body may take.
        click: that is answered.
        earlier: clicks of the same session.
    """
    own = hood.nodes(drawn == click.label)
    free = hood.nodes(allowed) & ~own
    free[hood.node_of(click.kji)] = True
    inside, around = (depth > DEEP) & (free | own), (depth < BEYOND) & (depth > FARTHEST) & free
    if not (inside.any() and around.any()):
        return 0.5 + 0.5 * depth
    apart = abs(float(np.median(hood.values[inside])) - float(np.median(hood.values[around])))
    if apart < CLEAR * noise(hood.values):
        return 0.5 + 0.5 * depth
    tissue = log_odds(
        hood.values, inside.astype(np.float64), around.astype(np.float64), np.zeros(0), SMOOTHING_HU, LOUDEST
    )
    shape = np.clip(depth * radius / (SHAPE_MM + SHAPE_SHARE * radius), -1, 1)
    odds = 1 / (1 + np.exp(-(SHAPE * shape + tissue)))
    known = np.where(own & (hood.distance <= hood.radius), 1.0, np.nan)
    return walk(hood, drawn, free, known, odds, click, earlier, PRIOR_WEIGHT)
