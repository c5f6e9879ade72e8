"""The numbers of one finding as items of a measurement report (PS3.16 TID 300, TID 1419).

Every finding has the same measurements in the same order, and those that may be missing (a stone too small to be
measured, a slice of unknown thickness) come last: 3D Slicer shows the measurements of all groups in one table, whose
columns it takes from the first group, by position.
"""

import math
from dataclasses import dataclass

from highdicom.sr import Measurement

from KidneySegLib.findings import KidneyFinding, PlacedFinding, Point, StoneFinding
from KidneySegLib.interchange.codes import (
    AT_RIGHT_ANGLES,
    ATTENUATION,
    HOUNSFIELD_UNIT,
    LENGTH,
    LONG_AXIS,
    LONGEST_IN_SLICE,
    LONGEST_IN_SPACE,
    MAXIMUM,
    MEAN,
    MILLILITRE,
    MILLIMETRE,
    MINIMUM,
    ORGAN_VOLUME,
    PARTIAL_VOLUME,
    SHORT_AXIS,
    STANDARD_DEVIATION,
    SUM_OF_VOXELS,
    VOLUME,
    concept,
)
from KidneySegLib.structures import Code

Line = tuple[Point, Point]

# How many numbers of a finding, in their order, are densities, and then diameters within a slice.
DENSITIES, DIAMETERS = 4, 2
ALONG_BODY = {"head", "feet"}


@dataclass(frozen=True)
class NumericMeasurement:
    """One measured value.

    Attributes:
        name: what was measured.
        value: the value.
        unit: its unit.
        derivation: how it was made of many, such as their mean.
        method: how it was measured; an attenuation's derivation says it already.
        line: both ends of a length in mm LPS.
    """

    name: Code
    value: float
    unit: Code
    derivation: Code | None = None
    method: Code | None = None
    line: Line | None = None


def numbers_of(finding: PlacedFinding) -> list[NumericMeasurement]:
    """Returns what was measured on a finding, without what could not be measured.

    Attenuation is that of the voxels; of a stone the mean, the length and the volume take partial volume into account.
    The length is the greatest extent in any direction; its line joins the outermost voxels, so a stone's line can
    differ from its length by what its border voxels hold of its surroundings.

    A size that the image cuts is not stated, because a report has no way to say "at least": where it ends towards head
    or feet length and volumes, where it ends within the slices the diameters, too.
    """
    measures = finding.measures
    cut = set(finding.cut_at)
    mean, length, volume = measures.hu_mean, measures.length_mm, measures.volume_ml
    mean_by, length_by, volume_by = None, LONGEST_IN_SPACE, SUM_OF_VOXELS
    if isinstance(finding, StoneFinding):
        mean = finding.hu_mean
        length = math.nan if finding.length_mm is None else finding.length_mm
        volume = math.nan if finding.volume_ml is None else finding.volume_ml
        mean_by = length_by = volume_by = PARTIAL_VOLUME
    numbers = [
        NumericMeasurement(ATTENUATION, mean, HOUNSFIELD_UNIT, MEAN, mean_by),
        NumericMeasurement(ATTENUATION, measures.hu_sd, HOUNSFIELD_UNIT, STANDARD_DEVIATION),
        NumericMeasurement(ATTENUATION, measures.hu_min, HOUNSFIELD_UNIT, MINIMUM),
        NumericMeasurement(ATTENUATION, measures.hu_max, HOUNSFIELD_UNIT, MAXIMUM),
        NumericMeasurement(
            LONG_AXIS,
            measures.axial_diameter_mm,
            MILLIMETRE,
            method=LONGEST_IN_SLICE,
            line=(measures.axial_start_lps_mm, measures.axial_end_lps_mm),
        ),
        NumericMeasurement(
            SHORT_AXIS,
            measures.perpendicular_mm,
            MILLIMETRE,
            method=AT_RIGHT_ANGLES,
            line=(measures.perpendicular_start_lps_mm, measures.perpendicular_end_lps_mm),
        ),
        NumericMeasurement(
            LENGTH,
            length,
            MILLIMETRE,
            method=length_by,
            line=(measures.length_start_lps_mm, measures.length_end_lps_mm),
        ),
        NumericMeasurement(VOLUME, volume, MILLILITRE, method=volume_by),
    ]
    if isinstance(finding, KidneyFinding):
        numbers.append(NumericMeasurement(ORGAN_VOLUME, finding.organ_volume_ml, MILLILITRE, method=SUM_OF_VOXELS))
    whole = len(numbers) if not cut else DENSITIES + DIAMETERS if cut <= ALONG_BODY else DENSITIES
    return [number for number in numbers[:whole] if not math.isnan(number.value)]


def measurement(number: NumericMeasurement) -> Measurement:
    """Returns the item of a measurement report, without its line."""
    return Measurement(
        name=concept(number.name),
        value=number.value,
        unit=concept(number.unit),
        derivation=concept(number.derivation) if number.derivation else None,
        method=concept(number.method) if number.method else None,
    )
