"""One finding's axial diameters as a measurement that a web viewer takes over as its own (PS3.16 TID 1501).

OHIF and other viewers on Cornerstone3D open a measurement for reading and correcting only where its tracking identifier
begins with the name of one of their tools, and the first number of the group has a line. Elsewhere such a name says
nothing, so these groups stand in a report of their own; the tracking unique identifier ties both reports together.
Their words are those of the adapters of Cornerstone3D 3 and 4: ``Bidirectional`` reads the two numbers by their
meanings ``Long Axis`` and ``Short Axis``; the comment becomes the label.
"""

from highdicom.sr import (
    CoordinatesForMeasurement,
    CoordinatesForMeasurement3D,
    Measurement,
    MeasurementsAndQualitativeEvaluations,
    RelationshipTypeValues,
    TextContentItem,
    TrackingIdentifier,
)
from pydicom.sr.codedict import codes

from KidneySegLib.findings import Findings, PlacedFinding, side_word
from KidneySegLib.interchange.codes import LONG_AXIS, SHORT_AXIS, VOLUME, concept
from KidneySegLib.interchange.lines import image_of_axes, in_image, in_space
from KidneySegLib.interchange.measurement_groups import Drawn, description
from KidneySegLib.interchange.measurements import NumericMeasurement, numbers_of
from KidneySegLib.interchange.segments import name_of, title_of
from KidneySegLib.structures import Structure

TOOL = "Cornerstone3DTools@^0.1.0:Bidirectional"
NUMBERS = (LONG_AXIS, SHORT_AXIS, VOLUME)


def viewer_group(
    structure: Structure, finding: PlacedFinding, drawn: Drawn, findings: Findings
) -> MeasurementsAndQualitativeEvaluations | None:
    """Makes the group of one finding, None where the image cuts its diameters.

    Args:
        structure: what it is.
        finding: what was measured.
        drawn: what the measurements refer to.
        findings: all findings, for how they came about.
    """
    name = name_of(finding)
    numbers = [number for number in numbers_of(finding) if number.name in NUMBERS]
    if not {LONG_AXIS, SHORT_AXIS} <= {number.name for number in numbers}:
        return None
    image = image_of_axes(numbers, drawn.planes, drawn.source)
    group = MeasurementsAndQualitativeEvaluations(
        tracking_identifier=TrackingIdentifier(uid=drawn.segments.tracking[name].uid, identifier=f"{TOOL}:{name}"),
        measurements=[_measurement(number, image, drawn) for number in numbers],
        **description(structure, finding, findings),
    )
    title = title_of(structure, side_word(finding), finding)
    group[0].ContentSequence.append(
        TextContentItem(codes.DCM.Comment, title, relationship_type=RelationshipTypeValues.CONTAINS)
    )
    return group


def _measurement(number: NumericMeasurement, image: int | None, drawn: Drawn) -> Measurement:
    """Returns a number with its line; without derivation and method, since viewers skip what has other children."""
    lines: list[CoordinatesForMeasurement | CoordinatesForMeasurement3D] = []
    if number.line is not None and image is not None:
        lines.append(in_image(number.line, image, drawn.planes, drawn.source))
    elif number.line is not None:
        lines.append(in_space(number.line, drawn.source))
    name, unit = concept(number.name), concept(number.unit)
    return Measurement(name, number.value, unit, referenced_coordinates=lines or None)
