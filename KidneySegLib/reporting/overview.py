"""The overview picture: the kidneys in three planes with contours, sizes and remarks, as a radiologist's key image."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from KidneySegLib import __version__
from KidneySegLib.findings import Findings
from KidneySegLib.flags import Severity
from KidneySegLib.reporting.panels import DIM_TEXT, TEXT, Window, draw_panel, font, line_colour
from KidneySegLib.reporting.views import View, ViewFinder
from KidneySegLib.structures import BY_LABEL, KIDNEYS
from KidneySegLib.volume import Volume

if TYPE_CHECKING:
    from PIL import Image, ImageDraw

WIDTH, HEIGHT, GAP = 1600, 1060, 8
TOP_HEIGHT = 580
LEGEND_WIDTH = 500
LINE_HEIGHT = 20
FOOTER_HEIGHT = 64
SEVERITY_COLOURS = {Severity.INFO: DIM_TEXT, Severity.WARNING: (255, 190, 70), Severity.ERROR: (255, 90, 80)}

# Abdominal soft tissue; where contrast has made the kidneys brighter, the window moves half of the way with them.
WINDOW_WIDTH, WINDOW_LEVEL = 400.0, 40.0
UNENHANCED_KIDNEY_HU = 60.0  # at most
HIGHEST_LEVEL = 110.0


def draw_overview(volume: Volume, labels: np.ndarray, findings: Findings) -> Image.Image:
    """Draws axial, coronal and sagittal views with the segments' contours and a legend.

    Args:
        volume: the image in HU.
        labels: its label map, uint8 ``(k, j, i)``.
        findings: measures and flags for the legend.
    """
    from PIL import Image, ImageDraw

    finder = ViewFinder(volume, labels)
    window = _window(findings, finder.value_range())
    page = Image.new("RGB", (WIDTH, HEIGHT))
    legend_left, legend_top = WIDTH - LEGEND_WIDTH, 0
    if finder.voxels.shape[0] == 1:  # a single slice has no other planes
        _place(page, finder.axial(), (0, 0, legend_left - GAP, HEIGHT), window)
    else:
        half, legend_top = (WIDTH - GAP) // 2, TOP_HEIGHT + GAP
        _place(page, finder.axial(), (0, 0, half, TOP_HEIGHT), window)
        _place(page, [finder.coronal()], (half + GAP, 0, WIDTH, TOP_HEIGHT), window)
        _place(page, finder.sagittal(), (0, legend_top, legend_left - GAP, HEIGHT), window)
    present = [label for label in BY_LABEL if label in finder.present]
    _write_legend(ImageDraw.Draw(page), findings, present, (legend_left, legend_top))
    return page


def _window(findings: Findings, value_range: tuple[float, float]) -> Window:
    """Returns the lowest and highest HU to tell apart, within what the image holds."""
    level = WINDOW_LEVEL
    if findings.kidneys:
        enhanced = max(kidney.measures.hu_p50 for kidney in findings.kidneys) - UNENHANCED_KIDNEY_HU
        level = float(np.clip(WINDOW_LEVEL + enhanced / 2, WINDOW_LEVEL, HIGHEST_LEVEL))
    low, high = max(level - WINDOW_WIDTH / 2, value_range[0]), min(level + WINDOW_WIDTH / 2, value_range[1])
    return (low, high) if high > low else (level - WINDOW_WIDTH / 2, level + WINDOW_WIDTH / 2)


def _place(page: Image.Image, views: list[View], cell: tuple[int, int, int, int], window: Window) -> None:
    """Draws the views side by side into a cell (left, top, right, bottom)."""
    left, top, right, bottom = cell
    width = (right - left - GAP * (len(views) - 1)) // len(views)
    for number, view in enumerate(views):
        page.paste(draw_panel(view, (width, bottom - top), window), (left + number * (width + GAP), top))


def _write_legend(draw: ImageDraw.ImageDraw, findings: Findings, present: list[int], corner: tuple[int, int]) -> None:
    left, top = corner[0] + 14, corner[1] + 14
    y = _write_sizes(draw, findings, present, (left, top))
    _write_remarks(draw, findings, (left, y + 16))
    models = ", ".join(f"{bundle.name} {bundle.version}" for bundle in findings.provenance.bundles)
    made_by = f"KidneySeg {__version__}" + (f" ({models})" if models else "")
    draw.text((left, HEIGHT - 52), made_by, fill=DIM_TEXT, font=font(15))
    draw.text((left, HEIGHT - 32), "Research use only, not a medical device", fill=DIM_TEXT, font=font(15))


def _write_sizes(draw: ImageDraw.ImageDraw, findings: Findings, present: list[int], corner: tuple[int, int]) -> int:
    """Writes one line per segment and returns where the next line begins."""
    left, y = corner
    columns = (left + 250, left + 355, left + 470)
    if not present:
        draw.text((left, y), "No kidney found", fill=TEXT, font=font(20))
        return y + 30
    for x, heading in zip(columns, ("Volume", "Length", "Mean"), strict=True):
        draw.text((x, y), heading, fill=DIM_TEXT, font=font(15), anchor="ra")
    y += 24
    kidneys = {KIDNEYS[kidney.side].label: kidney for kidney in findings.kidneys}
    for label in present:
        draw.rectangle((left, y + 3, left + 15, y + 18), fill=line_colour(label))
        draw.text((left + 26, y), BY_LABEL[label].name, fill=TEXT, font=font(19))
        if label in kidneys:
            of = kidneys[label].measures
            at_least = "> " if kidneys[label].cut_at else ""
            volume = "" if math.isnan(of.volume_ml) else f"{at_least}{of.volume_ml:.0f} ml"
            values = (volume, f"{at_least}{of.length_mm:.0f} mm", f"{of.hu_mean:.0f} HU")
            for x, value in zip(columns, values, strict=True):
                draw.text((x, y), value, fill=TEXT, font=font(19), anchor="ra")
        y += 28
    return y


def _write_remarks(draw: ImageDraw.ImageDraw, findings: Findings, corner: tuple[int, int]) -> None:
    """Writes the flags, most severe first, as far as there is room."""
    left, y = corner
    order = (Severity.ERROR, Severity.WARNING, Severity.INFO)
    lines = []
    for flag in sorted(findings.flags, key=lambda flag: order.index(flag.severity)):
        words = _wrapped(draw, flag.message, LEGEND_WIDTH - 50)
        lines += [(SEVERITY_COLOURS[flag.severity] if n == 0 else None, line) for n, line in enumerate(words)]
    room = (HEIGHT - FOOTER_HEIGHT - y) // LINE_HEIGHT
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
