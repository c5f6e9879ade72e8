"""Length, width and area of one outline in one plane."""

import math

import numpy as np

from KidneySegLib.findings import Pixel, ViewMeasures
from KidneySegLib.geometry.diameters import maximum_axial_diameter
from KidneySegLib.readers.ultrasound.regions import PixelSize, Rectangle

# An outline is cut where it comes this near to the end of what is shown, along at least so many pixels: one or two may
# touch the border of a sector that is drawn with steps.
NEAR, LEAST_CONTACT = 2, 8


def measure_outline(
    grey: np.ndarray, outline: np.ndarray, pixel: PixelSize, *, in_mm: bool, voxels: int, cut: bool
) -> ViewMeasures:
    """Measures an outline.

    Args:
        grey: the frame, uint8 ``(j, i)``.
        outline: bool of the same shape, with at least one pixel set.
        pixel: distance of columns and of rows.
        in_mm: whether that is in mm, else in widths of a pixel.
        voxels: number of the kidney's pixels in all frames.
        cut: whether the image ends within the kidney.
    """
    x, y = pixel
    diameters = maximum_axial_diameter(outline[None], np.diag([x, y, 1.0, 1.0]), slice_axis=0)
    length, width = diameters.longest, diameters.perpendicular
    pixels = int(np.count_nonzero(outline))
    mm, widths = (1.0, math.nan) if in_mm else (math.nan, 1.0)
    whole, part = (math.nan, 1.0) if cut else (1.0, math.nan)

    def place(point: np.ndarray) -> Pixel:
        return float(point[0] / x), float(point[1] / y)

    return ViewMeasures(
        voxels=voxels,
        outline_pixels=pixels,
        length_mm=length.length * mm * whole,
        width_mm=width.length * mm,
        area_mm2=pixels * x * y * mm,
        length_px=length.length * widths * whole,
        width_px=width.length * widths,
        length_at_least_mm=length.length * mm * part,
        length_at_least_px=length.length * widths * part,
        length_start_px=place(length.start),
        length_end_px=place(length.end),
        width_start_px=place(width.start),
        width_end_px=place(width.end),
        grey_mean=float(grey[outline].mean()),
        grey_sd=float(grey[outline].std()),
    )


def picture_ends(outline: np.ndarray, shown: np.ndarray, rectangle: Rectangle) -> tuple[str, ...]:
    """Returns where the image ends within a kidney.

    Args:
        outline: bool ``(j, i)``.
        shown: where the image shows anything, bool of the same shape.
        rectangle: left, top, right, bottom of the field of view.
    """
    from scipy.ndimage import binary_dilation

    left, top, right, bottom = rectangle
    rows, columns = np.nonzero(outline)
    reached = {
        "picture-left": columns <= left,
        "picture-right": columns >= right - 1,
        "top": rows <= top,
        "bottom": rows >= bottom - 1,
    }
    ends = [end for end, pixels in reached.items() if np.count_nonzero(pixels) >= LEAST_CONTACT]
    beside = binary_dilation(outline, iterations=NEAR) & ~shown
    outside = np.ones(outline.shape, bool)
    outside[top:bottom, left:right] = False
    if np.count_nonzero(beside & ~outside) >= NEAR * LEAST_CONTACT:
        ends.append("sector")
    return tuple(ends)
