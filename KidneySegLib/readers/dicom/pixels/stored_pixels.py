"""Whether uncompressed pixels are as many, and as wide, as the header says; else values or places would be wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from KidneySegLib.errors import InputError

if TYPE_CHECKING:
    from pydicom.dataset import Dataset


def check_stored_pixels(dataset: Dataset) -> None:
    """Compares the pixels of a file with its header; compressed ones are for the decoder to check.

    Raises:
        InputError: there are more pixels than rows and columns say (then all but the first row would be moved), or the
            values use bits that the header does not count.
    """
    from pydicom.pixels.utils import get_expected_length
    from pydicom.uid import UID

    if "PixelData" not in dataset or UID(dataset.file_meta.TransferSyntaxUID).is_compressed:
        return
    surplus = len(dataset.PixelData) - get_expected_length(dataset)
    # some scanners append a few bytes; a wrong number of rows or columns leaves at least a row or a column
    if surplus >= min(dataset.Rows, dataset.Columns) * dataset.BitsAllocated // 8:
        raise InputError(
            "The images hold more pixels than their headers say, so the place of each is uncertain. Transfer the "
            "series again."
        )
    if not _fit_their_bits(dataset):
        raise InputError(
            "The images use other bits for their values than their headers say, so the values are unknown. "
            "Export the series again."
        )


def _fit_their_bits(dataset: Dataset) -> bool:
    """Whether the bits above the stored ones have two patterns at most: a sign, graphics or a mark for padding."""
    allocated, stored = int(dataset.BitsAllocated), int(dataset.BitsStored)
    if int(dataset.get("HighBit", stored - 1)) != stored - 1:
        return False
    if allocated != 16 or not 0 < stored < allocated or _has_embedded_overlay(dataset):
        return True
    little_endian = dataset.file_meta.TransferSyntaxUID.is_little_endian
    words = np.frombuffer(dataset.PixelData, "<u2" if little_endian else ">u2", len(dataset.PixelData) // 2)
    patterns = words >> stored
    if not patterns.any():
        return True
    lowest, highest = patterns.min(), patterns.max()
    return bool(((patterns == lowest) | (patterns == highest)).all())


def _has_embedded_overlay(dataset: Dataset) -> bool:
    """Whether graphics lie in the unused bits, as was allowed until 2004 (PS3.3 C.9.2, OverlayBitPosition)."""
    return any((group, 0x0102) in dataset and dataset[group, 0x0102].value for group in range(0x6000, 0x6020, 2))
