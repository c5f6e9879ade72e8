"""One door for every single slice: a DICOM file, a picture of grey values, or a research image file of one slice."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from KidneySegLib.errors import InputError
from KidneySegLib.flags import Flag, Severity
from KidneySegLib.hounsfield import ABDOMEN_WINDOW
from KidneySegLib.readers.dicom.acquisition import Acquisition, Source
from KidneySegLib.readers.dicom.finding.scan import is_dicom_file, scan
from KidneySegLib.readers.dicom.single import PLACEHOLDER_MM, read_ct_image
from KidneySegLib.readers.volumes import read_image_file
from KidneySegLib.volume import Volume, is_image_file, prepare_itk

PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg")
# Pixels of a CT are 0.3 mm (a child, a targeted reconstruction) to 2 mm (a down-sampled picture) wide.
PIXEL_RANGE_MM = (0.1, 5.0)
_FEWEST_PIXELS, _MOST_PIXELS = 32, 8192
# JPEG stores brightness and colour apart, so the three channels of a grey picture differ by a few levels.
_GREY_TOLERANCE, _GREY_SHARE = 12, 0.999


@dataclass(frozen=True)
class SliceInput:
    """A slice that was read.

    Attributes:
        acquisition: volume ``(1, j, i)`` in HU, flags and source.
        kind: ``dicom``, or the file's format.
        thickness_mm: None where it is not known; the volume then has a placeholder of 1 mm.
        window: HU of black and of white of a picture, None where the values are HU themselves.
    """

    acquisition: Acquisition
    kind: str
    thickness_mm: float | None
    window: tuple[float, float] | None = None


def read_slice(path: Path, *, pixel_mm: float | None = None, window: tuple[float, float] | None = None) -> SliceInput:
    """Reads one axial slice.

    Args:
        path: a DICOM file or a folder with just one, a PNG or JPEG picture, or NIfTI, NRRD or MetaImage of one slice.
        pixel_mm: pixel size of a picture, which does not know its own.
        window: HU that a picture shows as black and as white; None assumes the usual one of abdomens and flags it.

    Raises:
        InputError: it is no such slice, or pixel size or window are missing, not needed, or impossible.
        GeometryError: the geometry cannot be trusted.
    """
    if not path.exists():
        raise InputError("The file or folder does not exist. Check the path.")
    if path.name.lower().endswith(PICTURE_SUFFIXES):
        return _read_picture(path, pixel_mm, window)
    if pixel_mm is not None or window is not None:
        raise InputError(
            "Pixel size and window belong to pictures (PNG, JPEG). This input states its own; leave out --pixel-mm and "
            "--window."
        )
    if is_image_file(path):
        return _read_research_file(path)
    if path.is_dir() or is_dicom_file(path):
        acquisition = read_ct_image(path)
        thickness = acquisition.source.slice_thickness
        return SliceInput(acquisition, "dicom", thickness if thickness and thickness > 0 else None)
    raise InputError("The file is neither DICOM nor a PNG or JPEG picture. Choose one axial CT slice.")


def is_single_slice(path: Path) -> bool:
    """Whether an input is one axial slice, as far as names and headers tell; what cannot be read is none.

    A DICOM file is one if no other image of its series lies beside it.

    Args:
        path: what ``read_slice`` or ``reading.read_input`` would be given.
    """
    if path.name.lower().endswith(PICTURE_SUFFIXES):
        return True
    if path.is_file() and is_image_file(path):
        return _axial_slices(path) == 1
    try:
        frames = scan(path)[0]
    except InputError:
        return False
    return sum(1 for frame in frames if frame.rows and frame.columns) == 1


def _axial_slices(path: Path) -> int:
    """Returns how many slices an image file has towards the head; 0 if its header cannot be read."""
    import SimpleITK as sitk

    prepare_itk()
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    try:
        reader.ReadImageInformation()
        towards_head = np.abs(np.array(reader.GetDirection()).reshape(reader.GetDimension(), -1)[2, :3])
    except (RuntimeError, IndexError):
        return 0
    return int(reader.GetSize()[int(towards_head.argmax())])


def _read_research_file(path: Path) -> SliceInput:
    acquisition = read_image_file(path)
    count = acquisition.volume.canonical().voxels.shape[0]
    if count != 1:
        raise InputError(
            f"The image has {count} axial slices, but the 2D pipeline takes one. Segment the volume with --task ct."
        )
    suffix = path.name[path.name.index(".") + 1 :].lower()
    return SliceInput(acquisition, suffix, acquisition.volume.canonical().spacing[2])


def _read_picture(path: Path, pixel_mm: float | None, window: tuple[float, float] | None) -> SliceInput:
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
    hu = np.rint(low + grey.astype(np.float32) * ((high - low) / 255)).astype(np.int16)
    matrix = np.diag([pixel_mm, pixel_mm, PLACEHOLDER_MM, 1.0])
    flags = _picture_flags(pixel_mm, (low, high), assumed=window is None)
    acquisition = Acquisition(Volume(hu[None], matrix), flags, Source())
    kind = "png" if path.name.lower().endswith(".png") else "jpeg"
    return SliceInput(acquisition, kind, None, (low, high))


def _grey_values(path: Path) -> np.ndarray:
    """Returns uint8 ``(j, i)``; colour channels that show nothing but grey are taken as such."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as picture:
            if max(picture.size) > _MOST_PIXELS:
                raise InputError(
                    f"The picture has {picture.width}×{picture.height} pixels; one CT slice has at most {_MOST_PIXELS} "
                    "in a row. Give the slice alone."
                )
            if picture.mode.startswith(("I", "F")):
                raise InputError(
                    "The picture has more than 8 bits per pixel, and what its values mean is unknown. Give the DICOM "
                    "file, or export the picture with 8 bits."
                )
            channels = np.asarray(picture.convert("RGB"))
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise InputError("The picture is damaged, or its content is not what its name says.") from error
    spread = np.ptp(channels.astype(np.int16), axis=2)
    if np.mean(spread <= _GREY_TOLERANCE) < _GREY_SHARE:
        raise InputError(
            "The picture has colours: an overlay, marks, or no CT slice at all. Export the slice in plain grey."
        )
    grey = np.rint(channels.mean(axis=2)).astype(np.uint8)
    if min(grey.shape) < _FEWEST_PIXELS:
        raise InputError(f"The picture has only {grey.shape[1]}×{grey.shape[0]} pixels. Give the whole slice.")
    if np.ptp(grey) == 0:
        raise InputError("All pixels of the picture have the same value. Export it again.")
    return grey


def _picture_flags(pixel_mm: float, window: tuple[float, float], *, assumed: bool) -> list[Flag]:
    low, high = (f"{value:.0f}" for value in window)
    basis = (
        f"Its display window is not known; a width of {window[1] - window[0]:.0f} HU was assumed"
        if assumed
        else f"Black was taken for {low} HU and white for {high} HU, as given"
    )
    return [
        Flag(
            "grey_values",
            Severity.WARNING,
            f"The picture holds grey values, not Hounsfield units. {basis}. Densities are estimates, all that is "
            "denser than white looks alike, and a wrong window changes which pixels count as stone.",
        ),
        Flag(
            "sides_assumed",
            Severity.WARNING,
            "The picture does not say where the patient's sides are. The usual way of showing was assumed: seen from "
            "the feet, the patient's right on the picture's left, the front at the top.",
        ),
        Flag(
            "pixel_size_given",
            Severity.INFO,
            f"All lengths rest on the pixel size that was given: {pixel_mm:g} mm.",
        ),
    ]
