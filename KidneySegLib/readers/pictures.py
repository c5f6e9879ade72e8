"""Pictures of one axial slice: grey values, a pixel size and a window become estimated Hounsfield units."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from KidneySegLib.errors import InputError
from KidneySegLib.exam import Exam, Units
from KidneySegLib.flags import Flag
from KidneySegLib.hounsfield import ABDOMEN_WINDOW
from KidneySegLib.readers.dicom.single import PLACEHOLDER_MM
from KidneySegLib.readers.picture_checks import check_picture
from KidneySegLib.volume import Volume

if TYPE_CHECKING:
    from PIL import Image

PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg")
# Pixels of a CT are 0.3 mm (a child, a targeted reconstruction) to 2 mm (a down-sampled picture) wide.
PIXEL_RANGE_MM = (0.1, 5.0)
_FEWEST_PIXELS, _MOST_PIXELS = 32, 8192
# JPEG stores brightness and colour apart, so the three channels of a grey picture differ by a few levels.
_GREY_TOLERANCE, _GREY_SHARE = 12, 0.999


def is_picture(path: Path) -> bool:
    """Whether a file is a picture by its name; a folder is none, whatever its name."""
    return path.name.lower().endswith(PICTURE_SUFFIXES) and not path.is_dir()


def read_picture(path: Path, pixel_mm: float | None, window: tuple[float, float] | None) -> Exam:
    """Reads a picture as one axial slice ``(1, j, i)`` in estimated HU.

    Args:
        path: PNG or JPEG.
        pixel_mm: pixel size, which the picture does not know.
        window: HU that it shows as black and as white; None assumes the usual one of abdomens and flags it.

    Raises:
        InputError: it is not a grey picture of one slice, or pixel size or window are missing or impossible.
    """
    if pixel_mm is None:
        raise InputError(
            "A picture does not state its pixel size, so nothing could be measured. Give it in mm with --pixel-mm."
        )
    if not PIXEL_RANGE_MM[0] <= pixel_mm <= PIXEL_RANGE_MM[1]:
        raise InputError("The pixel size must lie between 0.1 and 5 mm. Give that of one pixel, not of the picture.")
    low, high = window or ABDOMEN_WINDOW
    if not -1100 <= low < high <= 3100 or high - low < 50:
        raise InputError(
            "The window must be two HU values, black before white, at least 50 HU apart, such as --window -160 240."
        )
    grey = _grey_values(path)
    check_picture(grey, pixel_mm)
    hu = np.rint(low + grey.astype(np.float32) * ((high - low) / 255)).astype(np.int16)
    matrix = np.diag([pixel_mm, pixel_mm, PLACEHOLDER_MM, 1.0])
    flags = _picture_flags(pixel_mm, (low, high), assumed=window is None)
    return Exam(
        Volume(hu[None], matrix),
        flags,
        kind=picture_format(path),
        units=Units.ESTIMATED_HU,
        thickness_known=False,
        settings={"pixel_mm": pixel_mm, "window_hu": [low, high], "window_given": window is not None},
    )


def picture_format(path: Path) -> str:
    """Returns the format that a picture's name tells."""
    return "png" if path.name.lower().endswith(".png") else "jpeg"


def open_picture(path: Path) -> np.ndarray:
    """Returns red, green and blue of a picture, uint8 ``(j, i, 3)``.

    Raises:
        InputError: it does not exist, cannot be opened, is damaged, too small or too large, has several frames or more
            than 8 bits, or shows one value only.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as picture:
            if max(picture.size) > _MOST_PIXELS:
                raise InputError(
                    "The picture has {columns}×{rows} pixels; one image has at most {most} in a row. Give one image "
                    "alone.",
                    columns=picture.width,
                    rows=picture.height,
                    most=_MOST_PIXELS,
                )
            # cameras put a preview behind the picture (MPO); all else shows other images
            if getattr(picture, "is_animated", False) and picture.format != "MPO":
                raise InputError(
                    "The picture holds several images one after another, and which one is meant is unknown. Export one "
                    "of them."
                )
            if picture.mode.startswith(("I", "F")):
                raise InputError(
                    "The picture has more than 8 bits per pixel, and what its values mean is unknown. Give the DICOM "
                    "file, or export the picture with 8 bits."
                )
            channels = np.asarray(_as_viewed(picture).convert("RGB"))
    except FileNotFoundError as error:
        raise InputError("The file or folder does not exist. Check the path.") from error
    except PermissionError as error:
        raise InputError("The file or folder cannot be opened: no permission. Choose a copy of your own.") from error
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise InputError("The picture is damaged, or its content is not what its name says.") from error
    if min(channels.shape[:2]) < _FEWEST_PIXELS:
        raise InputError(
            "The picture has only {columns}×{rows} pixels. Give the whole image.",
            columns=channels.shape[1],
            rows=channels.shape[0],
        )
    if np.ptp(channels) == 0:
        raise InputError("All pixels of the picture have the same value. Export it again.")
    return channels


def _as_viewed(picture: Image.Image) -> Image.Image:
    """Returns a picture as viewers show it: turned as its EXIF data say, and black where it is transparent."""
    from PIL import Image, ImageOps

    turned = ImageOps.exif_transpose(picture)
    if not turned.has_transparency_data:
        return turned
    return Image.alpha_composite(Image.new("RGBA", turned.size, "black"), turned.convert("RGBA"))


def _grey_values(path: Path) -> np.ndarray:
    """Returns uint8 ``(j, i)``; colour channels that show nothing but grey are taken as such."""
    channels = open_picture(path)
    spread = np.ptp(channels.astype(np.int16), axis=2)
    if np.mean(spread <= _GREY_TOLERANCE) < _GREY_SHARE:
        raise InputError(
            "The picture has colours: an overlay, marks, or no CT slice at all. Export the slice in plain grey."
        )
    grey = np.rint(channels.mean(axis=2)).astype(np.uint8)
    if np.ptp(grey) == 0:
        raise InputError("All pixels of the picture have the same value. Export it again.")
    return grey


def _picture_flags(pixel_mm: float, window: tuple[float, float], *, assumed: bool) -> list[Flag]:
    low, high = window
    shown = {"width_hu": high - low} if assumed else {"low_hu": low, "high_hu": high}
    return [
        Flag.of("grey_values", **shown),
        Flag.of("sides_assumed"),
        Flag.of("pixel_size_given", pixel_mm=pixel_mm),
    ]
