"""``kidneyseg report``: a result folder as a report of one or two pages."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from KidneySegLib.commands.dicom_input import FOR_PATIENT, require_dicom
from KidneySegLib.errors import InputError
from KidneySegLib.publishing import private_files

if TYPE_CHECKING:
    from KidneySegLib.follow_up.comparison import Prior


def report(
    result: Annotated[Path, typer.Argument(help="Result folder of 'kidneyseg segment' or 'kidneyseg measure'")],
    image: Annotated[Path, typer.Option(help="The CT that was segmented, as it was given then")],
    prior: Annotated[Path | None, typer.Option(help="Result folder of an earlier exam of the same patient")] = None,
    days: Annotated[int | None, typer.Option(help="Days between the two exams; or give both dates")] = None,
    prior_date: Annotated[str | None, typer.Option(help="Date of the earlier exam, YYYY-MM-DD")] = None,
    exam_date: Annotated[str | None, typer.Option("--date", help="Date of this exam, YYYY-MM-DD")] = None,
    language: Annotated[str, typer.Option(help="en, es or tr")] = "en",
    header: Annotated[str | None, typer.Option(help="The institution's line at the top")] = None,
    series: Annotated[
        str | None, typer.Option(help="Which of several series: number, UID, or part of the description")
    ] = None,
    identified: Annotated[
        bool, typer.Option("--identified", help="The report names the patient (image: a DICOM series)")
    ] = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder for the report; default: the result folder")
    ] = None,
) -> None:
    """Writes report.pdf and report.html, de-identified by default: findings, key images, change since a prior exam."""
    from KidneySegLib.readers.dicom.finding.patient import read_patient
    from KidneySegLib.reporting.report import write_report
    from KidneySegLib.result_files.result import Result
    from KidneySegLib.tasks.run import read_exam

    interval = _interval(prior, days, prior_date, exam_date)
    if identified:
        require_dicom(image, FOR_PATIENT)
    read = Result.read(result)
    earlier = _prior(prior, interval) if prior is not None else None
    complete = read.with_exam(read_exam(image, read.findings, series))
    with private_files(identified):
        files = write_report(
            output or result,
            complete,
            language=language,
            prior=earlier,
            header=header,
            patient=read_patient(image, read.findings.provenance.input.source) if identified else None,
        )
    typer.echo(f"Wrote {' and '.join(file.name for file in files)}.{' They name the patient.' if identified else ''}")


def _interval(prior: Path | None, days: int | None, prior_date: str | None, exam_date: str | None) -> int | None:
    """Returns the days between the exams, or None where nothing was said of them."""
    if prior is None and (days, prior_date, exam_date) != (None, None, None):
        raise InputError("--days, --prior-date and --date belong to a comparison: add --prior.")
    if (prior_date is None) != (exam_date is None):
        raise InputError("Both dates are needed: --prior-date and --date.")
    if prior_date is None or exam_date is None:
        return days
    if days is not None:
        raise InputError("Give either --days or the two dates.")
    return (_date(exam_date) - _date(prior_date)).days


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InputError("A date must be written as YYYY-MM-DD, such as 2025-03-31.") from error


def _prior(folder: Path, interval: int | None) -> Prior:
    from KidneySegLib.follow_up.comparison import Prior
    from KidneySegLib.result_files.result import Result

    result = Result.read(folder)
    return Prior(result.segmentation.label_map, result.findings, interval)
