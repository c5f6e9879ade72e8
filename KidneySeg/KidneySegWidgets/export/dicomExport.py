"""Results as DICOM: finds the images behind a volume in Slicer's database and lets the engine refer to them."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from KidneySegWidgets.engine.engineLocation import ensureEngine
from KidneySegWidgets.exam.dicomFiles import filesInDatabase, instanceUids, placeFile
from KidneySegWidgets.translation import tr as _


def sourceFiles(volume: Any) -> list[Path]:
    """Returns the DICOM files that a volume node was loaded from.

    Raises:
        RuntimeError: it does not come from Slicer's DICOM database, or the files are no longer there.
    """
    if not instanceUids(volume):
        raise RuntimeError(
            _(
                "DICOM results and a report with the patient's name need the images that they were made from, and "
                "this volume does not come from Slicer's DICOM database. Import the series in the DICOM module, load "
                "it from there and segment that volume; or export without DICOM and without the patient's name."
            )
        )
    files = filesInDatabase(volume)
    if not files:
        raise RuntimeError(
            _(
                "The DICOM images of this volume are no longer in Slicer's DICOM database. Import the series there "
                "again; or export without DICOM and without the patient's name."
            )
        )
    return files


def writeDicom(folder: Path, result: Any, files: list[Path], scratch: Path) -> None:
    """Writes segmentation, measurements and, if the folder holds one, the report as DICOM.

    Args:
        folder: where to; a `report.pdf` in it becomes a DICOM file, too.
        result: the engine's Result.
        files: the DICOM images.
        scratch: a folder for temporary files.

    Raises:
        KidneySegError: the images cannot be referred to, or the volume lies elsewhere; the message says why.
    """
    ensureEngine()
    from KidneySegLib.errors import GeometryError
    from KidneySegLib.interchange.results import write_dicom_results
    from KidneySegLib.measuring.instances import Segmentation
    from KidneySegLib.result_files.labels.reading import on_grid
    from KidneySegLib.result_files.result import Result
    from KidneySegLib.tasks.run import input_record, read_exam

    report = folder / "report.pdf"
    with tempfile.TemporaryDirectory(prefix="KidneySeg-", dir=scratch) as name:
        series = Path(name)
        for number, file in enumerate(files):
            placeFile(file, series / f"{number:06d}.dcm")
        exam = read_exam(series, result.findings)
        try:
            voxels = on_grid(result.segmentation.label_map, exam.volume)
        except GeometryError as error:
            sentence = _(
                "The volume does not lie where its DICOM images lie: it was moved, cropped or resampled. Segment it as "
                "it was loaded; or export without DICOM."
            )
            raise GeometryError(sentence) from error
        provenance = replace(result.findings.provenance, input=input_record(exam))
        findings = replace(result.findings, provenance=provenance)
        write_dicom_results(
            folder,
            Result(exam, Segmentation.of(exam.volume, voxels), findings),
            series,
            pdf=report.read_bytes() if report.is_file() else None,
        )
