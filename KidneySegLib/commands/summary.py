"""What was found, in a few lines on the terminal."""

import math

import typer

from KidneySegLib.findings import Findings, LesionFinding, StoneFinding, side_word
from KidneySegLib.languages.words import POLES
from KidneySegLib.structures import BY_KEY


def summarise(findings: Findings) -> None:
    """Prints what was found, in a few lines."""
    for kidney in findings.kidneys:
        measures = kidney.measures
        cut = f"  (cut by the image at the {', '.join(kidney.cut_at)})" if kidney.cut_at else ""
        volume = "" if math.isnan(measures.volume_ml) else f"{measures.volume_ml:.0f} ml, "
        seen = kidney.length_at_least_mm
        length = f"length {measures.length_mm:.0f} mm" if seen is None else f"length at least {seen:.0f} mm"
        typer.echo(f"{side_word(kidney).capitalize()} kidney: {volume}{length}{cut}")
    for view in findings.views:
        of, at_least = view.measures, "at least " if view.cut_at else ""
        name = f"{view.side.value} kidney".capitalize() if view.side else "Kidney"
        where = f"frame {view.frame}: " if view.frames else ""
        if findings.calibrated:
            sizes = f"{at_least}{of.longest_mm:.0f} mm, width {of.width_mm:.0f} mm, area {of.area_mm2 / 100:.1f} cm²"
        else:
            sizes = (
                f"{at_least}{of.longest_px:.0f} pixels, width {of.width_px:.0f} pixels, area {of.outline_pixels} pixels"
            )
        typer.echo(f"{name}: {where}length {sizes}")
    if findings.ellipsoid:
        typer.echo(f"Volume from two views: {findings.ellipsoid.volume_ml:.0f} ml")
    if not findings.kidneys and not findings.views:
        typer.echo("No kidney was found.")
    for lesion in findings.lesions:
        where = side_word(lesion) + (f", {POLES[lesion.pole]}" if lesion.pole else "")
        typer.echo(
            f"{BY_KEY[lesion.structure].name} {lesion.id} ({where}): {lesion.measures.volume_ml:.1f} ml, "
            f"axial {lesion.measures.axial_diameter_mm:.0f} mm{_read(lesion)}"
        )
    for stone in findings.stones:
        at_least = "at least " if stone.cut_at else ""
        size = "too small to be measured" if stone.longest_mm is None else f"length {at_least}{stone.longest_mm:.1f} mm"
        typer.echo(f"Stone {stone.id}, {side_word(stone)} {stone.location}: {size}{_read(stone)}")
    for flag in findings.flags:
        typer.echo(f"[{flag.severity.value}] {flag.message}")


def _read(finding: LesionFinding | StoneFinding) -> str:
    """Returns what a reader made of it; nothing where nobody spoke of it."""
    return "" if finding.reading.state == "found" else f" ({finding.reading.state} by the reader)"
