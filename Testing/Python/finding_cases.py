"""Findings with numbers that have more digits than are stored."""

from __future__ import annotations

from KidneySegLib.findings import LesionFinding, Measures, StoneFinding
from KidneySegLib.structures import Side

MEASURES = Measures(
    voxels=400_000,
    volume_ml=172.03456,
    centroid_lps_mm=(-55.126, 20.0, -301.999),
    length_mm=124.3456,
    length_start_lps_mm=(-60.0, 30.0, -360.0),
    length_end_lps_mm=(-50.0, 10.0, -240.0),
    axial_diameter_mm=70.555,
    axial_slice=45,
    axial_start_lps_mm=(-90.0, 20.0, -300.0),
    axial_end_lps_mm=(-20.0, 20.0, -300.0),
    perpendicular_mm=49.8,
    perpendicular_start_lps_mm=(-55.0, -5.0, -300.0),
    perpendicular_end_lps_mm=(-55.0, 45.0, -300.0),
    hu_mean=33.3333,
    hu_sd=12.0,
    hu_min=-40.0,
    hu_max=210.0,
    hu_p05=10.0,
    hu_p50=33.0,
    hu_p95=60.0,
)


MASS = LesionFinding("M1", "mass", Side.RIGHT, "upper", MEASURES, 3.456, 0.0, 0.41234, 0.87654, ("head",))
CYST = LesionFinding("C1", "cyst", Side.LEFT, None, MEASURES, None, None, None, None)
STONE = StoneFinding("S1", Side.LEFT, "lower", "kidney", MEASURES, 6.789, 0.0001234, 1203.4, 806.66, False, 71.23)
CRUMB = StoneFinding("S2", Side.LEFT, None, "ureter", MEASURES, None, None, 310.0, 250.0, True, None)
