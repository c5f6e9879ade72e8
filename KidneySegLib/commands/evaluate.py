"""``kidneyseg evaluate``: the whole engine against reference masks, exam by exam and side by side."""

from __future__ import annotations

import csv
import math
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from KidneySegLib.errors import InputError

HEADER = ("exam", "side", "dice", "surface_dice_2mm", "hd95_mm", "volume_error_percent", "reference_ml", "found_ml")


def evaluate(
    exams: Annotated[
        list[Path], typer.Argument(help="Folders with image.nii.gz and, if kidneys are in view, mask.nii.gz")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for table and results")],
    model: Annotated[str | None, typer.Option(help="Bundle by name or folder; default: the shipped one")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N or mps")] = "auto",
) -> None:
    """Runs the engine on exams with reference masks and prints the agreement per kidney as a Markdown table.

    The kidney is compared as an organ: together with its masses, cysts and stones.
    """
    rows: list[dict[str, Any]] = []
    typer.echo(f"| {' | '.join(HEADER)} | seconds |\n|{'---|' * (len(HEADER) + 1)}")
    for folder in _exam_folders(exams):
        start = time.perf_counter()
        found = _evaluate_exam(folder, output / folder.name, model, device)
        seconds = f"{time.perf_counter() - start:.1f}"
        for row in found:
            rows.append(row)
            typer.echo(f"| {' | '.join(_text(row[key]) for key in HEADER)} | {seconds} |")
    with (output / "evaluation.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, HEADER)
        writer.writeheader()
        writer.writerows(rows)


def _exam_folders(paths: list[Path]) -> list[Path]:
    """Takes exam folders, or folders of exam folders."""
    folders = []
    for path in paths:
        if (path / "image.nii.gz").is_file():
            folders.append(path)
        else:
            folders += sorted(p.parent for p in path.glob("*/image.nii.gz"))
    if not folders:
        raise InputError("No exam was found: a folder with image.nii.gz (and mask.nii.gz) is needed.")
    return folders


def _evaluate_exam(folder: Path, output: Path, model: str | None, device: str) -> list[dict[str, Any]]:
    from KidneySegLib.engine import run_ct, write_run
    from KidneySegLib.structures import KIDNEYS, Side
    from KidneySegLib.training.exams import assign_sides, read_exam
    from KidneySegLib.training.metrics import agreement

    run = run_ct(folder / "image.nii.gz", device=device, model=model)
    write_run(run, output)
    image, labels = read_exam(folder)
    reference = assign_sides(labels.voxels)
    found = assign_sides(run.volume.axis_order().apply(run.labels))
    rows = []
    for side in Side:
        value = KIDNEYS[side].label
        if not (reference == value).any() and not (found == value).any():
            continue
        result = agreement(found == value, reference == value, image.spacing[::-1])
        measures = (result.dice, result.surface_dice, result.hd95_mm, result.volume_error_percent)
        values = (folder.name, side.value, *measures, result.reference_ml, result.found_ml)
        rows.append(dict(zip(HEADER, values, strict=True)))
    return rows or [dict(zip(HEADER, (folder.name, "none in view, none found", *[math.nan] * 6), strict=True))]


def _text(value: object) -> str:
    if not isinstance(value, float):
        return str(value)
    if math.isnan(value):
        return ""
    return f"{value:.3f}" if abs(value) < 2 else f"{value:.1f}"
