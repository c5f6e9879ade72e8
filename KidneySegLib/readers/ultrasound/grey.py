"""Frames as grey values: whatever an ultrasound image stores, colours included, becomes 8-bit brightness."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from KidneySegLib.errors import InputError
from KidneySegLib.readers.dicom.finding.scan import quiet_pydicom
from KidneySegLib.readers.dicom.images.frames import FrameHeader
from KidneySegLib.readers.dicom.pixels.decoding import PixelReader, damaged

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

# JPEG stores brightness and colour apart, so the channels of a grey image differ by a few levels; Doppler colours and
# coloured marks differ by far more. Tinted images (sepia, blue) lie between.
COLOUR_SPREAD = 60
# Weights of BT.601 in 256ths; equal channels keep their value exactly.
_WEIGHTS = np.array([77, 150, 29], np.uint32)


def read_grey(reader: PixelReader, frame: FrameHeader) -> tuple[np.ndarray, np.ndarray]:
    """Returns one frame as grey values, uint8 ``(j, i)``, and where it has colours, bool of the same shape.

    Palettes are looked up, YBR becomes RGB, MONOCHROME1 is inverted, and more than 8 bits are scaled to 8.

    Args:
        reader: keeps the file open from one frame to the next.
        frame: of a file whose frames all have the same size.

    Raises:
        InputError: the file is damaged or incomplete, its compression cannot be decoded here, or it has a colour space
            that no ultrasound image has.
    """
    from pydicom.pixels.processing import apply_color_lut
    from pydicom.pixels.utils import iter_pixels

    dataset = reader.opened(frame)
    try:
        with quiet_pydicom():
            array = next(iter_pixels(dataset, indices=[frame.frame]))
            if frame.photometric == "PALETTE COLOR":
                array = apply_color_lut(array, dataset)
            grey, coloured = _grey(array, frame, dataset)
    except InputError:
        raise
    except Exception as error:  # damaged data makes the decoders raise nearly anything
        raise InputError(damaged(frame)) from error
    if grey.shape != (frame.rows, frame.columns):
        raise InputError(damaged(frame))
    return grey, coloured


def grey_of(channels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns brightness, uint8 ``(j, i)``, and where there are colours, bool, of channels, uint8 ``(j, i, 3)``."""
    grey = ((channels.astype(np.uint32) @ _WEIGHTS) >> 8).astype(np.uint8)
    spread = channels.max(axis=2).astype(np.int16) - channels.min(axis=2)
    return grey, spread > COLOUR_SPREAD


def _grey(array: np.ndarray, frame: FrameHeader, dataset: Dataset) -> tuple[np.ndarray, np.ndarray]:
    if array.ndim == 3 and array.shape[2] == 3:
        bits = 8 * array.dtype.itemsize if frame.photometric == "PALETTE COLOR" else int(dataset.BitsStored)
        return grey_of(_eight_bits(array, bits))
    if array.ndim != 2 or not frame.photometric.startswith("MONOCHROME"):
        raise InputError(
            "The image has a colour space that ultrasound images do not have. Export it as RGB or MONOCHROME2."
        )
    if int(dataset.get("PixelRepresentation", 0)) and array.min() < 0:
        array = array.astype(np.int32) + (1 << (int(dataset.BitsStored) - 1))
    grey = _eight_bits(array, int(dataset.BitsStored))
    return (255 - grey if frame.photometric == "MONOCHROME1" else grey), np.zeros(grey.shape, bool)


def _eight_bits(array: np.ndarray, bits: int) -> np.ndarray:
    return np.clip(array.astype(np.int64) >> max(0, bits - 8), 0, 255).astype(np.uint8)
