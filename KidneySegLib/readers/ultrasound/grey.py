"""Frames as grey values: whatever an ultrasound image stores, colours included, becomes 8-bit brightness."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from KidneySegLib.errors import InputError
from KidneySegLib.readers.dicom.finding.scan import quiet_pydicom
from KidneySegLib.readers.dicom.images.frames import FrameHeader
from KidneySegLib.readers.dicom.pixels.decoding import PixelReader, damaged

if TYPE_CHECKING:
    from collections.abc import Sequence


# JPEG stores brightness and colour apart, so the channels of a grey image differ by a few levels; Doppler colours and
# coloured marks differ by far more. Tinted images (sepia, blue) lie between.
COLOUR_SPREAD = 60
# Weights of BT.601 in 256ths; equal channels keep their value exactly.
_WEIGHTS = np.array([77, 150, 29], np.uint32)
# What decoding leaves as red, green and blue.
_RED_GREEN_BLUE = ("RGB", "PALETTE COLOR", "MONOCHROME2", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT")
# Converters store 8 bits of grey in 10, 12 or 16 bits without saying so. An image that leaves so many bits unused would
# be nearly black.
_UNUSED_BITS = 2


def used_bits(reader: PixelReader, frames: Sequence[FrameHeader]) -> int:
    """Returns how many bits the grey values or colours of one file use: those of its header, or clearly fewer.

    Args:
        reader: keeps the file open.
        frames: of a file whose frames all have the same size; only where values may have more than 8 bits, more than
            the first of them is looked at.

    Raises:
        InputError: as ``read_grey``.
    """
    most = needed = 8
    for frame in frames:
        array, most = _decoded(reader, frame)
        if array.dtype.itemsize == 1:
            return most
        lowest, highest = int(array.min()), int(array.max())
        needed = max(needed, max(highest, ~lowest).bit_length() + (lowest < 0))
    return needed if most - needed >= _UNUSED_BITS else most


def read_grey(reader: PixelReader, frame: FrameHeader, bits: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns one frame as grey values, uint8 ``(j, i)``, and where it has colours, bool of the same shape.

    Palettes are looked up, YBR becomes RGB, MONOCHROME1 is inverted, and values are scaled to 8 bits.

    Args:
        reader: keeps the file open from one frame to the next.
        frame: of a file whose frames all have the same size.
        bits: that the values use (``used_bits``).

    Raises:
        InputError: the file is damaged or incomplete, its compression cannot be decoded here, or it has a colour space
            that no ultrasound image has.
    """
    array, _ = _decoded(reader, frame)
    if array.ndim == 3:
        return grey_of(_eight_bits(array, bits))
    if array.min() < 0:
        array = array.astype(np.int32) + (1 << (bits - 1))
    grey = _eight_bits(array, bits)
    return (255 - grey if frame.photometric == "MONOCHROME1" else grey), np.zeros(grey.shape, bool)


def grey_of(channels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns brightness, uint8 ``(j, i)``, and where there are colours, bool, of channels, uint8 ``(j, i, 3)``."""
    grey = ((channels.astype(np.uint32) @ _WEIGHTS) >> 8).astype(np.uint8)
    spread = channels.max(axis=2).astype(np.int16) - channels.min(axis=2)
    return grey, spread > COLOUR_SPREAD


def _decoded(reader: PixelReader, frame: FrameHeader) -> tuple[np.ndarray, int]:
    """Returns one frame, ``(j, i)`` or red, green and blue ``(j, i, 3)``, and the bits that its header names."""
    from pydicom.pixels.processing import apply_color_lut
    from pydicom.pixels.utils import iter_pixels

    dataset = reader.opened(frame)
    try:
        with quiet_pydicom():
            array, bits = next(iter_pixels(dataset, indices=[frame.frame])), int(dataset.BitsStored)
            if frame.photometric == "PALETTE COLOR":
                array = apply_color_lut(array, dataset)
                bits = 8 * array.dtype.itemsize
    except Exception as error:  # damaged data makes the decoders raise nearly anything
        raise damaged(frame) from error
    is_grey = array.ndim == 2 and frame.photometric.startswith("MONOCHROME")
    is_colour = array.ndim == 3 and array.shape[2] == 3 and frame.photometric in _RED_GREEN_BLUE
    if not (is_grey or is_colour):
        raise InputError(
            "The image has a colour space that ultrasound images do not have. Export it as RGB or MONOCHROME2."
        )
    if array.shape[:2] != (frame.rows, frame.columns):
        raise damaged(frame)
    return array, bits


def _eight_bits(array: np.ndarray, bits: int) -> np.ndarray:
    values = array.astype(np.int64)
    return np.clip(values >> bits - 8 if bits > 8 else values << 8 - bits, 0, 255).astype(np.uint8)
