"""``kidneyseg segment``: from a series to a folder with the result."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from KidneySegLib.commands.progress import ProgressStyle, showing
from KidneySegLib.commands.summary import summarise
from KidneySegLib.commands.task import SegmentTask
from KidneySegLib.errors import InputError

if TYPE_CHECKING:
    from KidneySegLib.engine import Run


def segment(
    source: Annotated[
        Path, typer.Argument(help="DICOM folder or file, or .nii, .nii.gz, .nrrd, .mha; for ct-slice also PNG, JPEG")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the result; made if missing")],
    task: Annotated[
        SegmentTask,
        typer.Option(help="ct: a volume; ct-slice: kidneys and stones on one axial slice, in 2D; auto: by the input"),
    ] = SegmentTask.CT,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N or mps")] = "auto",
    model: Annotated[str | None, typer.Option(help="Bundle by name or folder; default: the shipped one")] = None,
    series: Annotated[str | None, typer.Option(help="SeriesInstanceUID, if the folder holds several")] = None,
    pixel_mm: Annotated[float | None, typer.Option(help="Pixel size of a picture (ct-slice)")] = None,
    window: Annotated[
        tuple[float, float] | None,
        typer.Option(help="HU that a picture shows as black and as white (ct-slice)", metavar="LOW HIGH"),
    ] = None,
    dicom: Annotated[bool, typer.Option("--dicom", help="Also write DICOM SEG and SR (input: a DICOM series)")] = False,
    report: Annotated[bool, typer.Option("--report", help="Also write report.pdf and report.html")] = False,
    language: Annotated[str | None, typer.Option(help="Language of the report: en, es or tr")] = None,
    progress: Annotated[ProgressStyle, typer.Option(help="How progress is shown")] = ProgressStyle.BAR,
) -> None:
    """Finds and outlines the kidneys of a CT; writes labels, segmentation, findings, table and picture."""
    # The engine's libraries take a second to load: only a run that needs them waits for them.
    from KidneySegLib.engine import run_ct, write_run
    from KidneySegLib.reporting.report import write_report
    from KidneySegLib.reporting.translations import check_language
    from KidneySegLib.slice_engine import run_slice
    from KidneySegLib.slice_reading import is_single_slice

    if task is SegmentTask.AUTO:
        task = SegmentTask.CT_SLICE if series is None and is_single_slice(source) else SegmentTask.CT
    _check_options(task, series, pixel_mm, window)
    if dicom:
        _check_dicom(source)
    if language is not None and not report:
        raise InputError("--language is that of the report: add --report.")
    check_language(language or "en")
    with showing(progress) as receiver:
        if task is SegmentTask.CT_SLICE:
            run = run_slice(source, pixel_mm=pixel_mm, window=window, device=device, model=model, progress=receiver)
        else:
            run = run_ct(source, device=device, model=model, series_uid=series, progress=receiver)
        write_run(run, output, receiver)
        if report:
            write_report(output, run.volume, run.labels, run.findings, language=language or "en")
        if dicom:
            _write_dicom(run, source, output, (output / "report.pdf").read_bytes() if report else None)
    if progress is not ProgressStyle.JSON:
        summarise(run.findings)


def _check_options(
    task: SegmentTask, series: str | None, pixel_mm: float | None, window: tuple[float, float] | None
) -> None:
    """Refuses options that the task would silently leave aside."""
    if task is SegmentTask.CT and (pixel_mm is not None or window is not None):
        raise InputError("--pixel-mm and --window belong to pictures of single slices: add --task ct-slice.")
    if task is SegmentTask.CT_SLICE and series is not None:
        raise InputError("--series chooses among series; --task ct-slice takes one slice. Give the file of the slice.")


def _check_dicom(source: Path) -> None:
    """Refuses what no DICOM result could refer to, before the run rather than after it."""
    from KidneySegLib.dicom.scan import is_dicom_file

    files = source.rglob("*") if source.is_dir() else [source]
    if not any(file.is_file() and is_dicom_file(file) for file in files):
        raise InputError("--dicom needs a DICOM series, which the results then belong to. Leave it out for this input.")


def _write_dicom(run: Run, source: Path, output: Path, pdf: bytes | None) -> None:
    from KidneySegLib.interchange.results import write_dicom_results

    if run.labels.any() or pdf is not None:
        write_dicom_results(output, run.volume, run.labels, run.findings, source, pdf=pdf)
    if not run.labels.any():
        typer.echo("Nothing was outlined, so there is no DICOM segmentation and no measurement.", err=True)
