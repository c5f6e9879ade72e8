"""Images that arrive: into a partial folder, which becomes the real one when all are there."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from KidneySegLib.errors import InputError, NetworkError, OutputError, ResourceError
from KidneySegLib.pacs.identifiers import is_uid, own_name
from KidneySegLib.readers.dicom.images.frames import text

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

# A CT image of 512 x 512 pixels with its header, uncompressed.
BYTES_PER_IMAGE = 600_000
# What is left free: the archive may not know its number of images, and the disk serves others too.
RESERVE_BYTES = 500_000_000


class Receiver:
    """Takes the images of one series and writes each to a file of its own.

    Attributes:
        folder: where the files go; their names are this program's own.
        study_uid, series_uid: of the series that is expected; anything else is refused.
    """

    def __init__(self, folder: Path, study_uid: str, series_uid: str) -> None:
        """Makes the folder."""
        self.folder = folder
        self.study_uid = study_uid
        self.series_uid = series_uid
        self._received: set[str] = set()
        with writing():
            folder.mkdir(parents=True, exist_ok=True)

    def is_expected(self, image: Dataset) -> bool:
        """Whether an image belongs to the series that was asked for."""
        return (text(image, "StudyInstanceUID"), text(image, "SeriesInstanceUID")) == (self.study_uid, self.series_uid)

    def take(self, content: bytes, image: Dataset) -> None:
        """Writes one image.

        Args:
            content: a whole DICOM file (PS3.10).
            image: its data set, for the identifiers.

        Raises:
            InputError: it belongs to another series, or its identifier is none. Nothing was written.
            OutputError: it cannot be written.
        """
        if not self.is_expected(image):
            raise InputError("The server sent an image of another series than was asked for. Nothing of it was kept.")
        uid = text(image, "SOPInstanceUID")
        if not is_uid(uid):
            raise InputError("The server sent an image without a valid identifier. Nothing of the series was kept.")
        with writing():
            (self.folder / f"{own_name('image', uid)}.dcm").write_bytes(content)
        self._received.add(uid)

    def check_complete(self, expected: int | None) -> int:
        """Returns how many images came.

        Raises:
            NetworkError: none, or fewer than expected.
        """
        count = len(self._received)
        if not count or (expected is not None and count < expected):
            of_all = "" if expected is None else f" of {expected}"
            raise NetworkError(f"Only {count}{of_all} images arrived. Nothing was kept; try again.")
        return count


@contextmanager
def partial_folder(target: Path) -> Iterator[Path]:
    """Gives a folder beside ``target`` that takes its place when the block ends well, and is removed otherwise.

    Raises:
        OutputError: the folder cannot be made, or ``target`` exists already.
    """
    partial = target.parent / f".{target.name}.partial-{os.getpid()}"
    with writing():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(partial, ignore_errors=True)  # left by a killed process that had the same number
        partial.mkdir(mode=0o700)
    try:
        yield partial
        with writing():
            partial.rename(target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def check_space(folder: Path, images: int | None) -> None:
    """Checks that a series will fit on the disk.

    Args:
        folder: an existing folder on that disk.
        images: number of images; None if the archive does not say.

    Raises:
        ResourceError: it will not.
    """
    needed = BYTES_PER_IMAGE * (images or 0) + RESERVE_BYTES
    if shutil.disk_usage(folder).free < needed:
        raise ResourceError(
            f"The disk has too little space for the images: about {needed / 1e9:.1f} GB are needed. Make room or "
            "choose another folder."
        )


@contextmanager
def writing() -> Iterator[None]:
    """Turns the file system's errors into one clear sentence."""
    try:
        yield
    except PermissionError as error:
        raise OutputError("The images could not be written: no permission. Choose another folder.") from error
    except OSError as error:
        raise OutputError(
            "The images could not be written. Check that the disk has space left and that the folder is writable."
        ) from error
