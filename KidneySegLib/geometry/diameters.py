"""Diameters of a body of voxels.

**What is measured.** The border of a digitised body runs between the last voxel inside and the first one outside, so
a diameter is taken between the *centres of voxel faces*. Voxel centres would lose half a voxel at either end (a row of
n voxels of width s would be (n - 1) s long); voxel corners would add the voxel's own diagonal, which at 5 mm slices is
several millimetres. With face centres a straight row of n voxels along a grid axis is exactly n s long, and the
diameter of a digitised sphere is off by at most one spacing, without bias.

**How.** The face centres of a body are its voxel centres plus half a step along one grid axis. The largest distance
between two points of such a sum is reached at vertices of the convex hull of the voxel centres, plus or minus one full
step along the grid axis that helps most. Only hull vertices are compared, so the result is exact and fast; it holds for
oblique and sheared grids too.
"""

from dataclasses import dataclass

import numpy as np

PAIRS_AT_ONCE = 1_000_000


@dataclass(frozen=True)
class Diameter:
    """A straight line through the body.

    Attributes:
        length: in mm.
        start: one end in mm LPS.
        end: the other end.
    """

    length: float
    start: np.ndarray
    end: np.ndarray


@dataclass(frozen=True)
class AxialDiameter:
    """The largest diameter within one slice, and the largest one at right angles to it in the same slice.

    Attributes:
        slice_index: index of the slice along the array axis that was asked for.
        longest: the diameter.
        perpendicular: the one at right angles to it.
    """

    slice_index: int
    longest: Diameter
    perpendicular: Diameter


def maximum_diameter(mask: np.ndarray, ijk_to_lps: np.ndarray) -> Diameter:
    """Returns the maximum 3D (Feret) diameter of ``mask``, bool ``(k, j, i)`` with at least one voxel set.

    Args:
        mask: the body.
        ijk_to_lps: 4x4 matrix of the mask's own grid.
    """
    return _widest_pair(_hull_vertices(row_ends(mask)), ijk_to_lps, axes=(0, 1, 2))


def maximum_axial_diameter(mask: np.ndarray, ijk_to_lps: np.ndarray, slice_axis: int) -> AxialDiameter:
    """Returns the largest diameter within any slice of ``mask``, bool ``(k, j, i)`` with at least one voxel set.

    Args:
        mask: the body.
        ijk_to_lps: 4x4 matrix of the mask's own grid.
        slice_axis: array axis (0 = k) along which the slices are stacked.
    """
    in_plane = tuple(axis for axis in range(3) if axis != slice_axis)
    points = row_ends(mask, row_axis=in_plane[1])
    points = points[np.argsort(points[:, slice_axis], kind="stable")]
    indices, starts = np.unique(points[:, slice_axis], return_index=True)
    slices = np.split(points, starts[1:])
    # the diagonal of a slice's bounding box bounds its diameter: slices that cannot win are not looked into
    steps = np.linalg.norm(_steps(ijk_to_lps), axis=1)[list(in_plane)]
    boxes = np.array([np.ptp(p[:, in_plane], axis=0) for p in slices])
    bounds = np.linalg.norm((boxes + 1) * steps, axis=1) * (1 + _shear(ijk_to_lps, in_plane))
    best: tuple[int, Diameter] | None = None
    for n in np.argsort(-bounds, kind="stable"):
        if best is not None and bounds[n] <= best[1].length:
            break
        candidate = _widest_pair(_hull_vertices(slices[n]), ijk_to_lps, axes=in_plane)
        if best is None or candidate.length > best[1].length:
            best = int(indices[n]), candidate
    assert best is not None  # the mask has a voxel
    index, longest = best
    plane = np.take(mask, [index], axis=slice_axis)
    voxels = np.argwhere(plane)
    voxels[:, slice_axis] = index
    return AxialDiameter(index, longest, _perpendicular(voxels, longest, ijk_to_lps, in_plane))


def _perpendicular(
    voxels: np.ndarray, longest: Diameter, ijk_to_lps: np.ndarray, in_plane: tuple[int, ...]
) -> Diameter:
    """Returns the largest distance across ``longest`` between the outermost borders of one slice's voxels.

    Voxels ``(n, 3)`` in ``(k, j, i)`` are sorted into strips at right angles to ``longest``, one voxel wide; the widest
    strip counts. This is the second diameter of the bidimensional measure (WHO 1979), to within one voxel.
    """
    steps = _steps(ijk_to_lps)[list(in_plane)]
    along = longest.end - longest.start
    along /= np.linalg.norm(along)
    across = np.cross(np.cross(steps[0], steps[1]), along)
    across /= np.linalg.norm(across)
    centres = _to_lps(voxels, ijk_to_lps)
    offsets = centres - longest.start
    u, v = offsets @ along, offsets @ across
    strips = np.floor((u - u.min()) / np.linalg.norm(steps, axis=1).max()).astype(int)
    low, high = np.full(strips.max() + 1, np.inf), np.full(strips.max() + 1, -np.inf)
    np.minimum.at(low, strips, v)
    np.maximum.at(high, strips, v)
    widest = int(np.argmax(high - low))
    half = np.abs(steps @ across).max() / 2
    at = float(u[strips == widest].mean())
    middle = longest.start + at * along
    start, end = middle + (low[widest] - half) * across, middle + (high[widest] + half) * across
    return Diameter(float(high[widest] - low[widest] + 2 * half), start, end)


