"""Which region of an image is measured, where in it, and with which pixel size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from KidneySegLib.errors import InputError
from KidneySegLib.flags import Flag
from KidneySegLib.readers.ultrasound.regions import (
    Kind,
    PixelSize,
    Rectangle,
    Region,
    Unusable,
    overlap,
    same_size,
)

# Where more of a region than this has a second pixel size, the header does not say which is right.
CONTRADICTED_SHARE = 0.5
# Smaller than this in pixels, nothing in a region can be outlined.
FEWEST_PIXELS = 32
_FLAT = (Kind.TISSUE, Kind.COLOUR_FLOW)


class RegionError(InputError):
    """A frame has no region that can be measured, or not the one that is named."""


@dataclass(frozen=True)
class FieldOfView:
    """The part of an image that is measured.

    Attributes:
        rectangle: left, top, right, bottom in pixels; right and bottom are the first ones outside.
        excluded: parts of it that other regions cover, whose pixels are not tissue or have another size.
        pixel_mm: distance of columns and of rows; None where it is not known.
        region: number of the region in the header, from 1; 0 where the image has none.
        aspect: height of a pixel in its widths, where its size is not known.
    """

    rectangle: Rectangle
    excluded: tuple[Rectangle, ...]
    pixel_mm: PixelSize | None
    region: int = 0
    aspect: float = 1.0

    @property
    def pixel(self) -> PixelSize:
        """Distance of columns and of rows in mm, or where that is not known in widths of a pixel."""
        return self.pixel_mm or (1.0, self.aspect)

    def mask(self, shape: tuple[int, int]) -> np.ndarray:
        """Returns where it is, bool ``(j, i)`` of the image's shape."""
        inside = np.zeros(shape, bool)
        left, top, right, bottom = self.rectangle
        inside[top:bottom, left:right] = True
        for left, top, right, bottom in self.excluded:
            inside[top:bottom, left:right] = False
        return inside

    def is_like(self, other: FieldOfView) -> bool:
        """Whether another frame's field of view is the same."""
        return (self.rectangle, self.excluded) == (other.rectangle, other.excluded) and same_size(
            self.pixel_mm, other.pixel_mm
        )


def choose_region(regions: Sequence[Region], wanted: int | None) -> tuple[FieldOfView, list[Flag]]:
    """Returns the 2D tissue region that is measured, the largest with a pixel size unless a user names one.

    Args:
        regions: of one image, at least one.
        wanted: number of the region that a user names.

    Raises:
        RegionError: there is no 2D tissue region, or the one that is named is none.
    """
    tissue = [region for region in regions if region.kind is Kind.TISSUE and _is_large_enough(region)]
    if not tissue:
        shown = sorted({region.kind.value for region in regions})
        if Kind.TISSUE.value in shown:
            raise RegionError(
                "The region with a 2D image of tissue has fewer than {fewest} pixels in a row or column. Choose "
                "another image, or one without regions (a picture).",
                fewest=FEWEST_PIXELS,
            )
        raise RegionError(
            "The image has no region with a 2D image of tissue; its header names {shown}. Choose a B-mode image.",
            shown=" and ".join(shown),
        )
    best = max(tissue, key=lambda region: (region.pixel_mm is not None, region.pixels))
    chosen = best if wanted is None else _named(tissue, wanted)
    chosen, excluded = _without_others(chosen, [region for region in regions if region is not chosen])
    flags = []
    if len(tissue) > 1 and wanted is None and chosen.unusable is not Unusable.CONTRADICTION:
        others = [region.number for region in tissue if region.number != chosen.number]
        flags.append(Flag.of("tissue_regions_left_out", region=chosen.number, others=others))
    if chosen.reversed:
        flags.append(Flag.of("region_axes_reversed"))
    if chosen.unusable is not None:
        flags.append(Flag.of("region_not_calibrated", reason=chosen.unusable.value))
    return FieldOfView(chosen.rectangle, excluded, chosen.pixel_mm, chosen.number), flags


def _is_large_enough(region: Region) -> bool:
    left, top, right, bottom = region.rectangle
    return min(right - left, bottom - top) >= FEWEST_PIXELS


def _named(tissue: Sequence[Region], wanted: int) -> Region:
    for region in tissue:
        if region.number == wanted:
            return region
    numbers = ", ".join(str(region.number) for region in tissue)
    raise RegionError(
        "Region {wanted} is not a 2D image of tissue. Choose one of --region {numbers}, or leave it out.",
        wanted=wanted,
        numbers=numbers,
    )


def _without_others(chosen: Region, others: Sequence[Region]) -> tuple[Region, tuple[Rectangle, ...]]:
    """Returns the region, and those parts of it that belong to others or have two pixel sizes.

    A colour box lies on the tissue and has its pixels; graphics lie on it, too. A spectrum, an M-mode strip or another
    B-mode image covers it.
    """
    excluded = []
    for other in others:
        common = overlap(chosen.rectangle, other.rectangle)
        if common is None or not _covers(other, chosen):
            continue
        share = (common[2] - common[0]) * (common[3] - common[1]) / chosen.pixels
        if other.kind in _FLAT and share > CONTRADICTED_SHARE:
            chosen = replace(chosen, pixel_mm=None, unusable=Unusable.CONTRADICTION)
        else:
            excluded.append(common)
    return chosen, tuple(excluded)


def _covers(other: Region, chosen: Region) -> bool:
    """Whether pixels that both have are not to be measured as those of the chosen region."""
    if other.kind not in _FLAT:
        return other.kind is not Kind.OTHER
    on_tissue = other.kind is Kind.COLOUR_FLOW and other.pixel_mm is None
    return not on_tissue and not same_size(chosen.pixel_mm, other.pixel_mm)
