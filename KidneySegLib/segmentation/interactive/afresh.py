"""A body that is found afresh about what is drawn of it, and what it says beyond the part that was clicked.

One click shows one part that is wrong. A rim may be missing all around, and what is too much may lie in several places;
the body tells, if what the reader clicked agrees with it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from KidneySegLib.geometry.boxes import Box, in_box
from KidneySegLib.segmentation.interactive.answer import Answer, connected
from KidneySegLib.segmentation.interactive.body import Body, Ground
from KidneySegLib.segmentation.interactive.click import Click
from KidneySegLib.segmentation.interactive.neighbourhood import Neighbourhood
from KidneySegLib.segmentation.interactive.reach import FARTHEST_MM
from KidneySegLib.volume import Volume

# A rim is missing, and not only what was clicked, where the body takes in this share of a shell around what is drawn:
# the shell from half the click's distance to its whole distance.
RIM, SHELL = 0.75, 0.5
# The click lies in the middle of the rim, so no rim is wider than this many times its distance, and some mm. A body
# that mostly lies farther out is another one.
WIDEST, WIDEST_MM, MOSTLY = 2.4, 1.5, 0.5
# The rim must not be less like the body than what lies around it, at these depths.
NEXT, FAR = -0.15, -0.6
# What is too much is looked for up to so many times the radius of the body; its tissue is that of the part deeper than
# this share of the radius. It must differ by so many HU from what was clicked. Values are smoothed over so many mm.
REACH, DEEP, LEAST_HU, SMOOTH_MM = 2.5, 0.3, 8.0, 1.5
# What looks like the body beyond it and is deeper than the first is another lesion, whose rim so wide stays.
OTHER_MM, OTHER_RIM_MM = 1.5, 3.0


def middle(volume: Volume, structure: Callable[[Box], np.ndarray], place: np.ndarray, reach: float) -> np.ndarray:
    """Returns the middle of what a structure has near a place, voxel indices ``(k, j, i)``; the place if nothing.

    Args:
        volume: in HU, axes at right angles.
        structure: returns the structure's mask, bool ``(k, j, i)``, in a box.
        place: voxel indices ``(k, j, i)``.
        reach: in mm.
    """
    hood = Neighbourhood.around(volume, place, min(FARTHEST_MM, reach))
    nodes = np.argwhere(hood.nodes(structure(hood.box)) & (hood.distance <= hood.radius))
    if not len(nodes):
        return place
    low = [part.start for part in hood.box]
    centre: np.ndarray = (nodes.mean(axis=0) + 0.5) * hood.factors - 0.5 + low
    return centre


def missing_rim(
    ground: Ground, body: Body, gained: Answer, click: Click, earlier: Sequence[Click], drawn: tuple[np.ndarray, float]
) -> Answer | None:
    """Returns what a body adds all around to what is drawn of it, None if it is not a rim that is missing.

    Args:
        ground: where.
        body: that was found afresh.
        gained: what the body has and the structure has not.
        click: on what is missing.
        earlier: clicks of the same session.
        drawn: what is drawn of the body lies in this ball: voxel indices ``(k, j, i)`` and mm.
    """
    from scipy.ndimage import distance_transform_edt

    reach = min(FARTHEST_MM, 1.25 * float(body.radii.max()) + 4)
    hood = Neighbourhood.around(ground.volume, body.centre, reach)
    node = hood.node_of(click.kji)
    place, radius = drawn
    near = sum((axis**2 for axis in hood.offsets(ground.volume, place)), start=np.float32(0)) <= radius**2
    own = hood.nodes(ground.labels[hood.box] == ground.label) & near
    if node is None or not own.any():
        return None
    away = distance_transform_edt(~own, sampling=hood.spacing)
    apart = max(float(away[node]), hood.width)
    shell = (away > SHELL * apart) & (away <= 1.01 * apart)
    new = in_box(gained.mask, gained.box, hood.box)
    taken = hood.nodes(new)
    widest = WIDEST * apart + WIDEST_MM
    rim = new & hood.on_voxels((widest - away).astype(np.float32), 0)
    if taken[shell].mean() < RIM or np.count_nonzero(rim) <= MOSTLY * np.count_nonzero(new):
        return None
    depth = body.depth(hood.offsets(ground.volume, body.centre))
    deep = own & (depth > DEEP)
    around = np.isin(hood.centres(ground.labels[hood.box]), ground.free) & (depth < NEXT) & (depth > FAR) & ~own
    if deep.any() and around.any():
        inside = np.median(hood.values[deep])
        unlike = abs(np.median(ground.volume.voxels[hood.box][rim]) - inside)
        if unlike > abs(np.median(hood.values[around]) - inside) + LEAST_HU:
            return None
    return connected(hood.box, rim, click, earlier)


def alike(ground: Ground, body: Body, removed: Answer, kept: Sequence[np.ndarray]) -> Answer:
    """Returns what else of a structure is too much: beyond the body, and more like what was clicked than like the body.

    Args:
        ground: where.
        body: that stays.
        removed: what was clicked.
        kept: places, voxel indices ``(k, j, i)``, that are said to be inside.
    """
    from scipy.ndimage import distance_transform_edt, gaussian_filter

    reach = min(FARTHEST_MM, REACH * float(np.quantile(body.radii, 0.9)))
    hood = Neighbourhood.around(ground.volume, body.centre, reach)
    here = ground.labels[hood.box] == ground.label
    here &= ~in_box(removed.mask, removed.box, hood.box)
    own = hood.nodes(here)
    depth = body.depth(hood.offsets(ground.volume, body.centre))
    values = gaussian_filter(hood.values, SMOOTH_MM / np.array(hood.spacing))
    deep = own & (depth > DEEP)
    nothing = Answer(hood.box, np.zeros_like(here))
    if not deep.any():
        return nothing
    inside = float(np.median(values[deep]))
    clicked = float(np.median(ground.volume.voxels[removed.box][removed.mask]))
    if abs(inside - clicked) < LEAST_HU:
        return nothing
    # half a voxel beyond the border, which is not known better
    border = hood.distance / np.maximum(1 - depth, 0.01)
    beyond = own & (hood.distance <= reach) & (hood.distance - border > 0.5 * ground.spacing.max())
    wrong = beyond & (np.abs(values - clicked) < np.abs(values - inside))
    other = distance_transform_edt(beyond & ~wrong, sampling=hood.spacing) > OTHER_MM
    if other.any():
        wrong &= distance_transform_edt(~other, sampling=hood.spacing) > OTHER_RIM_MM
    if np.count_nonzero(wrong) > MOSTLY * np.count_nonzero(own & (depth > 0)):
        return nothing
    mask = hood.on_voxels(wrong.astype(np.float32), 0.5) & here
    for place in kept:
        at = tuple(int(index) - part.start for index, part in zip(place, hood.box, strict=True))
        if all(0 <= index < size for index, size in zip(at, mask.shape, strict=True)):
            mask[at] = False
    return Answer(hood.box, mask)
