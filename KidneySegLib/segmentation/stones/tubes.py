"""Long thin bodies: stents, nephrostomy tubes, rows of stones; and what is thick on them, such as a stone."""

import cc3d
import numpy as np

from KidneySegLib.geometry.distances import depth_within, near
from KidneySegLib.segmentation.stones.dense_bodies import DenseBody, principal_axes

# A stent or a nephrostomy tube has 4.7 to 14 French: 1.6 to 4.7 mm, blurred to 7 mm at most. Branches of a cast of the
# collecting system are as thin, but shorter than this.
THICKEST_MM = 7.0
LENGTH_MM = 40.0
# Most of a tube to the skin lies outside of the region; of a rib beside the kidney hardly anything is inside.
LEAST_INSIDE = 0.25
# What is thick on a tube is a stone if it has more than a ball of this diameter.
LEAST_STONE_MM = 6.0


def without_tube(body: DenseBody, spacing: tuple[float, float, float]) -> np.ndarray | None:
    """Returns what of a body is not a tube, bool ``(k, j, i)`` like its mask (nothing: empty), or None if it has none.

    Curls and bends do not matter: a tube is a connected part that is nowhere thick, and long.

    Args:
        body: one dense body.
        spacing: mm along k, j, i.
    """
    if body.axes[0] <= LENGTH_MM or body.inside < LEAST_INSIDE:
        return None
    # the box has a margin but at the ends of the image, where nobody knows that the body ends
    deep = depth_within(body.mask, spacing) > THICKEST_MM / 2
    thick = body.mask & near(deep, THICKEST_MM / 2 + max(spacing), spacing)
    thin = body.mask & ~thick
    parts = cc3d.connected_components(np.ascontiguousarray(thin), connectivity=26)
    tubes = [n for n in range(1, int(parts.max()) + 1) if principal_axes(parts == n, spacing)[0] > LENGTH_MM]
    if not tubes:
        return None
    rest = body.mask & ~np.isin(parts, tubes) if thick.any() else thick
    least = np.pi / 6 * LEAST_STONE_MM**3 / float(np.prod(spacing))
    return rest if np.count_nonzero(rest) >= least else np.zeros_like(rest)
