"""Size of a small dense body, finer than its voxels.

A voxel at the border holds a part of the body and a part of its surroundings, and the scanner's point spread blurs one
into the other. Its share of the body is ``(HU - surroundings) / (peak - surroundings)``, the peak being that within
reach of the point spread. Hence

* **volume**: voxels well inside count as one, voxels well outside as none, and those within ``RIM_MM`` of the border
  with their share, 0 to 1. Before a flat border the blur adds outside what it takes inside, so the sum is right
  whatever the point spread (as in calcium scoring with partial volume: Sprem et al., PLoS ONE 2018;13:e0209318);
* **length**: the border itself runs where the share is one half, which is found between two voxel centres by linear
  interpolation. The largest distance between any two such points is the length, in any direction.

Balls of 1000 HU blurred by a point spread of 1.9 mm (full width at half maximum), in slices of 0.7 and 1.25 mm: from 4
mm on the length is 0.5 mm too small to 0.1 mm too large, the volume 0.88 to 0.98 of the truth from 4 to 6 mm (counting
voxels: 0.66 to 0.83), and 0.95 to 0.98 from 9 mm on. A body of 2 mm never reaches its peak: its length is 0.3 to 0.9 mm
and its volume 2 to 3 times too large.
"""

from dataclasses import dataclass

import numpy as np

REACH_MM = 2.0
RIM_MM = 1.0
SHELL_MM = 2.5


@dataclass(frozen=True)
class Sized:
    """Size of a body.

    Attributes:
        volume: in mm³.
        length: maximum length in any direction in mm.
        mean: mean value of what lies well inside, or of the densest half where nothing does, in HU.
    """

    volume: float
    length: float
    mean: float


def size(voxels: np.ndarray, mask: np.ndarray, others: np.ndarray, ijk_to_lps: np.ndarray) -> Sized:
    """Measures one body.

    Args:
        voxels: HU ``(k, j, i)``: the body with a margin of at least ``margin`` voxels where the image goes on.
        mask: bool, same shape: the body, at least one voxel.
        others: bool, same shape: other bodies, whose voxels count neither as this one nor as surroundings.
        ijk_to_lps: 4x4 matrix of this part's own grid.
    """
    from scipy.ndimage import binary_dilation, binary_erosion, maximum_filter

    steps = np.asarray(ijk_to_lps)[:3, :3].T[::-1]
    spacing = tuple(float(mm) for mm in np.linalg.norm(steps, axis=1))
    near = ball(RIM_MM, spacing)
    inside = binary_erosion(mask, near, border_value=1)
    grown = binary_dilation(mask, near)
    shell = binary_dilation(grown, ball(SHELL_MM, spacing)) & ~grown & ~others
    hu = np.nan_to_num(voxels.astype(np.float64), nan=-np.inf)
    around = voxels[shell & np.isfinite(hu)]
    background = float(np.median(around)) if around.size else float(hu[mask].min())
    window = [2 * max(1, int(REACH_MM / mm)) + 1 for mm in spacing]
    peaks = maximum_filter(np.where(mask, hu, -np.inf), size=window)
    contrast = np.maximum(peaks - background, 1.0)
    share = np.where(grown & ~others, np.clip((hu - background) / contrast, 0, 1), 0.0)
    share[inside] = 1.0
    core = inside if np.count_nonzero(inside) > 2 else mask & (share >= min(0.75, float(share[mask].max())))
    points = _border(hu - background, mask, contrast)
    return Sized(
        volume=float(share.sum() * abs(np.linalg.det(steps))),
        length=_widest(points @ steps),
        mean=float(hu[core].mean()),
    )


def margin(spacing: tuple[float, float, float]) -> tuple[int, int, int]:
    """Returns how many voxels along k, j, i ``size`` looks beyond a body; spacing in mm along k, j, i."""
    k, j, i = (int(np.ceil(max(RIM_MM, mm) + max(SHELL_MM, mm)) / mm) + 1 for mm in spacing)
    return k, j, i


def ball(radius_mm: float, spacing: tuple[float, ...]) -> np.ndarray:
    """Returns the voxels within ``radius_mm`` of a centre voxel and its next neighbours along the axes, bool.

    Args:
        radius_mm: the radius.
        spacing: mm along k, j, i.
    """
    radii = [max(radius_mm, axis) for axis in spacing]
    reach = [int(radius / axis + 1e-9) for radius, axis in zip(radii, spacing, strict=True)]
    grids = np.ogrid[tuple(slice(-r, r + 1) for r in reach)]
    distance = sum((grid * axis / radius) ** 2 for grid, axis, radius in zip(grids, spacing, radii, strict=True))
    return np.asarray(distance <= 1 + 1e-9)


def _border(excess: np.ndarray, mask: np.ndarray, contrast: np.ndarray) -> np.ndarray:
    """Returns where the share passes one half between a voxel of the body and its neighbour, ``(n, 3)``, in voxels.

    Where both lie on the same side of one half (a border drawn by hand) it is taken half-way between them.
    """
    padded = np.pad(mask, 1)
    # beyond the image the body ends where its last voxel ends
    values = np.pad(excess, 1, constant_values=np.nan)
    half = np.pad(contrast, 1, constant_values=1.0) / 2
    points = []
    inner = np.argwhere(padded)
    within = values[tuple(inner.T)]
    level = half[tuple(inner.T)]
    for axis in range(3):
        for sign in (-1, 1):
            outer = inner.copy()
            outer[:, axis] += sign
            at_border = ~padded[tuple(outer.T)]
            outside = values[tuple(outer.T)]
            crosses = (within >= level) & (outside < level)
            with np.errstate(invalid="ignore", divide="ignore"):
                step = np.where(crosses, (within - level) / (within - outside), 0.5)
            found = inner[at_border].astype(float) - 1
            found[:, axis] += sign * step[at_border]
            points.append(found)
    return np.concatenate(points)


def _widest(points: np.ndarray) -> float:
    """Returns the largest distance between any two of the points ``(n, 3)`` in mm."""
    from scipy.spatial import ConvexHull, QhullError
    from scipy.spatial.distance import pdist

    try:
        points = points[ConvexHull(points).vertices]
    except QhullError:  # all in one plane
        points = np.unique(points, axis=0)
    return float(pdist(points).max())
