"""Which kidney a lesion belongs to.

It is the nearest one. Where only one kidney was found, a lesion more than ``NEAR_MM`` from it and beyond the body's
midline belongs to the other side; where none was found, the midline decides. The midline is that of the soft tissue in
the lesion's own slices.
"""

from collections.abc import Mapping

import numpy as np

from KidneySegLib.geometry.bodies import Body
from KidneySegLib.hounsfield import BODY
from KidneySegLib.structures import Side
from KidneySegLib.volume import Volume

NEAR_MM = 20.0
SLICES_SAMPLED = 5
IN_PLANE_STEP = 4
SURFACE_POINTS = 20_000


def sides_of(bodies: list[Body], kidneys: Mapping[Side, Body], canonical: Volume) -> list[Side]:
    """Returns the side of every body.

    Args:
        bodies: the lesions.
        kidneys: the kidneys that were found, their own voxels only.
        canonical: the image in HU in canonical order.
    """
    from scipy.spatial import cKDTree

    trees = {}
    for side, kidney in kidneys.items():
        points = canonical.to_lps(kidney.surface())
        trees[side] = cKDTree(points[:: len(points) // SURFACE_POINTS + 1])
    sides = []
    for body in bodies:
        surface = canonical.to_lps(body.surface())
        surface = surface[:: len(surface) // SURFACE_POINTS + 1]
        distances = {side: tree.query(surface)[0] for side, tree in trees.items()}
        if len(distances) == 2:
            sides.append(min(Side, key=lambda side: (distances[side].min(), distances[side].mean())))  # noqa: B023
            continue
        side = _side_of_midline(body, canonical)
        near = [found for found in distances if distances[found].min() <= NEAR_MM]
        sides.append(near[0] if near else side)
    return sides


def _side_of_midline(body: Body, canonical: Volume) -> Side:
    """Returns on which side of the body's middle a lesion lies."""
    k = np.unique(np.linspace(body.box[0].start, body.box[0].stop - 1, SLICES_SAMPLED).round().astype(int))
    sample = canonical.voxels[k][:, ::IN_PLANE_STEP, ::IN_PLANE_STEP]
    inside = np.argwhere(sample > BODY)
    if len(inside) == 0:
        inside = np.argwhere(np.ones(sample.shape, bool))
    columns = inside.mean(axis=0) * (1, IN_PLANE_STEP, IN_PLANE_STEP)
    middle = (float(k[0]) + float(k[-1])) / 2, columns[1], columns[2]
    centre = body.voxels().mean(axis=0)
    # canonical columns run to the patient's left, and a turned grid is judged along the patient's own axis
    return Side.LEFT if canonical.to_lps(centre)[0] > canonical.to_lps(np.array(middle))[0] else Side.RIGHT
