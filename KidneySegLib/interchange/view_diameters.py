"""Length and width of a kidney in an ultrasound image as a measurement that a web viewer takes over as its own.

Words and form are those of ``viewer_groups``. The lines lie in pixels of the frame: an ultrasound image has no place in
the patient.
"""

from collections.abc import Sequence

import numpy as np
from highdicom.sr import (
    Comprehensive3DSR,
    CoordinatesForMeasurement,
    FindingSite,
    Measurement,
    MeasurementsAndQualitativeEvaluations,
    RelationshipTypeValues,
    SourceImageForRegion,
    TextContentItem,
    TrackingIdentifier,
)
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes

from KidneySegLib.findings import Findings, KidneyView, Pixel
from KidneySegLib.interchange import algorithm
from KidneySegLib.interchange.codes import (
    LONG_AXIS,
    MILLIMETRE,
    PIXELS,
    SHORT_AXIS,
    ULTRASOUND_PROCEDURE,
    category,
    concept,
)
from KidneySegLib.interchange.measurement_groups import algorithm_of
from KidneySegLib.interchange.report import VIEWER_SERIES_NUMBER, measurement_document
from KidneySegLib.interchange.segments import Segments, name_of, title_of
from KidneySegLib.interchange.view_images import ViewImage
from KidneySegLib.interchange.viewer_groups import TOOL
from KidneySegLib.structures import BY_KEY, KIDNEY, SIDE_CODES


def diameters_of_views(
    views: Sequence[KidneyView], segments: Segments, findings: Findings, image: ViewImage, evidence: Sequence[Dataset]
) -> Comprehensive3DSR | None:
    """Makes a report of length and width alone; None where the image cuts every kidney.

    Args:
        views: of the frame that was measured.
        segments: of the segmentation; its tracking identifiers tie both reports together.
        findings: all findings, for how they came about.
        image: that was measured.
        evidence: the objects that the result consists of, the image among them.
    """
    groups = [_group(view, segments, findings, image) for view in views if not view.cut_at]
    if not groups:
        return None
    series = algorithm.new_series(VIEWER_SERIES_NUMBER, "KidneySeg diameters for viewers")
    return measurement_document(groups, evidence, [], series, findings, ULTRASOUND_PROCEDURE)


def line_in_frame(ends: Sequence[Pixel], view: KidneyView, image: ViewImage) -> CoordinatesForMeasurement:
    """Returns a line in the frame; DICOM's places begin at the outer corner of the first pixel."""
    source = SourceImageForRegion(*image.frames[view.slice].reference)
    return CoordinatesForMeasurement("POLYLINE", np.array(ends) + 0.5, source)


def _group(
    view: KidneyView, segments: Segments, findings: Findings, image: ViewImage
) -> MeasurementsAndQualitativeEvaluations:
    structure, of, name = BY_KEY[view.structure], view.measures, name_of(view)
    unit = concept(MILLIMETRE if findings.calibrated else PIXELS)
    sizes = (of.length_mm, of.width_mm) if findings.calibrated else (of.length_px, of.width_px)
    ends = ((of.length_start_px, of.length_end_px), (of.width_start_px, of.width_end_px))
    group = MeasurementsAndQualitativeEvaluations(
        tracking_identifier=TrackingIdentifier(uid=segments.tracking[name].uid, identifier=f"{TOOL}:{name}"),
        measurements=[
            Measurement(concept(axis), size, unit, referenced_coordinates=[line_in_frame(line, view, image)])
            for axis, size, line in zip((LONG_AXIS, SHORT_AXIS), sizes, ends, strict=True)
        ],
        finding_category=concept(category(structure)),
        finding_type=concept(structure.type),
        finding_sites=[FindingSite(concept(KIDNEY), laterality=concept(SIDE_CODES[view.side]) if view.side else None)],
        algorithm_id=algorithm_of(findings),
    )
    title = title_of(structure, view.side.value if view.side else "", view)
    group[0].ContentSequence.append(
        TextContentItem(codes.DCM.Comment, title, relationship_type=RelationshipTypeValues.CONTAINS)
    )
    return group
