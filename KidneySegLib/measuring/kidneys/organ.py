"""The kidney as an organ: the contour that it would have without its lesions, its long axis and its thirds.

**Contour.** The convex hull of the kidney's own voxels (its parenchyma), out to their outer faces. It bridges the
hilum, and what a lesion has replaced: where the lesion took a cap of the surface, the hull is flat instead of round, so
a lesion of radius r on a surface of radius R counts as exophytic by about 3/16 r/R too much (0.05 at r = 13, R = 50
mm).

**Long axis.** The first principal axis of the parenchyma, towards the head. Where that axis says little (the kidney is
hardly longer than wide, or lies across the body), the body's own axis towards the head is taken.

**Poles.** Upper, inter and lower are the thirds of the extent of the organ, which is the kidney with its masses and
cysts, along that axis; a lesion belongs where its centre of gravity lies. (The R.E.N.A.L. score draws its polar lines
at the ends of the sinus instead: Kutikov and Uzzo, J Urol 2009;182:844-853. They cannot be drawn where the sinus is
filled or displaced, so thirds are taken throughout.)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from KidneySegLib.findings import Pole
from KidneySegLib.geometry.diameters import row_ends
from KidneySegLib.structures import Side
from KidneySegLib.volume import Volume

if TYPE_CHECKING:
    from KidneySegLib.geometry.bodies import Body

# Below this ratio of its variances, or beyond this angle to the body, the first principal axis is not a long axis.
LEAST_ELONGATION = 1.3
LEAST_COSINE = 0.5

BLOCK_MM = 8.0
MOMENT_POINTS = 50_000


@dataclass(frozen=True)
class KidneyShape:
    """A kidney's shape.

    Attributes:
        side: the patient's side.
        normals: outward unit normals of the contour's facets in LPS, ``(f, 3)``.
        offsets: ``normals @ x + offsets`` is the distance of x in mm outside of each facet, ``(f,)``.
        steps: half a voxel along each facet's normal in mm, ``(f,)``.
        axis: unit vector of the long axis in LPS, towards the head.
        reach: smallest and largest ``x @ axis`` of the organ in mm.
    """

    side: Side
    normals: np.ndarray
    offsets: np.ndarray
    steps: np.ndarray
    axis: np.ndarray
    reach: tuple[float, float]

    def height(self, lps: np.ndarray) -> float:
        """Returns how far a point in mm LPS lies from the lower (0) to the upper pole (1)."""
        low, high = self.reach
        return float((np.asarray(lps) @ self.axis - low) / (high - low))

    def pole(self, lps: np.ndarray) -> Pole:
        """Returns the third of the organ that a point in mm LPS lies in; what lies beyond a pole belongs to it."""
        height = self.height(lps)
        return "lower" if height < 1 / 3 else "inter" if height <= 2 / 3 else "upper"

    def outside_mm(self, lps: np.ndarray) -> np.ndarray:
        """Returns for points in mm LPS, ``(n, 3)``, how far outside of the contour they lie, ``(n,)``.

        Inside it is the negative distance to the contour, exactly; outside the distance to the farthest facet's plane.
        """
        return self._highest(lps, self.offsets)

    def gap_mm(self, lps: np.ndarray) -> float:
        """Returns how much kidney lies between a body and the contour in mm, 0 if the body reaches it.

        Args:
            lps: centres of the body's voxels in mm LPS, ``(n, 3)``; those on its surface suffice.
        """
        # from centre to centre of the outermost voxels is as far as from face to face
        return max(0.0, -float(self._highest(lps, self.offsets + self.steps).max()))

    def _highest(self, lps: np.ndarray, offsets: np.ndarray) -> np.ndarray:
        """Returns for each point the largest ``normals @ x + offsets``."""
        values = np.empty(len(lps))
        for members, centre, radius in _blocks(lps):
            at_centre = self.normals @ centre + offsets
            # facets that are that far from the uppermost one at the centre are below it in the whole block
            facets = at_centre >= at_centre.max() - 2 * radius
            values[members] = (lps[members] @ self.normals[facets].T + offsets[facets]).max(axis=1)
        return values


def organ_of(grid: Volume, kidney: Body, side: Side, lesions: Sequence[Body]) -> KidneyShape | None:
    """Returns the shape of a kidney, or None if it is too flat or too small to have one.

    Args:
        grid: a volume in canonical order on the label map's grid.
        kidney: the kidney's own voxels.
        side: its side.
        lesions: masses and cysts of this kidney.
    """
    from scipy.spatial import ConvexHull, QhullError

    ends = grid.to_lps(row_ends(kidney.mask) + kidney.offset)
    try:
        facets = np.unique(ConvexHull(ends).equations.round(9), axis=0)  # triangles in one plane are one facet
    except QhullError:
        return None
    half_steps = np.abs(facets[:, :3] @ grid.ijk_to_lps[:3, :3]).max(axis=1) / 2
    axis = _long_axis(grid, kidney)
    points = np.concatenate([ends, *(grid.to_lps(row_ends(body.mask) + body.offset) for body in lesions)]) @ axis
    half = float(np.abs(axis @ grid.ijk_to_lps[:3, :3]).max()) / 2
    return KidneyShape(
        side=side,
        normals=facets[:, :3],
        offsets=facets[:, 3] - half_steps,
        steps=half_steps,
        axis=axis,
        reach=(float(points.min()) - half, float(points.max()) + half),
    )


def _blocks(lps: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray, float]]:
    """Sorts points ``(n, 3)`` into cubes; yields for each the points' numbers, a centre, and the radius around it."""
    if len(lps) == 0:
        return
    cubes = np.floor(lps / BLOCK_MM).astype(int)
    cubes -= cubes.min(axis=0)
    keys = np.ravel_multi_index(tuple(cubes.T), tuple(cubes.max(axis=0) + 1))
    order = np.argsort(keys, kind="stable")
    for members in np.split(order, np.flatnonzero(np.diff(keys[order])) + 1):
        low, high = lps[members].min(axis=0), lps[members].max(axis=0)
        yield members, (low + high) / 2, float(np.linalg.norm(high - low)) / 2


def clear_axis(grid: Volume, kidney: Body) -> np.ndarray | None:
    """Returns the unit vector in LPS along which a kidney is longest, towards the head, or None if that says little."""
    step = max(1, int((np.count_nonzero(kidney.mask) / MOMENT_POINTS) ** (1 / 3)))
    points = grid.to_lps(np.argwhere(kidney.mask[::step, ::step, ::step]) * step)
    if len(points) < 10:
        return None
    variances, axes = np.linalg.eigh(np.cov(points.T))
    axis = axes[:, 2] * np.sign(axes[2, 2])
    return axis if variances[2] >= LEAST_ELONGATION * variances[1] and axis[2] >= LEAST_COSINE else None


def _long_axis(grid: Volume, kidney: Body) -> np.ndarray:
    """Returns the unit vector of the long axis in LPS: the body's own where the kidney's is not clear."""
    axis = clear_axis(grid, kidney)
    return np.array([0.0, 0.0, 1.0]) if axis is None else axis
