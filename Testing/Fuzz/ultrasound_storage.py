"""The ways in which machines store one grey image: colours, palettes, bits, compression, loops."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import ultrasound_cases as made
from PIL import Image
from pydicom.dataset import Dataset, FileDataset
from pydicom.encaps import encapsulate
from pydicom.pixels import convert_color_space
from pydicom.uid import DeflatedExplicitVRLittleEndian, JPEGBaseline8Bit, RLELossless

# Takes grey values, uint8 ``(j, i)``, and regions.
Store = Callable[[np.ndarray, list[Dataset]], FileDataset]


def _ybr(grey: np.ndarray, regions: list[Dataset], *, half: bool) -> FileDataset:
    pixels = convert_color_space(made.coloured(grey), "RGB", "YBR_FULL")
    kind = "YBR_FULL_422" if half else "YBR_FULL"
    image = made.dataset(pixels, regions, PhotometricInterpretation=kind)
    if half:  # two brightnesses share their colour: bytes Y Y B R
        parts = pixels[:, 0::2, 0], pixels[:, 1::2, 0], pixels[:, 0::2, 1], pixels[:, 0::2, 2]
        image.PixelData = np.stack(parts, axis=-1).tobytes()
    return image


def _palette(grey: np.ndarray, regions: list[Dataset]) -> FileDataset:
    image = made.dataset(255 - grey, regions, PhotometricInterpretation="PALETTE COLOR")
    for colour in ("Red", "Green", "Blue"):
        setattr(image, f"{colour}PaletteColorLookupTableDescriptor", [256, 0, 16])
        table = (np.arange(255, -1, -1, dtype=np.uint16) * 257).tobytes()
        setattr(image, f"{colour}PaletteColorLookupTableData", table)
    return image


def _jpeg(grey: np.ndarray, regions: list[Dataset], *, frames: int = 1) -> FileDataset:
    file = io.BytesIO()
    Image.fromarray(grey).save(file, "JPEG", quality=92)
    image = made.dataset(np.stack([grey] * frames) if frames > 1 else grey, regions)
    image.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    image.PixelData = encapsulate([file.getvalue()] * frames)
    return image


def _twelve(grey: np.ndarray, regions: list[Dataset]) -> FileDataset:
    image = made.dataset(grey, regions, BitsAllocated=16, BitsStored=12, HighBit=11)
    image.PixelData = (grey.astype(np.uint16) << 4).tobytes()
    return image


def _packed(grey: np.ndarray, regions: list[Dataset]) -> FileDataset:
    image = made.dataset(made.coloured(grey), regions)
    image.compress(RLELossless)
    return image


def _deflated(grey: np.ndarray, regions: list[Dataset]) -> FileDataset:
    image = made.dataset(grey, regions)
    image.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    return image


def _planes(grey: np.ndarray, regions: list[Dataset]) -> FileDataset:
    image = made.dataset(made.coloured(grey), regions, PlanarConfiguration=1)
    image.PixelData = np.moveaxis(made.coloured(grey), -1, 0).tobytes()
    return image


STORED: dict[str, Store] = {
    "as YBR_FULL": lambda g, r: _ybr(g, r, half=False),
    "as YBR_FULL_422": lambda g, r: _ybr(g, r, half=True),
    "with a palette": _palette,
    "plane by plane": _planes,
    "as MONOCHROME1": lambda g, r: made.dataset(255 - g, r, PhotometricInterpretation="MONOCHROME1"),
    "in 12 bits": _twelve,
    "as JPEG": _jpeg,
    "as a JPEG loop": lambda g, r: _jpeg(g, r, frames=3),
    "in run lengths": _packed,
    "deflated": _deflated,
    "as a loop in colours": lambda g, r: made.dataset(made.coloured(np.stack([g, g])), r),
}
