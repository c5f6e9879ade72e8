"""Volume, place, diameters and Hounsfield statistics of one body of voxels.

Work is done inside the body's bounding box and on the stored integers; no copy of the whole volume is made.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from KidneySegLib.errors import GeometryError, InputError
from KidneySegLib.findings import Measures, Point
from KidneySegLib.geometry.diameters import maximum_axial_diameter, maximum_diameter
from KidneySegLib.volume import Volume

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Statistics:
    """Distribution of the values inside a body, in HU."""

    mean: float
    sd: float
    minimum: float
    maximum: float
    p05: float
    p50: float
    p95: float


def measure(volume: Volume, mask: np.ndarray, offset: tuple[int, int, int] = (0, 0, 0)) -> Measures:
    """Measures one body.

    Args:
        volume: the image in HU, axes in canonical order.
        mask: bool ``(k, j, i)`` with at least one voxel set: the whole grid, or the part that begins at ``offset``.
        offset: first voxel ``(k, j, i)`` of the mask within the volume.

    Raises:
        GeometryError: the mask is empty or does not fit into the volume.
        InputError: none of the voxels inside has a finite value.
    """
    box = tuple(slice(start, start + size) for start, size in zip(offset, mask.shape, strict=True))
    part = volume.crop(box)  # type: ignore[arg-type]
    if part.voxels.shape != mask.shape:
        raise GeometryError(
            "A mask of shape {shape} at {offset} does not fit a grid of {grid}.",
            shape=mask.shape,
            offset=offset,
            grid=volume.voxels.shape,
        )
    voxels = int(np.count_nonzero(mask))
    if voxels == 0:
        raise GeometryError("An empty mask cannot be measured.")
    length = maximum_diameter(mask, part.ijk_to_lps)
    axial = maximum_axial_diameter(mask, part.ijk_to_lps, slice_axis=0)
    hu = statistics(part.voxels[mask])
    return Measures(
        voxels=voxels,
        volume_ml=voxels * volume.voxel_volume / 1000,
        centroid_lps_mm=_point(part.to_lps(_centroid(mask))),
        length_mm=length.length,
        length_start_lps_mm=_point(length.start),
        length_end_lps_mm=_point(length.end),
        axial_diameter_mm=axial.longest.length,
        axial_slice=axial.slice_index + offset[0],
        axial_start_lps_mm=_point(axial.longest.start),
        axial_end_lps_mm=_point(axial.longest.end),
        perpendicular_mm=axial.perpendicular.length,
        perpendicular_start_lps_mm=_point(axial.perpendicular.start),
        perpendicular_end_lps_mm=_point(axial.perpendicular.end),
        hu_mean=hu.mean,
        hu_sd=hu.sd,
        hu_min=hu.minimum,
        hu_max=hu.maximum,
        hu_p05=hu.p05,
        hu_p50=hu.p50,
        hu_p95=hu.p95,
    )


def statistics(values: NDArray[np.generic]) -> Statistics:
    """Returns the distribution of ``values``, one-dimensional, in HU; voxels that are not finite are left out.

    Percentiles are the smallest value that at least that share of the voxels does not exceed.

    Raises:
        InputError: no value is finite.
    """
    if not np.issubdtype(values.dtype, np.integer):
        values = values[np.isfinite(values)]
    if values.size == 0:
        raise InputError("The image has no valid values where it was measured. Export the series again.")
    levels, counts = _histogram(values)
    share = np.cumsum(counts) / values.size
    mean = float(levels @ counts / values.size)
    return Statistics(
        mean=mean,
        sd=float(np.sqrt((levels - mean) ** 2 @ counts / values.size)),
        minimum=float(levels[0]),
        maximum=float(levels[-1]),
        p05=float(levels[np.searchsorted(share, 0.05 - 1e-12)]),
        p50=float(levels[np.searchsorted(share, 0.50 - 1e-12)]),
        p95=float(levels[np.searchsorted(share, 0.95 - 1e-12)]),
    )


def _histogram(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns the distinct values in ascending order, float64, and how often each occurs."""
    if not np.issubdtype(values.dtype, np.integer) or np.ptp(values.astype(np.int64)) > 1 << 17:
        levels, counts = np.unique(values, return_counts=True)
        return levels.astype(np.float64), counts
    lowest = int(values.min())  # CT: a few thousand levels; counting them is faster than sorting ten million voxels
    counts = np.bincount(values.astype(np.int64) - lowest)
    present = np.flatnonzero(counts)
    return present.astype(np.float64) + lowest, counts[present]


def _centroid(mask: np.ndarray) -> np.ndarray:
    """Returns the centre of gravity in voxel indices ``(k, j, i)``."""
    centre = []
    for axis in range(3):
        profile = np.count_nonzero(mask, axis=tuple(other for other in range(3) if other != axis))
        centre.append(float(profile @ np.arange(profile.size) / profile.sum()))
    return np.array(centre)


def _point(lps: np.ndarray) -> Point:
    x, y, z = lps
    return float(x), float(y), float(z)
