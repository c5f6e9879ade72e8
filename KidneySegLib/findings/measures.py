"""What is measured on one body of voxels."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

Point = tuple[float, float, float]
NOWHERE: Point = (math.nan, math.nan, math.nan)


@dataclass(frozen=True)
class Measures:
    """What is measured on one body of voxels.

    Attributes:
        voxels: number of voxels.
        volume_ml: their volume; NaN in a single slice of unknown thickness.
        centroid_lps_mm: centre of gravity.
        length_mm: maximum 3D diameter (Feret); of a kidney its pole-to-pole length. NaN where the image cuts it.
        length_start_lps_mm: one end of the 3D diameter; NaN with it.
        length_end_lps_mm: its other end; NaN with it.
        axial_diameter_mm: maximum diameter within one axial slice.
        axial_slice: index of that slice in the stored array, along the axis nearest to head and feet, from 0.
        axial_start_lps_mm: one end of the axial diameter.
        axial_end_lps_mm: its other end.
        perpendicular_mm: largest diameter at right angles to the axial one in the same slice.
        perpendicular_start_lps_mm: one end of the perpendicular diameter.
        perpendicular_end_lps_mm: its other end.
        hu_mean: mean of the voxels.
        hu_sd: standard deviation.
        hu_min: smallest value.
        hu_max: largest value.
        hu_p05: 5th percentile.
        hu_p50: median.
        hu_p95: 95th percentile.
    """

    voxels: int
    volume_ml: float
    centroid_lps_mm: Point
    length_mm: float
    length_start_lps_mm: Point
    length_end_lps_mm: Point
    axial_diameter_mm: float
    axial_slice: int
    axial_start_lps_mm: Point
    axial_end_lps_mm: Point
    perpendicular_mm: float
    perpendicular_start_lps_mm: Point
    perpendicular_end_lps_mm: Point
    hu_mean: float
    hu_sd: float
    hu_min: float
    hu_max: float
    hu_p05: float
    hu_p50: float
    hu_p95: float

    def without_length(self) -> Measures:
        """Returns the measures of a body whose greatest extent the image does not show."""
        return replace(self, length_mm=math.nan, length_start_lps_mm=NOWHERE, length_end_lps_mm=NOWHERE)

    def without_densities(self) -> Measures:
        """Returns the measures of a body whose densities were not looked at."""
        unknown = math.nan
        return replace(
            self,
            hu_mean=unknown,
            hu_sd=unknown,
            hu_min=unknown,
            hu_max=unknown,
            hu_p05=unknown,
            hu_p50=unknown,
            hu_p95=unknown,
        )
