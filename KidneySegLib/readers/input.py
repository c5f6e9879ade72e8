"""One door for every input: a DICOM folder, a DICOM file, a research image file, or a picture of a slice."""

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from KidneySegLib.errors import GeometryError, InputError
from KidneySegLib.exam import Exam
from KidneySegLib.readers.dicom.ct import read_ct
from KidneySegLib.readers.dicom.finding.scan import files_below, is_dicom_file
from KidneySegLib.readers.dicom.single import read_ct_image
from KidneySegLib.readers.image_values import as_hounsfield
from KidneySegLib.readers.pictures import is_picture, read_picture
from KidneySegLib.volume import IMAGE_SUFFIXES, is_image_file, read_image


@dataclass(frozen=True)
class ReadOptions:
    """What the user says of an input.

    Attributes:
        series: which series of a DICOM folder, by UID, number or part of its description (``series_names.named``);
            None lets the reader choose.
        pixel_mm: pixel size of a picture, or of an ultrasound image that does not state it.
        window: HU that a picture shows as black and as white; None assumes the usual width.
        region: number of the region of an ultrasound image; None lets the reader choose.
        frame: number of the frame of an ultrasound loop, from 1; None takes all.
    """

    series: str | None = None
    pixel_mm: float | None = None
    window: tuple[float, float] | None = None
    region: int | None = None
    frame: int | None = None

    def check_placed(self) -> None:
        """Refuses what only an ultrasound image has.

        Raises:
            InputError: a region or a frame is named.
        """
        if self.region is not None or self.frame is not None:
            raise InputError("--region and --frame belong to ultrasound images: add --task ultrasound.")


NO_OPTIONS = ReadOptions()


def read_input(path: Path, progress: Callable[[float], None] | None = None, *, series_uid: str | None = None) -> Exam:
    """Reads a CT from whatever the user points at.

    Args:
        path: a folder with a DICOM series (or with exactly one image file), one DICOM file of a series, or a NIfTI,
            NRRD or MetaImage file.
        progress: called with the share done, 0 to 1; an exception that it raises stops the reading.
        series_uid: the DICOM series to read, by UID, number or part of its description (``series_names.named``);
            without it the one that serves best for kidneys.

    Returns:
        The volume as int16 Hounsfield units, array ``(k, j, i)``, on the input's own grid.

    Raises:
        InputError: nothing that can be read, or not a CT.
        GeometryError: the geometry cannot be trusted.
    """
    try:
        is_folder, is_file = path.is_dir(), path.is_file()
    except PermissionError as error:
        raise InputError("The file or folder cannot be opened: no permission. Choose a copy of your own.") from error
    except OSError as error:
        raise InputError("The file or folder cannot be opened. Check the path.") from error
    if is_folder:
        return _read_folder(path, progress, series_uid)
    if not is_file:
        raise InputError("The file or folder does not exist. Check the path.")
    if is_image_file(path):
        return read_image_file(path, progress)
    if is_dicom_file(path):
        return read_ct(path, series_uid=series_uid, progress=progress)
    if is_picture(path):
        raise InputError(
            "A picture shows a single slice. If it is one of a CT, add --task ct-slice and the size of its pixels, "
            "such as --pixel-mm 0.8; if it shows a kidney on ultrasound, add --task ultrasound."
        )
    raise InputError(
        "The file is neither DICOM nor one of {kinds}. Choose such a file.", kinds=", ".join(IMAGE_SUFFIXES)
    )


def read_image_file(path: Path, progress: Callable[[float], None] | None = None) -> Exam:
    """Reads a CT from NIfTI, NRRD or MetaImage and checks that it is one.

    Raises:
        InputError: the file cannot be read, or its values cannot be a CT's.
        GeometryError: the grid is sheared or has no valid geometry.
    """
    volume = read_image(path)
    if volume.is_sheared:
        raise GeometryError("The image's axes are not at right angles. Resample it to a straight grid.")
    voxels, flags = as_hounsfield(volume.voxels)
    if progress is not None:
        progress(1.0)
    return Exam(volume.like(voxels), flags, kind=_format(path))


def read_slice(path: Path, *, pixel_mm: float | None = None, window: tuple[float, float] | None = None) -> Exam:
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
    if is_picture(path):
        return read_picture(path, pixel_mm, window)
    if pixel_mm is not None or window is not None:
        raise InputError(
            "Pixel size and window belong to pictures (PNG, JPEG). This input states its own; leave out --pixel-mm and "
            "--window."
        )
    if is_image_file(path):
        exam = read_image_file(path)
        count = exam.volume.voxels.shape[0]
        if count != 1:
            raise InputError(
                "The image has {count} axial slices, but the 2D pipeline takes one. Segment the volume with --task ct.",
                count=count,
            )
        return exam
    if path.is_dir() or is_dicom_file(path):
        exam = read_ct_image(path)
        thickness = exam.source.slice_thickness
        return replace(exam, thickness_known=bool(thickness and thickness > 0))
    raise InputError("The file is neither DICOM nor a PNG or JPEG picture. Choose one axial CT slice.")


def _format(path: Path) -> str:
    """Returns the format of an image file by its suffix, without the dot."""
    name = path.name.lower()
    return next(suffix for suffix in sorted(IMAGE_SUFFIXES, key=len, reverse=True) if name.endswith(suffix))[1:]


def _read_folder(folder: Path, progress: Callable[[float], None] | None, series_uid: str | None) -> Exam:
    files, locked = files_below(folder)
    if any(is_dicom_file(path) for path in files):
        return read_ct(folder, series_uid=series_uid, progress=progress)
    if locked or not all(os.access(path, os.R_OK) for path in files):
        raise InputError("Files of the folder cannot be opened: no permission. Choose a copy of your own.")
    images = [path for path in files if path.parent == folder and is_image_file(path)]
    if len(images) == 1:
        return read_image_file(images[0], progress)
    if images:
        raise InputError("The folder holds {count} image files. Choose one of them.", count=len(images))
    raise InputError("The folder holds neither DICOM images nor an image file. Choose the folder of the CT series.")
