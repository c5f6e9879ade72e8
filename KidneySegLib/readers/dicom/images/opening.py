"""Opening a DICOM file: the one door to ``dcmread``, with a bound on what a deflated file may become in memory.

Deflate packs zeros a thousandfold, so a file of 3.5 MB can hold 3.6 GB (PS3.5 A.5: the whole data set is one stream,
which pydicom unpacks even where only the header is wanted). Here it is unpacked piece by piece first, and counted.
"""

from __future__ import annotations

import io
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from KidneySegLib.errors import InputError
from KidneySegLib.languages.language import N_

if TYPE_CHECKING:
    from pydicom import FileDataset

# A real deflated CT becomes two to four times as large. Small files may hold little but air; a large one that grows
# more than fiftyfold, or beyond what any CT object has, is not an image.
_ALWAYS_FINE = 64 << 20
_GROWTH = 50
_LARGEST = 1 << 30
_PIECE = 1 << 16
TOO_LARGE = N_(
    "A DICOM file becomes far larger when it is unpacked than any CT image is, as a damaged or harmful file does. "
    "Leave it out, or export the series again without deflate compression."
)


def open_dicom(path: Path, **options: Any) -> FileDataset:
    """Reads a DICOM file with ``pydicom.dcmread``; takes its options and raises what it raises.

    Raises:
        InputError: the file is deflated and would become too large.
    """
    from pydicom import dcmread

    with _BoundedFile(path) as file:
        return dcmread(file, **options)


def check_unpacked_size(packed: bytes) -> None:
    """Checks how large a raw deflate stream (RFC 1951) becomes, without keeping what is unpacked.

    Raises:
        InputError: it becomes too large.
        zlib.error: it is damaged.
    """
    limit = min(_LARGEST, max(_ALWAYS_FINE, _GROWTH * len(packed)))
    unpacker = zlib.decompressobj(wbits=-zlib.MAX_WBITS)
    size = 0
    for start in range(0, len(packed), _PIECE):
        rest = packed[start : start + _PIECE]
        while rest and not unpacker.eof:
            size += len(unpacker.decompress(rest, _GROWTH * _PIECE))
            rest = unpacker.unconsumed_tail
            if size > limit:
                raise InputError(TOO_LARGE)


class _BoundedFile(io.BufferedReader):
    """A file for ``dcmread``, which takes the rest of a file at once only where it is about to unpack it."""

    def __init__(self, path: Path) -> None:
        super().__init__(io.FileIO(path))

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        if size is None or size < 0:
            check_unpacked_size(data)
        return data
