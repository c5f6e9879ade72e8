"""The bytes that hold an image: what is not pixels among them is removed; nobody sees it, and it could be anything."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np

from KidneySegLib.deidentification.streams import blanked
from KidneySegLib.errors import InputError

if TYPE_CHECKING:
    from pydicom import FileDataset
    from pydicom.dataset import Dataset

_STREAMS = (  # JPEG, JPEG-LS, JPEG 2000 and HTJ2K, run-length; no film and no JPEG-XL
    *(f"1.2.840.10008.1.2.4.{number}" for number in (50, 51, 57, 70, 80, 81, 90, 91, 92, 93, 201, 202, 203)),
    "1.2.840.10008.1.2.5",
)
_FLOATS = {"FloatPixelData": 4, "DoubleFloatPixelData": 8}
_LONGEST_OVERLAY_GROUP = 0x601E


def clean_pixels(dataset: FileDataset, *, overlays: list[int]) -> None:
    """Removes what stands beside, between and behind the pixels; the pixels stay bit for bit.

    Args:
        dataset: with pixels, or without any.
        overlays: bits in which overlays were stored inside the pixels, see ``embedded_overlays``.

    Raises:
        InputError: the compressed pixels cannot be searched.
    """
    from pydicom.uid import UID

    syntax = UID(dataset.file_meta.TransferSyntaxUID)
    for keyword, size in _FLOATS.items():
        if keyword in dataset:
            count = _count(dataset, "Rows") * _count(dataset, "Columns") * _count(dataset, "NumberOfFrames")
            setattr(dataset, keyword, dataset[keyword].value[: count * size])
    if "PixelData" not in dataset:
        return
    if syntax.is_encapsulated:
        if overlays:
            raise InputError("Graphics stand inside the compressed pixels.")
        _clean_fragments(dataset, str(syntax))
    else:
        _clean_native(dataset, overlays)
        _remove_offset_tables(dataset)


def embedded_overlays(dataset: Dataset) -> list[int]:
    """Returns the bits of the pixels in which overlays are stored: their text stays there when their group goes."""
    bits = set()
    for group in range(0x6000, _LONGEST_OVERLAY_GROUP + 2, 2):
        if (group, 0x0102) not in dataset and (group, 0x0100) not in dataset:
            continue
        position = int(dataset[group, 0x0102].value or 0) if (group, 0x0102) in dataset else 0
        if (group, 0x3000) not in dataset:
            bits.add(position)
    stored, high = _count(dataset, "BitsStored"), int(dataset.get("HighBit") or 0)
    return sorted(bits - set(range(high - stored + 1, high + 1)))


def _clean_native(dataset: FileDataset, overlays: list[int]) -> None:
    from pydicom.pixels.utils import get_expected_length

    size = get_expected_length(dataset)
    data = dataset.PixelData[: size + size % 2]
    if size % 2 and len(data) > size:
        data = data[:size] + b"\0"
    if overlays and dataset.BitsAllocated in (8, 16, 32):
        data = _without_bits(dataset, data, overlays)
    if data != dataset.PixelData:
        dataset.PixelData = data


def _without_bits(dataset: FileDataset, data: bytes, bits: list[int]) -> bytes:
    """Clears bits; in images with a sign they get the sign, as unused bits have it."""
    order = "<" if dataset.original_encoding[1] else ">"
    values = np.frombuffer(data, np.dtype(f"{order}u{dataset.BitsAllocated // 8}")).copy()
    mask = values.dtype.type(sum(1 << bit for bit in bits if bit < dataset.BitsAllocated))
    values &= ~mask
    if dataset.get("PixelRepresentation") == 1:
        values[(values >> int(dataset.HighBit)) & 1 == 1] |= mask
    return values.tobytes()


def _clean_fragments(dataset: FileDataset, syntax: str) -> None:
    """Blanks text in each frame's stream, and in the offset table and the bytes of fragments beyond the frames."""
    from pydicom.encaps import encapsulate, generate_fragments, generate_frames, parse_basic_offsets

    if syntax not in _STREAMS:
        raise InputError("Images are compressed in a way that cannot be searched for text.")
    extended = _extended_offsets(dataset)
    count = _count(dataset, "NumberOfFrames")
    frames = list(generate_frames(dataset.PixelData, number_of_frames=count, extended_offsets=extended))
    area = _count(dataset, "Rows") * _count(dataset, "Columns")
    cleaned = [blanked(frame, syntax, area) for frame in frames]
    buffer = BytesIO(dataset.PixelData)
    offsets = parse_basic_offsets(buffer)
    fragments = list(generate_fragments(buffer))  # behind the table
    if len(frames) != count:
        raise InputError("The compressed image does not have as many frames as its header says.")
    if len(fragments) == count:
        right = [0, *np.cumsum([8 + len(fragment) for fragment in fragments[:-1]]).tolist()]
        if cleaned == frames and (not offsets or offsets == right) and extended is None:
            return
    _remove_offset_tables(dataset)
    dataset.PixelData = encapsulate(cleaned, has_bot=bool(offsets))
    dataset["PixelData"].is_undefined_length = True


def _remove_offset_tables(dataset: Dataset) -> None:
    for keyword in ("ExtendedOffsetTable", "ExtendedOffsetTableLengths"):
        if keyword in dataset:
            delattr(dataset, keyword)


def _extended_offsets(dataset: Dataset) -> tuple[bytes, bytes] | None:
    table, lengths = dataset.get("ExtendedOffsetTable"), dataset.get("ExtendedOffsetTableLengths")
    return (table, lengths) if table and lengths else None


def _count(dataset: Dataset, keyword: str) -> int:
    return int(dataset.get(keyword) or 1)