def _widest_pair(points: np.ndarray, ijk_to_lps: np.ndarray, axes: tuple[int, ...]) -> Diameter:
    """Returns the largest distance between face centres of voxels ``points`` ``(n, 3)`` in ``(k, j, i)``.

    Args:
        points: voxel indices, among them all vertices of the convex hull.
        ijk_to_lps: 4x4 matrix of the grid.
        axes: array axes whose faces count.
    """
    steps = _steps(ijk_to_lps)[list(axes)]
    centres = _candidates(_to_lps(points, ijk_to_lps), float(np.linalg.norm(steps, axis=1).max()))
    longest, pair, step = -1.0, (0, 0), steps[0]
    rows = max(1, PAIRS_AT_ONCE // len(centres))
    for first in range(0, len(centres), rows):
        between = centres[None, :, :] - centres[first : first + rows, None, :]
        squared = np.einsum("abx,abx->ab", between, between)
        for candidate in steps:
            total = squared + 2 * np.abs(between @ candidate) + candidate @ candidate
            at = int(np.argmax(total))
            if total.flat[at] > longest:
                a, b = np.unravel_index(at, total.shape)
                longest, pair, step = float(total.flat[at]), (first + int(a), int(b)), candidate
    start, end = centres[pair[0]], centres[pair[1]]
    half = step / 2 if (end - start) @ step >= 0 else -step / 2
    return Diameter(float(np.sqrt(longest)), start - half, end + half)


def _candidates(centres: np.ndarray, step: float) -> np.ndarray:
    """Returns those points ``(n, 3)`` that can be an end of the longest distance: of a long body, the two poles.

    A distance L between two points is already known, and R is the radius around its midpoint that holds all points;
    then a point nearer to the midpoint than L - R - step (``step`` for the voxels' own width) can be left out.
    """
    start = centres[np.linalg.norm(centres - centres.mean(axis=0), axis=1).argmax()]
    end = centres[np.linalg.norm(centres - start, axis=1).argmax()]
    radii = np.linalg.norm(centres - (start + end) / 2, axis=1)
    return centres[radii >= np.linalg.norm(end - start) - radii.max() - step - 1e-6]


def row_ends(mask: np.ndarray, row_axis: int = 2) -> np.ndarray:
    """Returns the first and last voxel of every row along ``row_axis`` as ``(n, 3)`` indices ``(k, j, i)``.

    Among them are all vertices of the convex hull.
    """
    rows = np.moveaxis(mask, row_axis, 2)
    filled = np.argwhere(rows.any(axis=2))
    content = rows[filled[:, 0], filled[:, 1]]
    first = content.argmax(axis=1)
    last = rows.shape[2] - 1 - content[:, ::-1].argmax(axis=1)
    wide = last > first
    return np.concatenate(
        [np.insert(filled, row_axis, first, axis=1), np.insert(filled[wide], row_axis, last[wide], axis=1)]
    )


def _hull_vertices(points: np.ndarray) -> np.ndarray:
    """Returns the vertices of the convex hull of integer points ``(n, 3)``, flat sets in fewer dimensions."""
    from scipy.spatial import ConvexHull, QhullError

    varying = np.flatnonzero(np.ptp(points, axis=0))
    if len(varying) == 0:
        return points[:1]
    if len(varying) == 1:
        column = points[:, varying[0]]
        return points[[column.argmin(), column.argmax()]]
    try:
        return points[ConvexHull(points[:, varying]).vertices]
    except QhullError:  # too few points, or all in one slanting plane or line: no hull of this dimension
        return points


def _steps(ijk_to_lps: np.ndarray) -> np.ndarray:
    """Returns the steps in mm LPS from a voxel to its neighbour, one row per array axis ``(k, j, i)``."""
    return np.asarray(ijk_to_lps)[:3, :3].T[::-1].copy()


def _shear(ijk_to_lps: np.ndarray, axes: tuple[int, ...]) -> float:
    """Returns the cosine between two array axes: how much a bounding box's diagonal may grow by shear."""
    a, b = _steps(ijk_to_lps)[list(axes)]
    return float(abs(a @ b) / (np.linalg.norm(a) * np.linalg.norm(b)))


def _to_lps(kji: np.ndarray, ijk_to_lps: np.ndarray) -> np.ndarray:
    matrix = np.asarray(ijk_to_lps)
    return kji[:, ::-1] @ matrix[:3, :3].T + matrix[:3, 3]
