"""What the header of an ultrasound image says of its frames: regions, pixel sizes, the patient's side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from KidneySegLib.errors import InputError
from KidneySegLib.flags import Flag
from KidneySegLib.readers.dicom.finding.scan import quiet_pydicom
from KidneySegLib.readers.dicom.images.frames import FrameHeader, numbers, text
from KidneySegLib.readers.dicom.images.opening import open_dicom
from KidneySegLib.readers.ultrasound.field_of_view import FieldOfView, RegionError, choose_region
from KidneySegLib.readers.ultrasound.regions import (
    MOST_STRETCHED,
    PixelSize,
    Rectangle,
    Unusable,
    regions_of,
    unusable_size,
)
from KidneySegLib.structures import Side

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

REGIONS = "SequenceOfUltrasoundRegions"
ENHANCED = "1.2.840.10008.5.1.4.1.1.6.2"  # Enhanced US Volume
# Of these types of calibration the standard says that the pixel spacing is a length in the patient (PS3.3 10.7.1.1).
_CALIBRATED = ("GEOMETRY", "FIDUCIAL")
_SIDES = {"R": Side.RIGHT, "L": Side.LEFT}
# fmt: off
_KEYWORDS = [
    REGIONS, "SOPClassUID", "PixelSpacing", "PixelSpacingCalibrationType", "ImagerPixelSpacing", "Laterality",
    "ImageLaterality", "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence", "PixelAspectRatio",
]
# fmt: on


@dataclass(frozen=True)
class UltrasoundHeader:
    """What concerns all frames, and the regions of each.

    Attributes:
        regions: items of the Sequence of Ultrasound Regions for each frame; empty where it has none.
        spacings: distance of columns and of rows in mm for each frame, where the standard gives it a meaning; else
            None.
        meaningless: a spacing that is there without being a length in the patient.
        aspect: height of a pixel in its widths, which counts where no pixel size is known.
        side: of the patient, as the header says; None where it does not, or contradicts itself.
    """

    regions: tuple[Sequence[Dataset], ...]
    spacings: tuple[PixelSize | None, ...]
    meaningless: bool
    aspect: float
    side: Side | None


def read_ultrasound_header(path: Path, frames: int) -> UltrasoundHeader:
    """Reads the header of one file.

    Args:
        path: a DICOM file whose frames have been counted.
        frames: their number.

    Raises:
        InputError: the file is damaged.
    """
    try:
        with quiet_pydicom():
            dataset = open_dicom(path, stop_before_pixels=True, force=True, specific_tags=list(_KEYWORDS))
            return _header(dataset, frames)
    except InputError:
        raise
    except Exception as error:  # a damaged file makes pydicom raise nearly anything
        raise InputError("The header of the ultrasound image is damaged. Copy or export it again.") from error


def field_of_view(
    header: UltrasoundHeader, frame: FrameHeader, wanted: int | None, pixel_mm: float | None
) -> tuple[FieldOfView, list[Flag]]:
    """Returns what is measured of one frame.

    Args:
        header: of its file.
        frame: which one.
        wanted: number of the region that a user names.
        pixel_mm: pixel size that a user gives.

    Raises:
        RegionError: as ``choose_region``; a region is named, and the frame has none.
        InputError: a pixel size is given to an image that has its own.
    """
    whole: Rectangle = (0, 0, frame.columns, frame.rows)
    items = header.regions[frame.frame]
    regions = regions_of(items, frame.columns, frame.rows)
    if regions:
        view, flags = choose_region(regions, wanted)
        if len(regions) < len(items):
            flags.append(Flag.of("regions_ignored", count=len(items) - len(regions)))
    elif wanted is not None:
        raise RegionError("The image has no regions that could be chosen. Leave out --region.")
    else:
        flags = [Flag.of("regions_ignored", count=len(items))] if items else []
        view, more = _without_regions(header, frame, whole)
        flags += more
    if view.pixel_mm is None and header.aspect != 1:
        view = replace(view, aspect=header.aspect)
        flags.append(Flag.of("pixels_not_square", ratio=header.aspect))
    if pixel_mm is None:
        return view, flags
    if view.pixel_mm is not None:
        raise InputError("The image states its own pixel size. Leave out --pixel-mm.")
    size = given_size(pixel_mm, view.rectangle, header.aspect)
    given = FieldOfView(view.rectangle, view.excluded, size, view.region)
    kept = [flag for flag in flags if flag.code not in ("region_not_calibrated", "not_calibrated")]
    return given, [*kept, Flag.of("pixel_size_given", pixel_mm=pixel_mm)]


def given_size(pixel_mm: float, rectangle: Rectangle, aspect: float = 1.0) -> PixelSize:
    """Returns a pixel size that a user gives.

    Args:
        pixel_mm: width of a pixel.
        rectangle: what has these pixels.
        aspect: height of a pixel in its widths.

    Raises:
        InputError: no ultrasound image has such pixels.
    """
    size = pixel_mm, pixel_mm * aspect
    if not pixel_mm > 0 or unusable_size(size, rectangle):
        raise InputError(
            "No ultrasound image has such pixels: their size must lie between 0.005 and 2.5 mm, and the image would "
            "show 0.5 to 50 cm of the patient. Give the size of one pixel in mm."
        )
    return size


def _without_regions(header: UltrasoundHeader, frame: FrameHeader, whole: Rectangle) -> tuple[FieldOfView, list[Flag]]:
    spacing = header.spacings[frame.frame]
    if spacing is not None and unusable_size(spacing, whole) is None:
        return FieldOfView(whole, (), spacing), []
    if spacing is not None:
        return FieldOfView(whole, (), None), [Flag.of("region_not_calibrated", reason=Unusable.IMPLAUSIBLE.value)]
    return FieldOfView(whole, (), None), [Flag.of("not_calibrated", spacing=header.meaningless)]


def _header(dataset: Dataset, frames: int) -> UltrasoundHeader:
    shared = _items(dataset, "SharedFunctionalGroupsSequence")[:1]
    own = _items(dataset, "PerFrameFunctionalGroupsSequence")
    groups = [[item, *shared] for item in own] if len(own) == frames else [shared] * frames
    for _ in dataset.iterall():  # read now, not when a region is asked: whatever is damaged is found here
        pass
    common = _items(dataset, REGIONS)
    is_length = text(dataset, "PixelSpacingCalibrationType").upper() in _CALIBRATED
    stated = _columns_and_rows(dataset)
    if text(dataset, "SOPClassUID") == ENHANCED:
        spacings = [next((size for item in group if (size := _measures(item))), None) for group in groups]
    else:
        spacings = [stated if is_length else None] * frames
    return UltrasoundHeader(
        regions=tuple(next((found for item in group if (found := _items(item, REGIONS))), common) for group in groups),
        spacings=tuple(spacings),
        meaningless=stated is not None or numbers(dataset, "ImagerPixelSpacing", 2) is not None,
        aspect=_aspect(dataset),
        side=_side(dataset),
    )


def _items(dataset: Dataset, keyword: str) -> list[Dataset]:
    return list(dataset.get(keyword) or [])


def _measures(item: Dataset) -> PixelSize | None:
    """Returns the pixel size of a Pixel Measures functional group (PS3.3 C.7.6.16.2.1)."""
    measures = _items(item, "PixelMeasuresSequence")
    return _columns_and_rows(measures[0]) if measures else None


def _columns_and_rows(dataset: Dataset) -> PixelSize | None:
    """Returns a pixel spacing as distance of columns and of rows; the attribute has them the other way round."""
    spacing = numbers(dataset, "PixelSpacing", 2)
    return (abs(spacing[1]), abs(spacing[0])) if spacing else None


def _aspect(dataset: Dataset) -> float:
    """Returns the height of a pixel in its widths (PS3.3 C.7.6.3.1.7); 1 where nothing usable is said."""
    ratio = numbers(dataset, "PixelAspectRatio", 2)
    if not ratio or min(ratio) <= 0:
        return 1.0
    aspect = ratio[0] / ratio[1]
    return aspect if 1 / MOST_STRETCHED <= aspect <= MOST_STRETCHED else 1.0


def _side(dataset: Dataset) -> Side | None:
    told = {text(dataset, keyword).upper() for keyword in ("Laterality", "ImageLaterality")} & set(_SIDES)
    return _SIDES[told.pop()] if len(told) == 1 else None
