"""Regions of an ultrasound image, each with its own pixel size (PS3.3 C.8.5.5, US Region Calibration).

Viewers go wrong where an image has several regions, where a region's numbers are seconds or per cent, or where frames
have other regions. So a pixel size is believed only if both directions are lengths that an ultrasound image can have.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from KidneySegLib.readers.dicom.images.frames import integer, number

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

# Defined terms of RegionSpatialFormat, RegionDataType and PhysicalUnitsX/YDirection.
_TWO_DIMENSIONS, _MOTION, _SPECTRUM = 1, 2, 3
_TISSUE, _COLOUR_FLOW = 1, 2
_CENTIMETRES = 3
# A pixel of a B-mode image is 0.03 mm (a small part, zoomed) to 1 mm wide (25 cm deep on 256 lines); these bounds leave
# room on both sides, and show where somebody wrote millimetres for centimetres.
PIXEL_RANGE_MM = (0.005, 2.5)
# An image shows 1 to 40 cm of the patient.
EXTENT_RANGE_MM = (5.0, 500.0)
# Scan conversion makes square pixels; screens stretch them somewhat.
MOST_STRETCHED = 4.0
# Sizes that differ by less are one size, written with other rounding: over 20 cm they differ by 0.2 mm.
SAME_SIZE = 1e-3

PixelSize = tuple[float, float]
Rectangle = tuple[int, int, int, int]


class Kind(StrEnum):
    """What a region shows."""

    TISSUE = "tissue"
    COLOUR_FLOW = "colour flow"
    MOTION = "M-mode"
    SPECTRUM = "Doppler spectrum"
    OTHER = "other"


class Unusable(StrEnum):
    """Why a region's pixels have no length."""

    UNITS = "units"
    MISSING = "missing"
    ZERO = "zero"
    IMPLAUSIBLE = "implausible"
    CONTRADICTION = "contradiction"


@dataclass(frozen=True)
class Region:
    """One region.

    Attributes:
        number: its place in the header, from 1; 0 for a whole image without regions.
        kind: what it shows.
        rectangle: left, top, right, bottom in pixels, from 0; right and bottom are the first ones outside.
        pixel_mm: distance of columns and of rows; None where the header gives no length.
        unusable: why there is none.
        reversed: whether an axis counts against the pixels, which changes no length.
    """

    number: int
    kind: Kind
    rectangle: Rectangle
    pixel_mm: PixelSize | None
    unusable: Unusable | None = None
    reversed: bool = False

    @property
    def pixels(self) -> int:
        """How many it has."""
        left, top, right, bottom = self.rectangle
        return (right - left) * (bottom - top)


def regions_of(items: Sequence[Dataset], columns: int, rows: int) -> list[Region]:
    """Returns the regions of an image, cut to its pixels.

    A region that lies outside the image, or whose corners are missing or in the wrong order, is left out. One that the
    header names twice is returned once.

    Args:
        items: of the Sequence of Ultrasound Regions.
        columns: of the image.
        rows: of the image.
    """
    found: list[Region] = []
    for place, item in enumerate(items, start=1):
        rectangle = _rectangle(item, columns, rows)
        if rectangle is None:
            continue
        pixel_mm, unusable, is_reversed = _pixel_mm(item, rectangle)
        region = Region(place, _kind(item), rectangle, pixel_mm, unusable, is_reversed)
        if not any(_is_copy(region, other) for other in found):
            found.append(region)
    return found


def overlap(one: Rectangle, other: Rectangle) -> Rectangle | None:
    """Returns what two rectangles have in common."""
    left, top = max(one[0], other[0]), max(one[1], other[1])
    right, bottom = min(one[2], other[2]), min(one[3], other[3])
    return (left, top, right, bottom) if left < right and top < bottom else None


def same_size(one: PixelSize | None, other: PixelSize | None) -> bool:
    """Whether two pixel sizes are one, but for rounding."""
    if one is None or other is None:
        return one is other
    return all(math.isclose(a, b, rel_tol=SAME_SIZE) for a, b in zip(one, other, strict=True))


def unusable_size(pixel_mm: PixelSize, rectangle: Rectangle) -> Unusable | None:
    """Returns why a pixel size cannot be that of an ultrasound image, or None.

    Args:
        pixel_mm: distance of columns and of rows, not negative.
        rectangle: what has these pixels.
    """
    if min(pixel_mm) == 0:
        return Unusable.ZERO
    left, top, right, bottom = rectangle
    extents = (right - left) * pixel_mm[0], (bottom - top) * pixel_mm[1]
    fits = all(PIXEL_RANGE_MM[0] <= size <= PIXEL_RANGE_MM[1] for size in pixel_mm)
    fits &= all(EXTENT_RANGE_MM[0] <= extent <= EXTENT_RANGE_MM[1] for extent in extents)
    return None if fits and max(pixel_mm) <= MOST_STRETCHED * min(pixel_mm) else Unusable.IMPLAUSIBLE


def _kind(item: Dataset) -> Kind:
    form, data = integer(item, "RegionSpatialFormat"), integer(item, "RegionDataType")
    if form == _TWO_DIMENSIONS:
        return {_TISSUE: Kind.TISSUE, _COLOUR_FLOW: Kind.COLOUR_FLOW}.get(data or 0, Kind.OTHER)
    return {_MOTION: Kind.MOTION, _SPECTRUM: Kind.SPECTRUM}.get(form or 0, Kind.OTHER)


def _rectangle(item: Dataset, columns: int, rows: int) -> Rectangle | None:
    """Returns where a region lies; the header's corners are both inside it."""
    keywords = ("RegionLocationMinX0", "RegionLocationMinY0", "RegionLocationMaxX1", "RegionLocationMaxY1")
    corners = [integer(item, keyword) for keyword in keywords]
    if any(corner is None for corner in corners):
        return None
    left, top, right, bottom = (int(corner or 0) for corner in corners)
    return overlap((left, top, right + 1, bottom + 1), (0, 0, columns, rows))


def _pixel_mm(item: Dataset, rectangle: Rectangle) -> tuple[PixelSize | None, Unusable | None, bool]:
    units = [integer(item, f"PhysicalUnits{axis}Direction") for axis in "XY"]
    if units != [_CENTIMETRES, _CENTIMETRES]:
        return None, Unusable.UNITS, False
    x, y = (number(item, f"PhysicalDelta{axis}") for axis in "XY")
    if x is None or y is None:
        return None, Unusable.MISSING, False
    pixel_mm = abs(x) * 10, abs(y) * 10
    unusable = unusable_size(pixel_mm, rectangle)
    return (None if unusable else pixel_mm), unusable, min(x, y) < 0


def _is_copy(one: Region, other: Region) -> bool:
    return (one.kind, one.rectangle, one.unusable) == (other.kind, other.rectangle, other.unusable) and same_size(
        one.pixel_mm, other.pixel_mm
    )
