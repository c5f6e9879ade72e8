"""One door for every input: a DICOM folder, a DICOM file, or a research image file."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from KidneySegLib.errors import GeometryError, InputError
from KidneySegLib.readers.dicom.acquisition import Acquisition, Source
from KidneySegLib.readers.dicom.ct import read_ct
from KidneySegLib.readers.dicom.finding.scan import files_below, is_dicom_file
from KidneySegLib.readers.image_values import as_hounsfield
from KidneySegLib.volume import IMAGE_SUFFIXES, is_image_file, read_image


def read_input(
    path: Path, progress: Callable[[float], None] | None = None, *, series_uid: str | None = None
) -> Acquisition:
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
    except OSError as error:
        raise InputError("The file or folder cannot be opened: no permission. Choose a copy of your own.") from error
    if is_folder:
        return _read_folder(path, progress, series_uid)
    if not is_file:
        raise InputError("The file or folder does not exist. Check the path.")
    if is_image_file(path):
        return read_image_file(path, progress)
    if is_dicom_file(path):
        return read_ct(path, series_uid=series_uid, progress=progress)
    raise InputError(f"The file is neither DICOM nor one of {', '.join(IMAGE_SUFFIXES)}. Choose such a file.")


def read_image_file(path: Path, progress: Callable[[float], None] | None = None) -> Acquisition:
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
    return Acquisition(volume.like(voxels), flags, Source())


def _read_folder(folder: Path, progress: Callable[[float], None] | None, series_uid: str | None) -> Acquisition:
    files, locked = files_below(folder)
    if any(is_dicom_file(path) for path in files):
        return read_ct(folder, series_uid=series_uid, progress=progress)
    if locked or not all(os.access(path, os.R_OK) for path in files):
        raise InputError("Files of the folder cannot be opened: no permission. Choose a copy of your own.")
    images = [path for path in files if path.parent == folder and is_image_file(path)]
    if len(images) == 1:
        return read_image_file(images[0], progress)
    if images:
        raise InputError(f"The folder holds {len(images)} image files. Choose one of them.")
    raise InputError("The folder holds neither DICOM images nor an image file. Choose the folder of the CT series.")
