"""One view drawn as a picture: grey values through a window, contours, diameters, letters, scale bar."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

import numpy as np

from KidneySegLib.pictures.views import View
from KidneySegLib.structures import BY_LABEL

if TYPE_CHECKING:
    from PIL import Image, ImageDraw, ImageFont

LINE_WIDTH = 2.0  # pixels
HALO_WIDTH = 4.0
HALO_OPACITY = 0.55
FILL_OPACITY = 0.4
LETTER_SIZE, CAPTION_SIZE = 22, 17
END_BAR = 4  # pixels to either side
SCALE_BARS_MM = (100, 50, 20, 10, 5)
TEXT = (235, 235, 235)
DIM_TEXT = (165, 170, 175)

Window = tuple[float, float]


class Style(Enum):
    """How segments are shown."""

    PLAIN = "not at all"
    CONTOURS = "their contours"
    OVERLAY = "filled with their colours, the image shining through"
    CUT_OUT = "filled, with all else removed from the image"


def draw_panel(view: View, size: tuple[int, int], window: Window, style: Style = Style.CONTOURS) -> Image.Image:
    """Draws a view into a black panel.

    Args:
        view: the slice.
        size: width and height of the panel in pixels.
        window: lowest and highest HU that are told apart.
        style: how segments are shown.
    """
    from PIL import Image, ImageDraw

    (top, bottom, left, right), scale = _region(view, size)
    rows = slice(int(np.floor(top)), int(np.ceil(bottom)))
    columns = slice(int(np.floor(left)), int(np.ceil(right)))
    box = (left - columns.start, top - rows.start, right - columns.start, bottom - rows.start)
    width = min(size[0], max(1, round((right - left) * view.spacing[1] * scale)))
    height = min(size[1], max(1, round((bottom - top) * view.spacing[0] * scale)))

    image = _resize(view.image[rows, columns], (width, height), box)
    low, high = window
    grey = np.clip((image - low) / (high - low), 0, 1) * 255
    rgb = np.repeat(grey[:, :, None], 3, axis=2)
    if style is not Style.PLAIN:
        labels = view.labels[rows, columns]
        distances = {
            int(label): _resize(signed_distance(labels == label, view.spacing), (width, height), box) * scale
            for label in np.unique(labels[labels > 0])
        }
        _draw_segments(rgb, distances, style)

    panel = Image.new("RGB", size)
    offset = ((size[0] - width) // 2, (size[1] - height) // 2)
    frame = (*offset, offset[0] + width, offset[1] + height)
    panel.paste(Image.fromarray(rgb.round().astype(np.uint8)), offset)
    draw = ImageDraw.Draw(panel)
    for line in view.lines:
        _draw_line(draw, _in_panel(line, (top, left), view.spacing, scale, offset))
    _write_letters(draw, view, frame, size)
    if view.scale_bar:
        _draw_scale_bar(draw, size, scale)
    return panel


def line_colour(label: int) -> tuple[int, int, int]:
    """Returns the structure's colour at full brightness, which stands out on grey."""
    colour = BY_LABEL[label].colour
    red, green, blue = (round(255 * value / max(colour)) for value in colour)
    return red, green, blue


def signed_distance(mask: np.ndarray, spacing: tuple[float, float]) -> np.ndarray:
    """Returns the distance in mm to the border of ``mask`` (2D bool), positive inside, float32.

    Between the slices of a thick-slice scan this interpolates the shape, where the mask itself would give steps.
    """
    from scipy.ndimage import distance_transform_edt, gaussian_filter

    if mask.all():
        return np.full(mask.shape, max(mask.shape) * max(spacing), np.float32)
    inside = distance_transform_edt(mask, sampling=spacing)
    outside = distance_transform_edt(~mask, sampling=spacing)
    return gaussian_filter((inside - outside).astype(np.float32), 0.5)


def font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Returns Pillow's own font, so that the picture is the same on every machine."""
    from PIL import ImageFont

    return ImageFont.load_default(size)


def _region(view: View, size: tuple[int, int]) -> tuple[tuple[float, float, float, float], float]:
    """Returns what is shown (top, bottom, left, right in pixels of the view) and the scale in panel pixels per mm.

    The focus is fitted into the panel; the shorter direction is then widened as far as panel and image go.
    """
    row_mm, column_mm = view.spacing
    top, bottom, left, right = view.focus[0], view.focus[1] + 1, view.focus[2], view.focus[3] + 1
    scale = min(size[0] / ((right - left) * column_mm), size[1] / ((bottom - top) * row_mm))
    first_row, last_row = _widened(top, bottom, size[1] / scale / row_mm, view.image.shape[0])
    first_column, last_column = _widened(left, right, size[0] / scale / column_mm, view.image.shape[1])
    return (first_row, last_row, first_column, last_column), scale


def _widened(start: float, stop: float, length: float, limit: int) -> tuple[float, float]:
    """Returns the interval at the given length, shifted and then cut so that it stays within 0 and ``limit``."""
    length = min(max(length, stop - start), limit)
    start = min(max((start + stop - length) / 2, 0), limit - length)
    return start, start + length


