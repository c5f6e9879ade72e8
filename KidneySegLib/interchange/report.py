"""Findings as a DICOM measurement report (PS3.16 TID 1500, Comprehensive 3D SR)."""

from collections.abc import Iterable, Sequence
from typing import Any

from highdicom.coding_schemes import CodingSchemeIdentificationItem
from highdicom.sr import (
    Comprehensive3DSR,
    DeviceObserverIdentifyingAttributes,
    MeasurementReport,
    ObservationContext,
    ObserverContext,
    PlanarROIMeasurementsAndQualitativeEvaluations,
    RelationshipTypeValues,
    TextContentItem,
)
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.uid import generate_uid

from KidneySegLib.findings import Findings, KidneyView, PlacedFinding
from KidneySegLib.flags import Severity
from KidneySegLib.interchange import algorithm
from KidneySegLib.interchange.codes import CT_PROCEDURE, PRIVATE_SCHEME, concept
from KidneySegLib.interchange.measurement_groups import Drawn, Group, measurement_group
from KidneySegLib.interchange.measurements import numbers_of
from KidneySegLib.interchange.segments import Part
from KidneySegLib.interchange.source_images import SourceImages
from KidneySegLib.interchange.viewer_groups import viewer_group
from KidneySegLib.readers.dicom.finding.choice import CHOICE_OF_SERIES
from KidneySegLib.structures import Code, Structure

SERIES_NUMBER = 9002
VIEWER_SERIES_NUMBER = 9004
# Flags that are not warnings and yet change what the report means: which series was read, what a reader took out.
TOLD = {*CHOICE_OF_SERIES, "rejected_by_reader"}


def make_report(parts: Sequence[Part], drawn: Drawn, findings: Findings) -> Comprehensive3DSR:
    """Makes a measurement report with one group per kidney, lesion and stone, in this order.

    Args:
        parts: the label map taken apart.
        drawn: the segmentation that the report refers to.
        findings: what was measured.
    """
    groups = [measurement_group(*listed, drawn, findings) for listed in _listed(parts)]
    evidence = [*drawn.source.datasets, drawn.segmentation]
    series = algorithm.new_series(SERIES_NUMBER, "KidneySeg measurements")
    return measurement_document(groups, evidence, _images_with_lines(parts, drawn), series, findings)


def make_viewer_report(parts: Sequence[Part], drawn: Drawn, findings: Findings) -> Comprehensive3DSR | None:
    """Makes a report of the axial diameters alone, which web viewers take over as measurements of their own.

    None where there is none, because the image cuts all findings.

    Args:
        parts: the label map taken apart.
        drawn: what the measurements refer to.
        findings: what was measured.
    """
    made = [viewer_group(*listed, drawn, findings) for listed in _listed(parts)]
    groups = [group for group in made if group is not None]
    if not groups:
        return None
    images = _images_with_lines(parts, drawn)
    series = algorithm.new_series(VIEWER_SERIES_NUMBER, "KidneySeg diameters for viewers")
    return measurement_document(groups, drawn.source.datasets, images, series, findings)


def _listed(parts: Sequence[Part]) -> list[tuple[Structure, PlacedFinding]]:
    return [(p.structure, p.finding) for p in parts if p.finding is not None and not isinstance(p.finding, KidneyView)]


def measurement_document(
    groups: Sequence[Group | PlanarROIMeasurementsAndQualitativeEvaluations],
    evidence: Sequence[Dataset],
    images: Sequence[Dataset],
    series: dict[str, Any],
    findings: Findings,
    procedure: Code = CT_PROCEDURE,
) -> Comprehensive3DSR:
    """Makes a report of measurement groups.

    Args:
        groups: one for each finding.
        evidence: all objects that the groups refer to.
        images: what the image library describes.
        series: identifiers of the report's series.
        findings: how the measurements came about, and flags, which become comments.
        procedure: what was done with the patient.
    """
    content = MeasurementReport(
        observation_context=_observer(findings),
        procedure_reported=concept(procedure),
        imaging_measurements=groups,
        referenced_images=images or None,
    )
    _add_flags(content, findings)
    return Comprehensive3DSR(
        evidence=evidence,
        content=content,
        is_complete=True,
        coding_schemes=[_own_scheme()],
        **series,
        **algorithm.equipment(),
    )


def _images_with_lines(parts: Sequence[Part], drawn: Drawn) -> list[Dataset]:
    """Returns the images that lines lie on, as the image library describes them."""
    lines = [number.line for _, finding in _listed(parts) for number in numbers_of(finding) if number.line]
    places = [drawn.planes.image_with(line) for line in lines]
    return library_entries((place for place in places if place is not None), drawn.source)


def _add_flags(content: MeasurementReport, findings: Findings) -> None:
    """Writes warnings, errors and some more flags as comments; TID 1500 may be extended."""
    for flag in findings.flags:
        if flag.severity is not Severity.INFO or flag.code in TOLD:
            item = TextContentItem(codes.DCM.Comment, flag.message, RelationshipTypeValues.CONTAINS)
            content[0].ContentSequence.append(item)


def _observer(findings: Findings) -> ObservationContext:
    """Returns that a program observed (TID 1001, 1004); its identifier is new each time, as it has no serial number."""
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
    return CodingSchemeIdentificationItem(
        designator=PRIVATE_SCHEME, name=algorithm.NAME, responsible_organization=algorithm.NAME
    )


def library_entries(places: Iterable[int], source: SourceImages) -> list[Dataset]:
    """Returns what an image library says of images, each once, ascending.

    highdicom describes an image by its header, which may hold what does not belong there (a negative spacing), or hold
    it elsewhere (one position for each frame); so it gets what the reader understood.

    Args:
        places: numbers of the images in ``source.frames``, in any order.
        source: the images.
    """
    headers = {str(dataset.SOPInstanceUID): dataset for dataset in source.datasets}
    entries = {}
    for place in sorted(set(places)):
        frame, entry = source.frames[place], Dataset()
        entry.SOPClassUID, entry.SOPInstanceUID = frame.sop_class_uid, frame.sop_instance_uid
        entry.FrameOfReferenceUID = frame.frame_of_reference_uid
        entry.Rows, entry.Columns = frame.rows, frame.columns
        entry.Modality = ""  # position and spacing are asked for with a modality only; a multi-frame image has many
        if not frame.multiframe:
            entry.Modality = frame.modality
            entry.ImagePositionPatient = list(frame.position or ())
            entry.ImageOrientationPatient = list(frame.orientation or ())
            entry.PixelSpacing = list(frame.pixel_spacing or ())
            entry.SliceThickness = headers[frame.sop_instance_uid].SliceThickness
        entries[frame.sop_instance_uid] = entry
    return list(entries.values())
