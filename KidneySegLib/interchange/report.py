"""Findings as a DICOM measurement report (PS3.16 TID 1500, Comprehensive 3D SR)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from KidneySegLib.analysis.parts import Part
from KidneySegLib.findings import Findings
from KidneySegLib.interchange import algorithm
from KidneySegLib.interchange.codes import CT_PROCEDURE, PRIVATE_SCHEME, concept
from KidneySegLib.interchange.measurement_groups import Drawn, measurement_group

if TYPE_CHECKING:
    from highdicom.coding_schemes import CodingSchemeIdentificationItem
    from highdicom.sr import Comprehensive3DSR, ObservationContext

SERIES_NUMBER = 9002


def make_report(parts: Sequence[Part], drawn: Drawn, findings: Findings) -> Comprehensive3DSR:
    """Makes a measurement report with one group per kidney, lesion and stone, in this order.

    Args:
        parts: the label map taken apart.
        drawn: the segmentation that the report refers to.
        findings: what was measured.
    """
    from highdicom.sr import Comprehensive3DSR, MeasurementReport

    listed = [(part.structure, part.finding) for part in parts if part.finding is not None]
    content = MeasurementReport(
        observation_context=_observer(findings),
        procedure_reported=concept(CT_PROCEDURE),
        imaging_measurements=[measurement_group(structure, finding, drawn, findings) for structure, finding in listed],
    )
    return Comprehensive3DSR(
        evidence=[*drawn.source.datasets, drawn.segmentation],
        content=content,
        is_complete=True,
        coding_schemes=[_own_scheme()],
        **algorithm.new_series(SERIES_NUMBER, "KidneySeg measurements"),
        **algorithm.equipment(),
    )


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
        designator=PRIVATE_SCHEME, name=algorithm.NAME, responsible_organization=algorithm.NAME
    )
