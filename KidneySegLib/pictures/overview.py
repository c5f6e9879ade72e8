"""The overview picture: kidneys in three planes, lesions close up, sizes and remarks, as a radiologist's key image."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from KidneySegLib.findings import Findings, LesionFinding, StoneFinding
from KidneySegLib.hounsfield import ABDOMEN_LEVEL, ABDOMEN_WIDTH, MOST_UNENHANCED
from KidneySegLib.pictures.frames import GREY_LEVELS, frame_view
from KidneySegLib.pictures.legend import write_legend
from KidneySegLib.pictures.panels import Window, draw_panel
from KidneySegLib.pictures.views import View, ViewFinder
from KidneySegLib.volume import Volume

if TYPE_CHECKING:
    from PIL import Image

WIDTH, HEIGHT, GAP = 1600, 1060, 8
TOP_HEIGHT = 580
LEGEND_WIDTH = 500
# With lesions or stones the page grows by a row of them.
CLOSE_UPS, CLOSE_UP_HEIGHT = 4, 300

# Abdominal soft tissue; where contrast has made the kidneys brighter, the window moves half of the way with them.
HIGHEST_LEVEL = 110.0


def draw_overview(volume: Volume, labels: np.ndarray, findings: Findings) -> Image.Image:
    """Draws axial, coronal and sagittal views with the segments' contours, the largest lesions, and a legend.

    Of an ultrasound exam it shows the frame that was measured.

    Args:
        volume: the image in HU, axes in canonical order.
        labels: its label map, uint8 ``(k, j, i)``.
        findings: measures and flags for the legend.
    """
    from PIL import Image, ImageDraw

    if not findings.in_patient:
        return _draw_frame(frame_view(volume, labels, findings), findings)
    finder = ViewFinder(volume, labels, sides_certain=findings.sides_certain)
    window = display_window(findings, finder.value_range())
    close_ups = _close_ups(finder, findings)
    height = HEIGHT + (GAP + CLOSE_UP_HEIGHT if close_ups else 0)
    page = Image.new("RGB", (WIDTH, height))
    views_width = WIDTH - LEGEND_WIDTH - GAP
    if finder.voxels.shape[0] == 1:  # a single slice has no other planes
        legend_top = 0
        _place(page, finder.axial(), (0, 0, views_width, HEIGHT), window)
    else:
        legend_top = TOP_HEIGHT + GAP
        _place_planes(page, finder, window)
    if close_ups:
        _place(page, close_ups, (0, HEIGHT + GAP, views_width, height), window)
    write_legend(ImageDraw.Draw(page), findings, (WIDTH - LEGEND_WIDTH, legend_top, WIDTH, height))
    return page


def _draw_frame(view: View, findings: Findings) -> Image.Image:
    """Draws an image that has no place in the patient, and so one plane."""
    from PIL import Image, ImageDraw

    page = Image.new("RGB", (WIDTH, HEIGHT))
    _place(page, [view], (0, 0, WIDTH - LEGEND_WIDTH - GAP, HEIGHT), GREY_LEVELS)
    write_legend(ImageDraw.Draw(page), findings, (WIDTH - LEGEND_WIDTH, 0, WIDTH, HEIGHT))
    return page


def _place_planes(page: Image.Image, finder: ViewFinder, window: Window) -> None:
    """Draws axial and coronal views at the top, sagittal ones below."""
    half = (WIDTH - GAP) // 2
    _place(page, finder.axial(), (0, 0, half, TOP_HEIGHT), window)
    _place(page, [finder.coronal()], (half + GAP, 0, WIDTH, TOP_HEIGHT), window)
    _place(page, finder.sagittal(), (0, TOP_HEIGHT + GAP, WIDTH - LEGEND_WIDTH - GAP, HEIGHT), window)


def _close_ups(finder: ViewFinder, findings: Findings) -> list[View]:
    """Returns the largest lesions and stones, each in the slice of its largest diameter; one place is for a stone."""
    lesions = sorted(findings.lesions, key=lambda lesion: -lesion.measures.axial_diameter_mm)
    stones = sorted(findings.stones, key=lambda stone: -stone.measures.length_mm)
    shown: list[LesionFinding | StoneFinding] = [*lesions[: CLOSE_UPS - min(1, len(stones))], *stones]
    return [finder.close_up(_title(finding), finding.measures) for finding in shown[:CLOSE_UPS]]


def _title(finding: LesionFinding | StoneFinding) -> str:
    if isinstance(finding, StoneFinding):
        return f"{finding.id}  " + (
            "too small to measure" if finding.length_mm is None else f"{finding.length_mm:.0f} mm"
        )
    measures = finding.measures
    return f"{finding.id}  {measures.axial_diameter_mm:.0f} x {measures.perpendicular_mm:.0f} mm"


def display_window(findings: Findings, value_range: tuple[float, float]) -> Window:
    """Returns the lowest and highest HU to tell apart, within what the image holds."""
    level = ABDOMEN_LEVEL
    if findings.kidneys:
        enhanced = max(kidney.measures.hu_p50 for kidney in findings.kidneys) - MOST_UNENHANCED
        level = float(np.clip(ABDOMEN_LEVEL + enhanced / 2, ABDOMEN_LEVEL, HIGHEST_LEVEL))
    low, high = max(level - ABDOMEN_WIDTH / 2, value_range[0]), min(level + ABDOMEN_WIDTH / 2, value_range[1])
    return (low, high) if high > low else (level - ABDOMEN_WIDTH / 2, level + ABDOMEN_WIDTH / 2)


def _place(page: Image.Image, views: list[View], cell: tuple[int, int, int, int], window: Window) -> None:
    """Draws the views side by side into a cell (left, top, right, bottom)."""
    left, top, right, bottom = cell
    width = (right - left - GAP * (len(views) - 1)) // len(views)
    for number, view in enumerate(views):
        page.paste(draw_panel(view, (width, bottom - top), window), (left + number * (width + GAP), top))
