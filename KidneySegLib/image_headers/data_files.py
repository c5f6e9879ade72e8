"""Voxels that lie in other files than their header: only files beside it are read, whatever the header names."""

from collections.abc import Iterable
from pathlib import Path

from KidneySegLib.errors import InputError


def check_data_files(header: Path, names: Iterable[str]) -> None:
    """Checks that files of voxels are plain files in the header's folder or below it.

    Args:
        header: the header's file.
        names: as the header has them; a pattern such as ``slice%03d.raw`` stands for its folder.

    Raises:
        InputError: a file lies elsewhere, or is none.
    """
    folder = header.parent.resolve()
    for name in names:
        is_pattern = "%" in name
        try:
            place = (header.parent / name).resolve()
            ok = place.is_relative_to(folder) and "\0" not in name and (is_pattern or place.is_file())
        except (OSError, ValueError, RuntimeError):
            ok = False
        if not ok:
            raise InputError(
                "The image file's header names a file of voxels that is missing or lies in another folder. Put both "
                "files into one folder, or export the image as one file."
            )


# zlib's own description: deflate makes nothing smaller than a thousandth (1032:1)
LARGEST_RATIO = 1032
