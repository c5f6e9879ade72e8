"""One finding as a measurement group of a report (PS3.16 TID 1411, TID 1501)."""

from dataclasses import dataclass
from typing import Any

from highdicom.seg import Segmentation
from highdicom.sr import (
    AlgorithmIdentification,
    FindingSite,
    MeasurementsAndQualitativeEvaluations,
    QualitativeEvaluation,
    ReferencedSegment,
    RelationshipTypeValues,
    SourceSeriesForSegmentation,
    TextContentItem,
    TrackingIdentifier,
    VolumetricROIMeasurementsAndQualitativeEvaluations,
)
from pydicom.sr.codedict import codes

from KidneySegLib.findings import Findings, KidneyFinding, LesionFinding, PlacedFinding, StoneFinding
from KidneySegLib.interchange import algorithm
from KidneySegLib.interchange.codes import POLES, READING, READING_STATES, STONE_SITES, category, concept
from KidneySegLib.interchange.lines import add_centre, add_line, image_of_axes
from KidneySegLib.interchange.measurements import measurement, numbers_of
from KidneySegLib.interchange.planes import Planes
from KidneySegLib.interchange.segments import Segment, Segments, Tracking, name_of
from KidneySegLib.interchange.source_images import SourceImages
from KidneySegLib.structures import KIDNEY, SIDE_CODES, Structure

Group = VolumetricROIMeasurementsAndQualitativeEvaluations | MeasurementsAndQualitativeEvaluations


@dataclass(frozen=True)
class Drawn:
    """What measurements refer to.

    Attributes:
        segments: what the segmentation holds.
        segmentation: the segmentation.
        planes: where its slices lie.
        source: the images.
    """

    segments: Segments
    segmentation: Segmentation
    planes: Planes
    source: SourceImages


def measurement_group(structure: Structure, finding: PlacedFinding, drawn: Drawn, findings: Findings) -> Group:
    """Makes the group of one finding.

    A finding that is a segment of its own is measured as that region of interest (TID 1411). One that shares its
    segment with others is a group without a region (TID 1501), since its measures are not those of the segment; its
    lines and its identifiers tell which it is.

    Args:
        structure: what it is.
        finding: what was measured.
        drawn: what the group refers to.
        findings: all findings, for how they came about.
    """
    numbers = numbers_of(finding)
    common = {
        "tracking_identifier": _tracking(drawn.segments.tracking[name_of(finding)]),
        "measurements": [measurement(number) for number in numbers],
        **description(structure, finding, findings),
        "qualitative_evaluations": _reading(finding, findings),
    }
    segment = drawn.segments.of(finding)
    group: Group
    if segment is None:
        group = MeasurementsAndQualitativeEvaluations(**common)
    else:
        common["referenced_segment"] = _reference(segment, drawn)
        group = VolumetricROIMeasurementsAndQualitativeEvaluations(**common)
    image = image_of_axes(numbers, drawn.planes, drawn.source)
    items = [item for item in group[0].ContentSequence if item.ValueType == "NUM"]
    for item, number in zip(items, numbers, strict=True):
        if number.line is not None:
            add_line(item, number, image, drawn.planes, drawn.source)
    if not any(number.line for number in numbers):
        add_centre(items[0], finding.measures.centroid_lps_mm, drawn.source)
    if not isinstance(finding, KidneyFinding) and finding.reading.reader_name:
        _add_name(group, finding.reading.reader_name)
    return group


def _reading(finding: PlacedFinding, findings: Findings) -> list[QualitativeEvaluation] | None:
    """Returns what a reader made of a lesion or stone; nothing of label maps that no network drew."""
    if isinstance(finding, KidneyFinding) or not findings.provenance.bundles:
        return None
    return [QualitativeEvaluation(concept(READING), concept(READING_STATES[finding.reading.state]))]


def _add_name(group: Group, name: str) -> None:
    """Writes what the reader calls a finding as a comment; the templates of groups may be extended."""
    item = TextContentItem(codes.DCM.Comment, name, relationship_type=RelationshipTypeValues.CONTAINS)
    group[0].ContentSequence.append(item)


def description(structure: Structure, finding: PlacedFinding, findings: Findings) -> dict[str, Any]:
    """Returns what was found, where and by which program, as highdicom names it."""
    return {
        "finding_category": concept(category(structure)),
        "finding_type": concept(structure.type),
        "finding_sites": [_site(finding)],
        "algorithm_id": algorithm_of(findings),
    }


def _tracking(tracking: Tracking) -> TrackingIdentifier:

    return TrackingIdentifier(uid=tracking.uid, identifier=tracking.identifier)


def _site(finding: PlacedFinding) -> FindingSite:

    region, pole = KIDNEY, None
    if isinstance(finding, StoneFinding):
        region = STONE_SITES[finding.location]
    if isinstance(finding, LesionFinding | StoneFinding) and region is KIDNEY and finding.pole is not None:
        pole = POLES.get(finding.pole)
    return FindingSite(
        anatomic_location=concept(region),
        laterality=concept(SIDE_CODES[finding.side]) if finding.side_certain else None,
        topographical_modifier=concept(pole) if pole else None,
    )


def algorithm_of(findings: Findings) -> AlgorithmIdentification:
    """Returns which program and which models measured."""
    parameters = [f"{name}={value}" for name, value in algorithm.parameters(findings).items()]
    return AlgorithmIdentification(algorithm.NAME, findings.provenance.kidneyseg_version, parameters or None)


def _reference(segment: Segment, drawn: Drawn) -> ReferencedSegment:

    return ReferencedSegment(
        sop_class_uid=drawn.segmentation.SOPClassUID,
        sop_instance_uid=drawn.segmentation.SOPInstanceUID,
        segment_number=segment.number,
        source_series=SourceSeriesForSegmentation(drawn.source.frames[0].series_uid),
    )
