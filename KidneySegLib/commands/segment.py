"""``kidneyseg segment``: from a series to a folder with the result."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from KidneySegLib.commands.dicom_input import FOR_PATIENT, FOR_RESULTS, require_dicom
from KidneySegLib.commands.progress import ProgressStyle, showing
from KidneySegLib.commands.summary import summarise
from KidneySegLib.errors import InputError
from KidneySegLib.publishing import private_files

if TYPE_CHECKING:
    from KidneySegLib.flags import Flag
    from KidneySegLib.result_files.result import Result


def segment(
    source: Annotated[
        Path,
        typer.Argument(help="DICOM folder or file, or .nii, .nii.gz, .nrrd, .mha; for slices and ultrasound PNG, JPEG"),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the result; made if missing")],
    task: Annotated[
        str,
        typer.Option(
            help="ct: a volume; ct-slice: kidneys and stones on one axial slice; ultrasound: an image, a loop or a "
            "picture; auto: by the input"
        ),
    ] = "ct",
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N or mps")] = "auto",
    model: Annotated[str | None, typer.Option(help="Name or folder of a bundle; default: the shipped one")] = None,
    series: Annotated[
        str | None, typer.Option(help="Which of several series: number, UID, or part of the description")
    ] = None,
    pixel_mm: Annotated[float | None, typer.Option(help="Pixel size of a picture, or of ultrasound without")] = None,
    window: Annotated[
        tuple[float, float] | None,
        typer.Option(help="HU that a picture shows as black and as white (ct-slice)", metavar="LOW HIGH"),
    ] = None,
    region: Annotated[int | None, typer.Option(help="Region of an ultrasound image: its number in the header")] = None,
    frame: Annotated[int | None, typer.Option(help="The one frame of an ultrasound loop to measure, from 1")] = None,
    transverse: Annotated[
        Path | None,
        typer.Option(help="Ultrasound: the transverse view, an image or its result folder; gives the volume"),
    ] = None,
    dicom: Annotated[bool, typer.Option("--dicom", help="Also write DICOM SEG and SR (input: a DICOM series)")] = False,
    report: Annotated[
        bool, typer.Option("--report", help="Also write report.pdf and report.html, de-identified by default")
    ] = False,
    identified: Annotated[
        bool, typer.Option("--identified", help="The report names the patient (input: a DICOM series)")
    ] = False,
    language: Annotated[str | None, typer.Option(help="Language of the report: en, es or tr")] = None,
    progress: Annotated[ProgressStyle, typer.Option(help="How progress is shown")] = ProgressStyle.BAR,
    flags: Annotated[
        Path | None,
        typer.Option(help="Flags of an earlier step for the result, a JSON list; watch uses it", hidden=True),
    ] = None,
) -> None:
    """Outlines the kidneys of a CT or an ultrasound image; writes labels, segmentation, findings, table and picture."""
    # The engine's libraries take a second to load: only a run that needs them waits for them.
    from KidneySegLib.findings import Findings
    from KidneySegLib.languages.language import N_, check_language
    from KidneySegLib.readers.dicom.finding.patient import read_patient
    from KidneySegLib.readers.input import ReadOptions
    from KidneySegLib.readers.probe import InputProbe
    from KidneySegLib.reporting.report import write_report
    from KidneySegLib.result_files.folder import check_folder
    from KidneySegLib.result_files.names import DICOM_FILES, REPORT_FILES, RESULT_FILES
    from KidneySegLib.tasks.registry import task_for, task_named
    from KidneySegLib.tasks.run import run
    from KidneySegLib.tasks.two_views import TRANSVERSE, add_transverse, check_transverse

    options = ReadOptions(series, pixel_mm, window, region, frame)
    chosen = task_for(InputProbe(source)) if task == "auto" else task_named(task)
    chosen.check_options(options)
    _check_report_options(report, language, identified)
    if dicom:
        require_dicom(source, FOR_RESULTS)
    if identified:
        require_dicom(source, FOR_PATIENT)
    check_language(language or "en")
    if transverse is not None:
        check_transverse(chosen, transverse, output)
    check_folder(output, [*RESULT_FILES, *(REPORT_FILES if report else ()), *(DICOM_FILES if dicom else ())])
    # DICOM results name the patient as the images do
    with private_files(identified or dicom), showing(progress) as receiver:
        result = run(
            chosen,
            source,
            options=options,
            device=device,
            model=model,
            flags=read_flags(flags),
            progress=receiver,
        )
        across = None
        if transverse is not None:
            result, across = add_transverse(result, transverse, device=device, model=model, progress=receiver)
        # before anything is written: images of several patients are not a basis for any result
        patient = read_patient(source, result.findings.provenance.input.source) if identified else None
        receiver("write", 0.0, N_("Writing the result"))
        result.write(output)
        if across is not None:
            across.write(output / TRANSVERSE)
        receiver("write", 1.0, N_("Done"))
        if report:
            # rounded as in findings.json, so that a report made of the folder later says the same
            said = replace(result, findings=Findings.from_json(result.findings.to_json()))
            write_report(output, said, language=language or "en", patient=patient)
        if dicom:
            _write_dicom(result, source, output, (output / "report.pdf").read_bytes() if report else None)
    if progress is not ProgressStyle.JSON:
        summarise(result.findings)


def read_flags(file: Path | None) -> list[Flag]:
    """Returns the flags of an earlier step.

    Raises:
        InputError: the file cannot be read, or holds something else.
    """
    from KidneySegLib.flags import flags_from_json

    if file is None:
        return []
    try:
        return flags_from_json(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError("The file of --flags cannot be read, or is not a JSON list of flags.") from error


def _check_report_options(report: bool, language: str | None, identified: bool) -> None:
    if not report and language is not None:
        raise InputError("--language is that of the report: add --report.")
    if not report and identified:
        raise InputError("--identified is for the report: add --report.")


def _write_dicom(result: Result, source: Path, output: Path, pdf: bytes | None) -> None:
    from KidneySegLib.interchange.results import write_dicom_results

    if result.segmentation.labels.any() or pdf is not None:
        write_dicom_results(output, result, source, pdf=pdf)
    if not result.segmentation.labels.any():
        typer.echo("Nothing was outlined, so there is no DICOM segmentation and no measurement.", err=True)
