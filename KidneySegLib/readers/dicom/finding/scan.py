"""Finding the DICOM files of a folder and reading their headers, once each and without pixels."""

import logging
import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from KidneySegLib.errors import InputError
from KidneySegLib.readers.dicom.images.enhanced import frame_headers
from KidneySegLib.readers.dicom.images.frames import CT_IMAGES, KEYWORDS, FrameHeader, header_of
from KidneySegLib.readers.dicom.images.opening import open_dicom

MEDIA_DIRECTORY = "1.2.840.10008.1.3.10"  # SOP class of a DICOMDIR: it points to images and is none itself


@contextmanager
def quiet_pydicom() -> Iterator[None]:
    """Silences pydicom's remarks on odd values: they quote the values, which may be a patient's."""
    import pydicom  # noqa: F401 - it sets the level of its logger when it is first imported

    logger = logging.getLogger("pydicom")
    level = logger.level
    if level != logging.CRITICAL:  # setting a level makes every logger forget what it knows, which adds up over files
        logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        if level != logging.CRITICAL:
            logger.setLevel(level)


def is_dicom_file(path: Path) -> bool:
    """Whether the first bytes are those of a DICOM file, with or without the preamble (PS3.10 7.1)."""
    try:
        with path.open("rb") as file:
            head = file.read(132)
    except OSError:
        return False
    if head[128:132] == b"DICM":
        return True
    # Old files start with the data set itself: group 0002 or 0008, little endian, then a text VR or a short length.
    first_group = head[:2] in (b"\x02\x00", b"\x08\x00") and head[3:4] == b"\x00"
    value_type = head[4:6]
    return first_group and len(head) == 132 and (value_type in (b"UL", b"CS", b"UI") or head[5:8] == b"\x00\x00\x00")


def read_headers(path: Path) -> list[FrameHeader]:
    """Reads the header of one DICOM file: one entry per frame, none for a DICOMDIR.

    Raises:
        InputError: the file is damaged or is not DICOM.
    """
    try:
        with quiet_pydicom():
            dataset = open_dicom(path, stop_before_pixels=True, force=True, specific_tags=list(KEYWORDS))
            if str(getattr(dataset.file_meta, "MediaStorageSOPClassUID", "")) == MEDIA_DIRECTORY:
                return []
            header = header_of(dataset, path)
            if not (header.rows or (header.modality and header.sop_class_uid not in CT_IMAGES)):
                raise InputError("The file is not a DICOM image, or it is damaged.")
            return frame_headers(dataset, header) if header.multiframe else [header]
    except InputError:
        raise
    except Exception as error:  # a damaged file makes pydicom raise nearly anything
        raise InputError("The DICOM file is damaged. Copy or export it again.") from error


def files_below(folder: Path) -> tuple[list[Path], int]:
    """Returns all files of a folder and its subfolders by name, and how many subfolders cannot be opened.

    Hidden subfolders are left aside: copies that are still arriving or broke off lie there.

    Raises:
        InputError: the folder itself cannot be opened.
    """
    locked: list[OSError] = []
    files: list[Path] = []
    for place, folders, names in os.walk(folder, onerror=locked.append):
        folders[:] = [name for name in folders if not name.startswith(".")]
        files += [Path(place, name) for name in names if os.path.isfile(os.path.join(place, name))]
    if not files and any(error.filename == str(folder) for error in locked):
        raise InputError("The folder cannot be opened: no permission. Ask for permission to read it, or choose a copy.")
    return sorted(files), len(locked)


def scan(path: Path, progress: Callable[[float], None] | None = None) -> tuple[list[FrameHeader], int]:
    """Reads the headers of a folder with all its subfolders, or of the series that one file belongs to.

    Args:
        path: a folder, or one DICOM file. The rest of a single-frame file's series is looked for beside it; a
            multi-frame file stands for itself.
        progress: called with the share of files read, 0 to 1; an exception that it raises stops the reading.

    Returns:
        The headers in the order of the file names, and how many files and folders could not be read that may hold
        images.

    Raises:
        InputError: the path does not exist, or the one file is not a DICOM image.
    """
    if path.is_dir():
        files, locked = files_below(path)
        headers, unreadable = _scan_files(files, progress)
        return headers, unreadable + locked
    if not path.is_file():
        raise InputError("The file or folder does not exist. Check the path.")
    if not is_dicom_file(path):
        raise InputError("The file is not a DICOM file.")
    own = read_headers(path)
    if not own:
        raise InputError("The file is a DICOMDIR, a list of images. Choose the folder that it lies in.")
    if own[0].multiframe:
        return own, 0
    siblings = [file for file in sorted(path.parent.iterdir()) if file.is_file()]
    headers, unreadable = _scan_files(siblings, progress)
    return [header for header in headers if header.series_uid == own[0].series_uid], unreadable


def _scan_files(files: list[Path], progress: Callable[[float], None] | None) -> tuple[list[FrameHeader], int]:
    headers: list[FrameHeader] = []
    others: list[Path] = []
    unreadable = 0
    for index, file in enumerate(files):
        if is_dicom_file(file):
            try:
                headers += read_headers(file)
            except InputError:
                unreadable += 1
        else:
            others.append(file)
        if progress is not None:
            progress((index + 1) / len(files))
    endings = {header.path.suffix.lower() for header in headers}
    return headers, unreadable + sum(_was_dicom(file, endings) for file in others)


def _was_dicom(path: Path, endings: set[str]) -> bool:
    """Whether a file that does not begin like DICOM is a damaged one: one that cannot be opened, or looks like images.

    Args:
        path: the file.
        endings: of the names of the DICOM files beside it.
    """
    try:
        with path.open("rb") as file:
            head = file.read(132)
    except OSError:
        return True
    # named like the images, and empty or binary: a copy that broke off; hidden files are those of file managers
    return not path.name.startswith(".") and path.suffix.lower() in endings and (not head or b"\0" in head)
