"""Findings as a DICOM measurement report (PS3.16 TID 1500, Comprehensive 3D SR)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from KidneySegLib.analysis.parts import Finding, Part
from KidneySegLib.findings import Findings, LesionFinding, StoneFinding
from KidneySegLib.interchange import algorithm
from KidneySegLib.interchange.codes import (
    CT_PROCEDURE,
    POLES,
    PRIVATE_SCHEME,
    STONE_SITES,
    concept,
)
from KidneySegLib.interchange.measurements import add_line, measurement, numbers_of
from KidneySegLib.interchange.segments import Segments, Tracking, name_of
from KidneySegLib.interchange.source_images import SourceImages
from KidneySegLib.structures import KIDNEY, SIDE_CODES, Structure

if TYPE_CHECKING:
    from highdicom.coding_schemes import CodingSchemeIdentificationItem
    from highdicom.seg import Segmentation
    from highdicom.sr import (
        Comprehensive3DSR,
        FindingSite,
        MeasurementsAndQualitativeEvaluations,
        ObservationContext,
        TrackingIdentifier,
        VolumetricROIMeasurementsAndQualitativeEvaluations,
    )

    Group = VolumetricROIMeasurementsAndQualitativeEvaluations | MeasurementsAndQualitativeEvaluations

SERIES_NUMBER = 9002


def make_report(
    parts: Sequence[Part], segments: Segments, segmentation: Segmentation, source: SourceImages, findings: Findings
) -> Comprehensive3DSR:
    """Makes a measurement report with one group per kidney, lesion and stone, in this order.

    A finding that is a segment of its own is measured as that region of interest (TID 1411). One that shares its
    segment with others is a group without a region (TID 1501), since its measures are not those of the segment; its
    lines and its identifiers tell which it is.

    Args:
        parts: the label map taken apart.
        segments: what the segmentation holds.
        segmentation: to which the report refers.
        source: the images.
        findings: what was measured.
    """
    from highdicom.sr import Comprehensive3DSR, MeasurementReport

    groups = [
        _group(part.structure, part.finding, segments, segmentation, source, findings)
        for part in parts
        if part.finding is not None
    ]
    content = MeasurementReport(
        observation_context=_observer(findings),
        procedure_reported=concept(CT_PROCEDURE),
        imaging_measurements=groups,
    )
    return Comprehensive3DSR(
        evidence=[*source.datasets, segmentation],
        content=content,
        is_complete=True,
        coding_schemes=[_own_scheme()],
        **algorithm.new_series(SERIES_NUMBER, "KidneySeg measurements"),
        **algorithm.equipment(),
    )


def _group(
    structure: Structure,
    finding: Finding,
    segments: Segments,
    segmentation: Segmentation,
    source: SourceImages,
    findings: Findings,
) -> Group:
    from highdicom.sr import (
        AlgorithmIdentification,
        MeasurementsAndQualitativeEvaluations,
        ReferencedSegment,
        SourceSeriesForSegmentation,
        VolumetricROIMeasurementsAndQualitativeEvaluations,
    )

    parameters = [f"{name}={value}" for name, value in algorithm.parameters(findings).items()]
    numbers = numbers_of(finding)
    common: dict[str, Any] = {
        "tracking_identifier": _tracking(segments.tracking[name_of(finding)]),
        "finding_category": concept(structure.category),
        "finding_type": concept(structure.type),
        "finding_sites": [_site(finding)],
        "algorithm_id": AlgorithmIdentification(
            algorithm.NAME, findings.provenance.kidneyseg_version, parameters or None
        ),
        "measurements": [measurement(number) for number in numbers],
    }
    segment = segments.of(finding)
    group: Group
    if segment is None:
        group = MeasurementsAndQualitativeEvaluations(**common)
    else:
        reference = ReferencedSegment(
            sop_class_uid=segmentation.SOPClassUID,
            sop_instance_uid=segmentation.SOPInstanceUID,
            segment_number=segment.number,
            source_series=SourceSeriesForSegmentation(source.frames[0].series_uid),
        )
        group = VolumetricROIMeasurementsAndQualitativeEvaluations(**common, referenced_segment=reference)
    items = [item for item in group[0].ContentSequence if item.ValueType == "NUM"]
    for item, number in zip(items, numbers, strict=True):
        add_line(item, number, source.frame_of_reference_uid)
    return group


def _site(finding: Finding) -> FindingSite:
    from highdicom.sr import FindingSite

    region, pole = KIDNEY, None
    if isinstance(finding, StoneFinding):
        region = STONE_SITES[finding.location]
    if isinstance(finding, LesionFinding | StoneFinding) and region is KIDNEY and finding.pole is not None:
        pole = POLES.get(finding.pole)
    return FindingSite(
        anatomic_location=concept(region),
        laterality=concept(SIDE_CODES[finding.side]),
        topographical_modifier=concept(pole) if pole else None,
    )


def _tracking(tracking: Tracking) -> TrackingIdentifier:
    from highdicom.sr import TrackingIdentifier

    return TrackingIdentifier(uid=tracking.uid, identifier=tracking.identifier)


def _observer(findings: Findings) -> ObservationContext:
    """Returns that a program observed (TID 1001, 1004); its identifier is new each time, as it has no serial number."""
    from highdicom.sr import DeviceObserverIdentifyingAttributes, ObservationContext, ObserverContext
    from pydicom.sr.codedict import codes
    from pydicom.uid import generate_uid

    device = DeviceObserverIdentifyingAttributes(
        uid=str(generate_uid(prefix=None)),
        name=algorithm.title(findings),
        manufacturer_name=algorithm.NAME,
        model_name=algorithm.NAME,
    )
    observer = ObserverContext(observer_type=codes.DCM.Device, observer_identifying_attributes=device)
    return ObservationContext(observer_device_context=observer)


def _own_scheme() -> CodingSchemeIdentificationItem:
    """Returns whose private codes are in the report."""
    from highdicom.coding_schemes import CodingSchemeIdentificationItem

    return CodingSchemeIdentificationItem(
        designator=PRIVATE_SCHEME, name="KidneySeg", responsible_organization="KidneySeg"
    )
