"""Compressed frames before they are decoded: their own size must be the header's, and one that an image may have.

A codestream says for itself how large its image is, and decoders take memory for what it says: 200 bytes can ask for
8 GB. Sources: ITU-T T.81 B.2 (JPEG), ISO/IEC 14495-1 annex C (JPEG-LS), ISO/IEC 15444-1 annex A (JPEG 2000).
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from KidneySegLib.errors import InputError
from KidneySegLib.readers.dicom.images.frames import FrameHeader

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

MOST_PIXELS = 8192  # in a row or column; scanners reconstruct 512, sometimes 2048
_MOST_COMPONENTS = 4
_JPEG_START, _JPEG_2000_START = b"\xff\xd8", b"\xff\x4f\xff\x51"
# Start of frame: all but DHT (C4), JPG (C8) and DAC (CC); F7 is JPEG-LS
_FRAME_STARTS = {*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC}
_WITHOUT_LENGTH = {0x01, *range(0xD0, 0xD9)}


def check_compressed_frame(dataset: Dataset, frame: FrameHeader) -> None:
    """Compares the size that a compressed frame has with the size that its header says; others are left alone.

    Raises:
        InputError: they differ, the frame has no size, or no CT image is so large.
    """
    from pydicom.encaps import get_frame
    from pydicom.uid import UID, RLELossless

    syntax = UID(frame.transfer_syntax)
    check_declared_size(frame)
    # run lengths become at most 64 times as large as they are (PS3.5 G.3.1), and pydicom compares them with the header
    if not frame.transfer_syntax or not syntax.is_encapsulated or syntax == RLELossless:
        return
    count = int(dataset.get("NumberOfFrames") or 1)
    size = codestream_size(get_frame(dataset.PixelData, frame.frame, number_of_frames=count))
    if size != (frame.columns, frame.rows):
        if frame.instance_number is None:
            raise InputError("An image of the series is damaged: it has another number of pixels than its header says.")
        raise InputError(
            "Image {number} of the series is damaged: it has another number of pixels than its header says.",
            number=frame.instance_number,
        )


def check_declared_size(frame: FrameHeader) -> None:
    """Checks that a CT image may have the size that its header says.

    Raises:
        InputError: none has.
    """
    if max(frame.rows, frame.columns) > MOST_PIXELS:
        raise InputError(
            "An image claims {columns} × {rows} pixels; at most {most} in a row are read. Leave the file "
            "out, or export the series again.",
            columns=frame.columns,
            rows=frame.rows,
            most=MOST_PIXELS,
        )


def codestream_size(data: bytes) -> tuple[int, int] | None:
    """Returns columns and rows of a JPEG, JPEG-LS or JPEG 2000 image; None where it tells none."""
    if data.startswith(_JPEG_START):
        return _jpeg_size(data)
    place = data.find(_JPEG_2000_START)
    return _jpeg_2000_size(data, place) if place >= 0 else None


def _jpeg_size(data: bytes) -> tuple[int, int] | None:
    place = 2
    while place + 10 <= len(data) and data[place] == 0xFF:
        marker = data[place + 1]
        if marker in _FRAME_STARTS:
            _, rows, columns, components = struct.unpack_from(">BHHB", data, place + 4)
            return (columns, rows) if components <= _MOST_COMPONENTS else None
        if marker == 0xFF:  # fill
            place += 1
        elif marker in _WITHOUT_LENGTH:
            place += 2
        else:
            place += 2 + int.from_bytes(data[place + 2 : place + 4], "big")
    return None


def _jpeg_2000_size(data: bytes, place: int) -> tuple[int, int] | None:
    if place + 42 > len(data):
        return None
    right, bottom, left, top = struct.unpack_from(">4I", data, place + 8)
    (components,) = struct.unpack_from(">H", data, place + 40)
    return (right - left, bottom - top) if components <= _MOST_COMPONENTS else None