def _resize(array: np.ndarray, size: tuple[int, int], box: tuple[float, float, float, float]) -> np.ndarray:
    """Returns ``box`` (left, top, right, bottom) of a 2D float32 array at ``size`` (width, height), bicubic."""
    from PIL import Image

    return np.asarray(Image.fromarray(np.ascontiguousarray(array)).resize(size, Image.Resampling.BICUBIC, box))


def _draw_segments(rgb: np.ndarray, distances: dict[int, np.ndarray], style: Style) -> None:
    """Shows the segments in ``rgb``, float ``(rows, columns, 3)``, changed in place.

    Args:
        rgb: the picture.
        distances: signed distance to each label's contour in pixels, positive inside.
        style: how.
    """
    if style is Style.CUT_OUT:
        inside = [np.clip(distance + 0.5, 0, 1) for distance in distances.values()]
        rgb *= np.max([np.zeros(rgb.shape[:2]), *inside], axis=0)[:, :, None]
    for label, distance in distances.items():
        if style is not Style.CONTOURS:
            cover = FILL_OPACITY * np.clip(distance + 0.5, 0, 1)[:, :, None]
            rgb += cover * (np.array(line_colour(label), np.float32) - rgb)
        if style is not Style.CUT_OUT:
            _draw_contour(rgb, distance, line_colour(label))


def _draw_contour(rgb: np.ndarray, distance: np.ndarray, colour: tuple[int, int, int]) -> None:
    """Blends an anti-aliased line with a dark halo into ``rgb``, float ``(rows, columns, 3)``.

    Args:
        rgb: the picture, changed in place.
        distance: signed distance to the contour in pixels.
        colour: of the line.
    """
    across = np.abs(distance)
    for width, opacity, shade in ((HALO_WIDTH, HALO_OPACITY, (0, 0, 0)), (LINE_WIDTH, 1.0, colour)):
        cover = opacity * np.clip(width / 2 + 0.5 - across, 0, 1)[:, :, None]
        rgb += cover * (np.array(shade, np.float32) - rgb)


def _in_panel(
    line: tuple[float, float, float, float],
    corner: tuple[float, float],
    spacing: tuple[float, float],
    scale: float,
    offset: tuple[int, int],
) -> tuple[float, float, float, float]:
    """Takes a line (row, column, row, column; centres of pixels) to the panel's x, y, x, y."""
    y0, x0, y1, x1 = ((p + 0.5 - corner[n % 2]) * spacing[n % 2] * scale for n, p in enumerate(line))
    return x0 + offset[0], y0 + offset[1], x1 + offset[0], y1 + offset[1]


def _draw_line(draw: ImageDraw.ImageDraw, line: tuple[float, float, float, float]) -> None:
    """Draws a diameter: a thin line with a dark halo and a short bar across either end."""
    x0, y0, x1, y1 = line
    length = max(float(np.hypot(x1 - x0, y1 - y0)), 1e-6)
    across = (-(y1 - y0) / length * END_BAR, (x1 - x0) / length * END_BAR)
    bars = [(x - across[0], y - across[1], x + across[0], y + across[1]) for x, y in ((x0, y0), (x1, y1))]
    for shade, width in (((0, 0, 0), 3), (TEXT, 1)):
        for part in (line, *bars):
            draw.line(part, fill=shade, width=width)


def _write_letters(
    draw: ImageDraw.ImageDraw, view: View, frame: tuple[int, int, int, int], size: tuple[int, int]
) -> None:
    """Writes the directions at the borders of the image: outside of it where the panel has room, else just inside."""
    left, top, right, bottom = frame
    letters = view.letters
    middle, centre = (top + bottom) // 2, (left + right) // 2
    _outlined(draw, (max(left - 26, 10), middle), letters[0], LETTER_SIZE, TEXT, "lm")
    _outlined(draw, (min(right + 26, size[0] - 10), middle), letters[1], LETTER_SIZE, TEXT, "rm")
    _outlined(draw, (centre, max(top - 30, 8)), letters[2], LETTER_SIZE, TEXT, "ma")
    _outlined(draw, (centre, min(bottom + 30, size[1] - 8)), letters[3], LETTER_SIZE, TEXT, "md")
    _outlined(draw, (12, 10), view.name, CAPTION_SIZE, TEXT, "la")


def _draw_scale_bar(draw: ImageDraw.ImageDraw, size: tuple[int, int], scale: float) -> None:
    """Draws the longest of the usual bars that takes at most a third of the panel."""
    width, height = size
    length = next((mm for mm in SCALE_BARS_MM if mm * scale <= width / 3), SCALE_BARS_MM[-1])
    right, bottom = width - 14, height - 14
    left = right - length * scale
    for shade, thickness in (((0, 0, 0), 5), (TEXT, 2)):
        for line in ((left, bottom, right, bottom), (left, bottom - 5, left, bottom + 5)):
            draw.line(line, fill=shade, width=thickness)
        draw.line((right, bottom - 5, right, bottom + 5), fill=shade, width=thickness)
    _outlined(draw, ((left + right) / 2, bottom - 8), f"{length} mm", 15, TEXT, "md")


def _outlined(
    draw: ImageDraw.ImageDraw,
    place: tuple[float, float],
    text: str,
    size: int,
    colour: tuple[int, int, int],
    anchor: str,
) -> None:
    draw.text(place, text, fill=colour, font=font(size), anchor=anchor, stroke_width=2, stroke_fill=(0, 0, 0))
