"""The overview's legend: colours, sizes, remarks."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from KidneySegLib import __version__
from KidneySegLib.findings import Findings, KidneyFinding, KidneyView, LesionFinding, StoneFinding, side_word
from KidneySegLib.flags import Severity
from KidneySegLib.pictures.panels import DIM_TEXT, TEXT, font, line_colour
from KidneySegLib.structures import BY_KEY, KIDNEYS

if TYPE_CHECKING:
    from PIL import ImageDraw

LINE_HEIGHT = 20
ROW_HEIGHT = 28
FOOTER_HEIGHT = 64
MOST_LESIONS, MOST_STONES = 7, 4
SEVERITY_COLOURS = {Severity.INFO: DIM_TEXT, Severity.WARNING: (255, 190, 70), Severity.ERROR: (255, 90, 80)}

Rectangle = tuple[int, int, int, int]


def write_legend(draw: ImageDraw.ImageDraw, findings: Findings, box: Rectangle) -> None:
    """Writes sizes, remarks and what made them.

    Args:
        draw: the page.
        findings: measures and flags.
        box: where: left, top, right, bottom in pixels.
    """
    left, y, bottom = box[0] + 14, box[1] + 14, box[3]
    if not findings.kidneys and not findings.views:
        draw.text((left, y), "No kidney found", fill=TEXT, font=font(20))
        y += 30
    groups = (
        (("Volume", "Length", "Mean"), [_kidney_row(kidney) for kidney in findings.kidneys], len(KIDNEYS)),
        (("Volume", "Axial", "Median"), [_lesion_row(lesion) for lesion in findings.lesions], MOST_LESIONS),
        (("Volume", "Length", "Peak"), [_stone_row(stone) for stone in findings.stones], MOST_STONES),
        (("Length", "Width", "Area"), [_view_row(view) for view in findings.views], len(KIDNEYS) + 1),
    )
    for headings, rows, most in groups:
        if rows:
            y = _write_group(draw, headings, rows, most, (left, y))
    _write_remarks(draw, findings, (left, y + 8, box[2], bottom))
    models = ", ".join(f"{bundle.name} {bundle.version}" for bundle in findings.provenance.bundles)
    made_by = f"KidneySeg {__version__}" + (f" ({models})" if models else "")
    draw.text((left, bottom - 52), made_by, fill=DIM_TEXT, font=font(15))
    draw.text((left, bottom - 32), "Research use only, not a medical device", fill=DIM_TEXT, font=font(15))


Row = tuple[int, str, tuple[str, str, str]]  # label, name, values


def _kidney_row(kidney: KidneyFinding) -> Row:
    of, at_least = kidney.measures, "> " if kidney.cut_at else ""
    volume = "-" if math.isnan(of.volume_ml) else f"{at_least}{of.volume_ml:.0f} ml"
    length = of.length_mm if kidney.length_at_least_mm is None else kidney.length_at_least_mm
    values = (volume, f"{at_least}{length:.0f} mm", f"{of.hu_mean:.0f} HU")
    return KIDNEYS[kidney.side].label, f"{side_word(kidney).capitalize()} kidney", values


def _lesion_row(lesion: LesionFinding) -> Row:
    of, at_least = lesion.measures, "> " if lesion.cut_at else ""
    structure = BY_KEY[lesion.structure]
    values = (
        f"{at_least}{_millilitres(of.volume_ml)}",
        f"{at_least}{of.axial_diameter_mm:.0f} mm",
        f"{of.hu_p50:.0f} HU",
    )
    return structure.label, " ".join(filter(None, (lesion.id, side_word(lesion), lesion.pole))), values


def _stone_row(stone: StoneFinding) -> Row:
    at_least = "> " if stone.cut_at else ""
    length = "< voxel" if stone.longest_mm is None else f"{at_least}{stone.longest_mm:.0f} mm"
    volume = "-" if stone.volume_ml is None else f"{at_least}{_millilitres(stone.volume_ml)}"
    name = " ".join(filter(None, (stone.id, side_word(stone), stone.location)))
    return BY_KEY["stone"].label, name, (volume, length, f"{stone.hu_peak:.0f} HU")


def _view_row(view: KidneyView) -> Row:
    of, structure = view.measures, BY_KEY[view.structure]
    at_least = "> " if view.cut_at else ""
    if math.isnan(of.longest_mm):
        values = (f"{at_least}{of.longest_px:.0f} px", f"{of.width_px:.0f} px", f"{of.outline_pixels} px")
    else:
        values = (f"{at_least}{of.longest_mm:.0f} mm", f"{of.width_mm:.0f} mm", f"{of.area_mm2 / 100:.1f} cm²")
    return structure.label, structure.name, values


def _millilitres(volume: float) -> str:
    """Returns a volume with the digits that matter."""
    return f"{volume:.0f} ml" if volume >= 10 else f"{volume:.1f} ml" if volume >= 0.95 else f"{volume:.2f} ml"


def _write_group(
    draw: ImageDraw.ImageDraw, headings: tuple[str, ...], rows: list[Row], most: int, corner: tuple[int, int]
) -> int:
    """Writes rows of one kind under their headings and returns where the next line begins."""
    left, y = corner
    columns = (left + 260, left + 365, left + 470)
    for x, heading in zip(columns, headings, strict=True):
        draw.text((x, y), heading, fill=DIM_TEXT, font=font(15), anchor="ra")
    y += 22
    for label, name, values in rows[:most]:
        draw.rectangle((left, y + 3, left + 15, y + 18), fill=line_colour(label))
        draw.text((left + 26, y), name, fill=TEXT, font=font(19))
        for x, value in zip(columns, values, strict=True):
            draw.text((x, y), value, fill=TEXT, font=font(19), anchor="ra")
        y += ROW_HEIGHT
    if len(rows) > most:
        draw.text((left + 26, y), f"... and {len(rows) - most} more", fill=DIM_TEXT, font=font(15))
        y += LINE_HEIGHT
    return y + 8


def _write_remarks(draw: ImageDraw.ImageDraw, findings: Findings, box: Rectangle) -> None:
    """Writes the flags, most severe first, as far as there is room."""
    left, y, right, bottom = box
    order = (Severity.ERROR, Severity.WARNING, Severity.INFO)
    lines = []
    for flag in sorted(findings.flags, key=lambda flag: order.index(flag.severity)):
        words = _wrapped(draw, flag.message, right - left - 36)
        lines += [(SEVERITY_COLOURS[flag.severity] if n == 0 else None, line) for n, line in enumerate(words)]
    room = (bottom - FOOTER_HEIGHT - y) // LINE_HEIGHT
    if len(lines) > room:
        lines = [*lines[: room - 1], (None, "... more in findings.json")]
    for colour, line in lines:
        if colour:
            draw.ellipse((left + 2, y + 5, left + 10, y + 13), fill=colour)
        draw.text((left + 20, y), line, fill=TEXT if colour else DIM_TEXT, font=font(15))
        y += LINE_HEIGHT


def _wrapped(draw: ImageDraw.ImageDraw, text: str, width: int) -> list[str]:
    """Breaks a text into lines that fit the width in pixels."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and draw.textlength(longer, font=font(15)) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines
