"""``kidneyseg segment``: from a series to a folder with the result."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from KidneySegLib.commands.progress import ProgressStyle, showing
from KidneySegLib.findings import Findings


def segment(
    source: Annotated[Path, typer.Argument(help="DICOM folder, one DICOM file, or .nii, .nii.gz, .nrrd, .mha")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the result; made if missing")],
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N or mps")] = "auto",
    model: Annotated[str | None, typer.Option(help="Bundle by name or folder; default: the shipped one")] = None,
    series: Annotated[str | None, typer.Option(help="SeriesInstanceUID, if the folder holds several")] = None,
    progress: Annotated[ProgressStyle, typer.Option(help="How progress is shown")] = ProgressStyle.BAR,
) -> None:
    """Finds and outlines the kidneys of a CT; writes labels, segmentation, findings, table and picture."""
    # The engine's libraries take a second to load: only a run that needs them waits for them.
    from KidneySegLib.engine import run_ct, write_run

    with showing(progress) as receiver:
        run = run_ct(source, device=device, model=model, series_uid=series, progress=receiver)
        write_run(run, output, receiver)
    if progress is not ProgressStyle.JSON:
        _summarise(run.findings)


def _summarise(findings: Findings) -> None:
    """Prints what was found, in a few lines."""
    for kidney in findings.kidneys:
        measures = kidney.measures
        cut = f"  (cut by the image at the {', '.join(kidney.cut_at)})" if kidney.cut_at else ""
        name = kidney.side.value.capitalize()
        typer.echo(f"{name} kidney: {measures.volume_ml:.0f} ml, length {measures.length_mm:.0f} mm{cut}")
    if not findings.kidneys:
        typer.echo("No kidney was found.")
    for flag in findings.flags:
        typer.echo(f"[{flag.severity.value}] {flag.message}")
