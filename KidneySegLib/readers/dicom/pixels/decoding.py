"""Pixels of one image in Hounsfield units: decoding, rescale, padding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from KidneySegLib.errors import InputError
from KidneySegLib.flags import Flag
from KidneySegLib.hounsfield import LARGEST_12_BIT, OUTSIDE
from KidneySegLib.readers.dicom.finding.scan import quiet_pydicom
from KidneySegLib.readers.dicom.images.frames import FrameHeader
from KidneySegLib.readers.dicom.images.opening import open_dicom
from KidneySegLib.readers.dicom.pixels.compressed_frames import check_compressed_frame
from KidneySegLib.readers.dicom.pixels.hounsfield import HIGHEST, guess_offset
from KidneySegLib.readers.dicom.pixels.stored_pixels import check_stored_pixels

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

# Packages for pip that decode all compressed transfer syntaxes that CT comes in.
_DECODERS = "python-gdcm and pylibjpeg[openjpeg]"
# Rescale values beyond these make no Hounsfield units of any stored number; they are damage.
_LEAST_SLOPE, _GREATEST_SLOPE, _GREATEST_INTERCEPT = 1e-4, 1e3, 1e5
# Padding is believed only where it cannot be tissue or metal.
_PADDING_BELOW, _PADDING_ABOVE = -900, LARGEST_12_BIT


@dataclass(frozen=True)
class Rescale:
    """Slope and intercept for images whose header has none."""

    slope: float = 1.0
    intercept: float = 0.0


class PixelReader:
    """Reads images one by one; keeps the last file open in memory, so that a multi-frame file is read once."""

    def __init__(self) -> None:
        """Starts with nothing in memory."""
        self._path: Path | None = None
        self._dataset: Dataset | None = None

    def raw(self, frame: FrameHeader) -> np.ndarray:
        """Returns the stored values of one image, array (rows, columns), without unused bits and with their sign.

        Raises:
            InputError: the file is damaged or incomplete, or its compression cannot be decoded here.
        """
        from pydicom.pixels.utils import iter_pixels

        dataset = self.opened(frame)
        try:
            with quiet_pydicom():
                array = next(iter_pixels(dataset, indices=[frame.frame], raw=True))
        except Exception as error:  # damaged data makes the decoders raise nearly anything
            raise damaged(frame) from error
        is_finite = array.dtype.kind != "f" or np.isfinite(array).all()
        if array.shape != (frame.rows, frame.columns) or not is_finite:
            raise damaged(frame)
        return array

    def opened(self, frame: FrameHeader) -> Dataset:
        """Returns the file of an image, with its pixels not decoded yet; the one that is open is not read again.

        Raises:
            InputError: the file is damaged or incomplete, or its compression cannot be decoded here.
        """
        try:
            with quiet_pydicom():
                _require_decoder(frame.transfer_syntax)
                dataset = self._load(frame.path)
                check_compressed_frame(dataset, frame)
        except InputError:
            raise
        except Exception as error:  # damaged data makes pydicom raise nearly anything
            raise damaged(frame) from error
        return dataset

    def hounsfield(self, frame: FrameHeader, assumed: Rescale | None = None) -> np.ndarray:
        """Returns one image in Hounsfield units, int16 array (rows, columns), padding set to air.

        Args:
            frame: the image.
            assumed: used in place of the header's rescale values.

        Raises:
            InputError: as ``raw``; or there are no rescale values.
        """
        raw = self.raw(frame)
        slope, intercept = (assumed.slope, assumed.intercept) if assumed else (frame.slope, frame.intercept)
        if slope is None or intercept is None or not _are_plausible(slope, intercept):
            raise InputError("An image has no valid rescale values, so its Hounsfield units are unknown.")
        if slope == 1 and intercept == int(intercept) and raw.dtype.kind in "iu":
            values = raw.astype(np.int32)
            values += int(intercept)
        else:
            values = np.rint(raw * np.float32(slope) + np.float32(intercept))
            values = np.clip(values, OUTSIDE, HIGHEST + 1).astype(np.int32)
        values[values > HIGHEST] = OUTSIDE
        _remove_padding(values, raw, frame.padding, slope, intercept)
        return np.maximum(values, OUTSIDE, out=values).astype(np.int16)

    def _load(self, path: Path) -> Dataset:
        from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

        if self._dataset is None or path != self._path:
            dataset = open_dicom(path, force=True)
            if "TransferSyntaxUID" not in dataset.file_meta:
                implicit, little_endian = dataset.original_encoding
                explicit = ExplicitVRLittleEndian if little_endian else ExplicitVRBigEndian
                dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian if implicit else explicit
            check_stored_pixels(dataset)
            self._path, self._dataset = path, dataset
        return self._dataset


def decide_rescale(frames: Sequence[FrameHeader], reader: PixelReader) -> tuple[Rescale | None, list[Flag]]:
    """Decides on the rescale values of a series.

    Returns:
        None where each image has its own; else what to assume for all, and flags that say so.

    Raises:
        InputError: values are missing and the stored ones do not show what they mean.
    """
    if all(_are_plausible(frame.slope, frame.intercept) for frame in frames):
        return None, []
    if any(frame.slope is not None or frame.intercept is not None for frame in frames):
        raise InputError(
            "Some images have no valid rescale values, so their Hounsfield units are unknown. Export the series again."
        )
    middle = frames[len(frames) // 4 :: max(1, len(frames) // 4)]
    offset = guess_offset(np.concatenate([reader.raw(frame)[::2, ::2].astype(np.int32).ravel() for frame in middle]))
    if offset is None:
        raise InputError(
            "The header has no rescale values, and the stored values do not look like Hounsfield units. Export the "
            "original series again."
        )
    return Rescale(intercept=offset), [Flag.of("rescale_assumed", intercept_hu=offset)]


def _are_plausible(slope: float | None, intercept: float | None) -> bool:
    if slope is None or intercept is None:
        return False
    return _LEAST_SLOPE <= slope <= _GREATEST_SLOPE and abs(intercept) <= _GREATEST_INTERCEPT


def storage_flags(frames: Sequence[FrameHeader], voxels: np.ndarray) -> list[Flag]:
    """Returns flags on how the pixels were stored.

    Args:
        frames: the images that were read.
        voxels: what was read from them in Hounsfield units, array ``(k, j, i)``.

    Raises:
        InputError: the images are inverted: air is bright.
    """
    flags = []
    if any(frame.lossy for frame in frames):
        flags.append(Flag.of("lossy_compression"))
    if any(frame.photometric == "MONOCHROME1" for frame in frames):
        # MONOCHROME1 concerns display only (PS3.3 C.7.6.3.1.2), but some writers invert the values with it.
        if np.median(voxels[len(voxels) // 2][[0, 0, -1, -1], [0, -1, 0, -1]]) > 1000:
            raise InputError("The grey levels of the images are inverted (air is bright). Export the original series.")
        flags.append(Flag.of("inverted_display"))
    return flags


def _remove_padding(
    values: np.ndarray, raw: np.ndarray, padding: tuple[int, int] | None, slope: float, intercept: float
) -> None:
    """Sets padding to air, in place, unless the header's padding value is one that tissue has too."""
    if padding is None:
        return
    if raw.dtype.kind == "i":
        low, high = (value - 65536 if value > 32767 else value for value in padding)
    else:
        low, high = (value + 65536 if value < 0 else value for value in padding)
    ends = sorted((low * slope + intercept, high * slope + intercept))
    if ends[1] <= _PADDING_BELOW or ends[0] > _PADDING_ABOVE:
        values[(raw >= low) & (raw <= high)] = OUTSIDE


def _require_decoder(transfer_syntax: str) -> None:
    from pydicom.pixels.decoders.base import get_decoder
    from pydicom.uid import UID

    if not transfer_syntax:
        return
    name = UID(transfer_syntax).name
    try:
        available = get_decoder(transfer_syntax).is_available
    except (NotImplementedError, ValueError) as error:
        raise InputError(
            "The images are stored in a way that cannot be read ({name}). Export the series uncompressed.", name=name
        ) from error
    if not available:
        raise InputError(
            "The images are compressed ({name}) and no decoder for it is installed. Install {decoders}, or "
            "export the series uncompressed.",
            name=name,
            decoders=_DECODERS,
        )


def damaged(frame: FrameHeader) -> InputError:
    """Returns the error of an image whose pixels cannot be read."""
    if frame.instance_number is None:
        return InputError("An image of the series is damaged or incomplete. Transfer the series again.")
    return InputError(
        "Image {number} of the series is damaged or incomplete. Transfer the series again.",
        number=frame.instance_number,
    )
