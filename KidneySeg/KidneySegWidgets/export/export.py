"""Writes a result by the engine's own writers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import slicer

from KidneySegWidgets.export.dicomExport import sourceFiles, writeDicom
from KidneySegWidgets.result.drawnResult import DrawnResult
from KidneySegWidgets.result.resultNodes import ResultNodes


@dataclass(frozen=True)
class Written:
    """What an export wrote.

    Attributes:
        folder: where to.
        findings: the engine's Findings, as they were measured for it.
        drawn: what they were measured from.
    """

    folder: Path
    findings: Any
    drawn: DrawnResult


@dataclass(frozen=True)
class ExportOptions:
    """What is written besides label map, segmentation, table, findings and key picture.

    Attributes:
        report: a report as PDF and HTML.
        dicom: segmentation and measurements as DICOM, and the report if there is one.
        identified: the report names the patient, as the headers of the volume's DICOM images do.
        header: the institution's line in the report.
        language: of the report.
    """

    report: bool = False
    dicom: bool = False
    identified: bool = False
    header: str = ""
    language: str = "en"


def exportResult(result: ResultNodes, parent: Path, options: ExportOptions) -> Callable[[], Written]:
    """Takes the result as it is now, and returns what measures and writes it, as a whole or not at all.

    What is returned touches no node; it may run in a thread. It raises KidneySegError if something cannot be written;
    the message says why.

    Raises:
        RuntimeError: DICOM or the patient's name is wanted, but the images that the result was made from are not
            known; or the volume is gone.
    """
    named = options.report and options.identified
    files = sourceFiles(result.volume) if options.dicom or named else []
    drawn, scratch = DrawnResult.of(result), Path(slicer.app.temporaryPath)
    return lambda: _write(drawn, parent, options, files, scratch)


def _write(drawn: DrawnResult, parent: Path, options: ExportOptions, files: list[Path], scratch: Path) -> Written:
    measured = drawn.measured()  # what is written is what is seen, also when nobody asked to measure again
    from KidneySegLib.publishing import complaints, partial_folder
    from KidneySegLib.readers.dicom.finding.patient import patient_of
    from KidneySegLib.reporting.report import write_report

    patient = patient_of(files) if options.report and options.identified else None
    target = _freeFolder(parent, "KidneySeg")
    with complaints(), partial_folder(target) as partial:
        measured.write(partial)
        if options.report:
            header, language = options.header or None, options.language
            write_report(partial, measured, header=header, language=language, patient=patient)
        if options.dicom:
            writeDicom(partial, measured, files, scratch)
        partial.rename(target)
    return Written(target, measured.findings, drawn)


def _freeFolder(parent: Path, name: str) -> Path:
    """Returns a folder that is not there yet. It is not called after the volume, which may bear a patient's name."""
    number = 1
    while (parent / f"{name}_{number}").exists():
        number += 1
    return parent / f"{name}_{number}"
