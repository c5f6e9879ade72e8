"""Pixels in all forms that CT comes in, and in forms that it must not come in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from dicom_writing import transcode
from pydicom import dcmread, dcmwrite
from pydicom.dataset import FileDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    MPEG2MPML,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from Fuzz.case import Case, Family
from Fuzz.damage import change, cut, put
from Fuzz.truth import ANYWHERE, SHAPE, SLICES, write

Alter = Callable[[FileDataset, int], None]
COMPRESSED = {
    "JPEG lossless": JPEGLosslessSV1,
    "JPEG-LS": JPEGLSLossless,
    "JPEG 2000": JPEG2000Lossless,
    "RLE": RLELossless,
}


def forms() -> list[Case]:
    """Returns cases of right pixels in every form; they must be read, voxel by voxel."""
    family = Family("pixel forms")
    for name, syntax in COMPRESSED.items():
        family.add(name, _transcoded(syntax), True, slices=SLICES)
        family.add(f"{name}, unsigned", _transcoded(syntax, signed=False, intercept=-2048), True, slices=SLICES)
        family.add(f"{name} in one image only", _transcoded(syntax, only=5), True, slices=SLICES)
    for name, syntax in {"implicit": ImplicitVRLittleEndian, "big-endian": ExplicitVRBigEndian}.items():
        family.add(name, _encoded(syntax), True, slices=SLICES)
    family.add("deflated", _encoded(DeflatedExplicitVRLittleEndian), True, slices=SLICES)
    for signed in (True, False):
        sign = "signed" if signed else "unsigned"
        for intercept in (0, -1024, -8192) if signed else (-1024, -8192, -32768):
            family.add(f"16 bits {sign}, intercept {intercept}", _written(signed=signed, intercept=intercept), True)
        family.add(f"12 of 16 bits {sign}", _written(_twelve_bits(signed), signed=signed, intercept=-1024), True)
        family.add(
            f"12 of 16 bits {sign}, other bits set", _written(_dirty_bits(signed), signed=signed, intercept=-1024), True
        )
        family.add(
            f"32 bits {sign}", _written(_other_width("i4" if signed else "u4"), signed=signed, intercept=-1024), True
        )
    family.add("slope 0.5", _written(slope=0.5, intercept=-1024.5), True)
    family.add("slope 4, other intercept in each image", _other_intercepts, True)
    family.add("half signed, half unsigned", _mixed_signs, True)
    family.add("inverted display", _written(_set("PhotometricInterpretation", "MONOCHROME1")), None)
    family.add("no rescale values, stored as HU", _written(intercept=0, RescaleSlope=None, RescaleIntercept=None), None)
    family.add("no rescale values, stored from 0", _written(RescaleSlope=None, RescaleIntercept=None), None)
    family.add("transfer syntax not named", _nameless_syntax, None)
    family.add("without preamble and meta header", _without_meta, True, slices=SLICES)
    family.add("one byte behind the pixels", _written(_longer(1)), True, slices=SLICES)
    return family.cases


def faults() -> list[Case]:
    """Returns cases of pixels that contradict the header or cannot be decoded."""
    family = Family("pixel faults")
    for name, size in (
        ("Rows", 65535),
        ("Columns", 65535),
        ("Rows", 8),
        ("Columns", 19),
        ("Columns", 10),
        ("Rows", 17),
    ):
        family.add(f"{name} {size} in all", _written(_set(name, size)), False)
        family.add(f"{name} {size} in one", _written(_set(name, size), only=5), None)
    family.add("Rows and Columns 65535", _written(_huge), False)
    family.add("Rows and Columns swapped", _written(_swapped), False)
    family.add("Rows 0", _written(_set("Rows", 0)), False)
    for name, value in (("BitsAllocated", 8), ("BitsAllocated", 32), ("BitsAllocated", 12), ("BitsStored", 0)):
        family.add(f"{name} {value}", _written(_set(name, value)), False)
    for name, value in (("BitsStored", 17), ("SamplesPerPixel", 3), ("SamplesPerPixel", 0), ("PixelRepresentation", 7)):
        family.add(f"{name} {value}", _written(_set(name, value)), False)
    family.add("BitsStored 8 of 16 that are used", _written(_narrow), False)
    family.add("12 bits at the upper end", _written(_upper_bits, signed=False), None)
    family.add("colour", _written(_colour), False)
    family.add("palette colour", _written(_set("PhotometricInterpretation", "PALETTE COLOR")), False)
    family.add("float pixels", _written(_float_pixels), None)
    family.add("float pixels that are not numbers", _written(_float_pixels_nan), False)
    family.add("no pixels", _written(_drop("PixelData")), False)
    family.add("empty pixels", _written(_set("PixelData", b"")), False)
    family.add("all pixels equal", _written(field=lambda points: points[..., 0] * 0 + 5), False)
    family.add("negative NumberOfFrames", _put("NumberOfFrames", "-3"), None)
    family.add("NumberOfFrames 2147483647", _put("NumberOfFrames", "2147483647"), False)
    family.add("NumberOfFrames 12 with one", _put("NumberOfFrames", "12"), False)
    family.add("slope 0 in one", _put("RescaleSlope", "0", {4}), False)
    family.add("unknown transfer syntax", _claimed("1.2.3.4"), False)
    family.add("video", _claimed(MPEG2MPML), False)
    for name, syntax in {**COMPRESSED, "JPEG baseline": JPEGBaseline8Bit}.items():
        family.add(f"claimed to be {name}", _claimed(syntax), False)
        family.add(f"random bytes as {name}", _random_stream(syntax), False)
    for name, syntax in COMPRESSED.items():
        family.add(f"compressed by {name}, claimed to be plain", _unclaimed(syntax), False)
        for share in (0.3, 0.9):
            family.add(f"{name} cut at {share:.0%}", _cut_stream(syntax, share), False)
        for number in range(4):
            family.add(f"{name} with wrong bytes {number}", _dirty_stream(syntax), None, truth=ANYWHERE, tolerance=1e9)
    return family.cases


def _written(alter: Alter | None = None, only: int | None = None, **attributes: object) -> Callable[..., Path]:
    def build(folder: Path, _: np.random.Generator) -> Path:
        paths = write(folder, **attributes)
        if alter is not None:
            change(paths, alter, None if only is None else {only})
        return folder

    return build


def _transcoded(syntax: str, only: int | None = None, **attributes: object) -> Callable[..., Path]:
    def build(folder: Path, _: np.random.Generator) -> Path:
        for number, path in enumerate(write(folder, **attributes)):
            if only in (None, number):
                transcode(path, syntax)
        return folder

    return build


def _encoded(syntax: str) -> Callable[..., Path]:
    def build(folder: Path, _: np.random.Generator) -> Path:
        for path in write(folder):
            dataset = dcmread(path)
            big = syntax == ExplicitVRBigEndian
            if big:
                dataset.PixelData = dataset.pixel_array.astype(">i2").tobytes()
            dataset.file_meta.TransferSyntaxUID = syntax
            dcmwrite(path, dataset, implicit_vr=syntax == ImplicitVRLittleEndian, little_endian=not big)
        return folder

    return build


def _put(keyword: str, text: str, only: set[int] | None = None) -> Callable[..., Path]:
    def build(folder: Path, _: np.random.Generator) -> Path:
        put(write(folder), keyword, text, only)
        return folder

    return build


def _set(keyword: str, value: object) -> Alter:
    return lambda dataset, number: setattr(dataset, keyword, value)


def _drop(keyword: str) -> Alter:
    return lambda dataset, number: delattr(dataset, keyword)


def _longer(count: int) -> Alter:
    def alter(dataset: FileDataset, number: int) -> None:
        dataset.PixelData = dataset.PixelData + b"\x7f" * count

    return alter


def _stored(dataset: FileDataset) -> np.ndarray:
    return np.frombuffer(dataset.PixelData, "<i2" if dataset.PixelRepresentation else "<u2")


def _twelve_bits(signed: bool) -> Alter:
    def alter(dataset: FileDataset, number: int) -> None:
        dataset.BitsStored, dataset.HighBit = 12, 11
        dataset.PixelData = (_stored(dataset).astype("<i4") & 0x0FFF).astype("<u2").tobytes()

    return alter


def _dirty_bits(signed: bool) -> Alter:
    def alter(dataset: FileDataset, number: int) -> None:
        dataset.BitsStored, dataset.HighBit = 12, 11
        dataset.PixelData = (_stored(dataset).astype("<i4") & 0x0FFF | 0x5000).astype("<u2").tobytes()

    return alter


def _upper_bits(dataset: FileDataset, number: int) -> None:
    dataset.BitsStored, dataset.HighBit = 12, 15
    dataset.PixelData = (_stored(dataset).astype("<u4") << 4).astype("<u2").tobytes()


def _narrow(dataset: FileDataset, number: int) -> None:
    dataset.BitsStored, dataset.HighBit = 8, 7


def _other_width(kind: str) -> Alter:
    def alter(dataset: FileDataset, number: int) -> None:
        dataset.PixelData = _stored(dataset).astype(f"<{kind}").tobytes()
        dataset.BitsAllocated = dataset.BitsStored = 32
        dataset.HighBit = 31

    return alter


def _other_intercepts(folder: Path, _: np.random.Generator) -> Path:
    def alter(dataset: FileDataset, number: int) -> None:
        values = _stored(dataset).astype("<i4") - 1024
        dataset.RescaleIntercept = -1000 - 10 * number
        dataset.PixelData = (values - int(dataset.RescaleIntercept)).astype("<i2").tobytes()

    change(write(folder), alter)
    return folder


def _mixed_signs(folder: Path, _: np.random.Generator) -> Path:
    def alter(dataset: FileDataset, number: int) -> None:
        dataset.PixelRepresentation = 0

    change(write(folder), alter, set(range(0, SLICES, 2)))
    return folder


def _nameless_syntax(folder: Path, _: np.random.Generator) -> Path:
    for path in write(folder):
        data = path.read_bytes()
        path.write_bytes(data.replace(b"\x02\x00\x10\x00UI\x14\x00", b"\x02\x00\x11\x00UI\x14\x00", 1))
    return folder


def _without_meta(folder: Path, _: np.random.Generator) -> Path:
    for path in write(folder):
        dataset = dcmread(path)
        dataset.file_meta.clear()
        dataset.preamble = None
        dcmwrite(path, dataset, implicit_vr=True, little_endian=True)
    return folder


def _huge(dataset: FileDataset, number: int) -> None:
    dataset.Rows = dataset.Columns = 65535


def _swapped(dataset: FileDataset, number: int) -> None:
    dataset.Columns, dataset.Rows = SHAPE
    dataset.SamplesPerPixel = 2


def _colour(dataset: FileDataset, number: int) -> None:
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation, dataset.PlanarConfiguration = 3, "RGB", 0
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.HighBit, dataset.PixelRepresentation = 7, 0
    dataset.PixelData = bytes(SHAPE[0] * SHAPE[1] * 3)


def _float_pixels(dataset: FileDataset, number: int) -> None:
    dataset.FloatPixelData = (_stored(dataset) + 0.4).astype("<f4").tobytes()
    del dataset.PixelData, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation
    dataset.BitsAllocated = 32


def _float_pixels_nan(dataset: FileDataset, number: int) -> None:
    _float_pixels(dataset, number)
    values = np.frombuffer(dataset.FloatPixelData, "<f4").copy()
    values[::7] = np.nan
    dataset.FloatPixelData = values.tobytes()


def _claimed(syntax: str) -> Callable[..., Path]:
    def build(folder: Path, _: np.random.Generator) -> Path:
        for path in write(folder):
            _replace_syntax(path, ExplicitVRLittleEndian, syntax)
        return folder

    return build


def _replace_syntax(path: Path, old: str, new: str) -> None:
    """Names another transfer syntax in the file's meta header, whose lengths are put right."""
    data = path.read_bytes()
    start = data.index(b"\x02\x00\x10\x00UI")
    before, after = old.encode(), new.encode()
    before, after = before + b"\0" * (len(before) % 2), after + b"\0" * (len(after) % 2)
    end = start + 8 + len(before)
    group = int.from_bytes(data[140:144], "little") + len(after) - len(before)
    element = data[start : start + 6] + len(after).to_bytes(2, "little") + after
    path.write_bytes(data[:140] + group.to_bytes(4, "little") + data[144:start] + element + data[end:])


def _unclaimed(syntax: str) -> Callable[..., Path]:
    def build(folder: Path, generator: np.random.Generator) -> Path:
        _transcoded(syntax)(folder, generator)
        for path in folder.iterdir():
            _replace_syntax(path, syntax, ExplicitVRLittleEndian)
        return folder

    return build


def _random_stream(syntax: str) -> Callable[..., Path]:
    def build(folder: Path, generator: np.random.Generator) -> Path:
        def alter(dataset: FileDataset, number: int) -> None:
            dataset.PixelData = encapsulate([generator.bytes(400)])
            dataset["PixelData"].VR = "OB"
            dataset["PixelData"].is_undefined_length = True
            dataset.file_meta.TransferSyntaxUID = syntax

        change(write(folder), alter)
        return folder

    return build


def _cut_stream(syntax: str, share: float) -> Callable[..., Path]:
    def build(folder: Path, generator: np.random.Generator) -> Path:
        _transcoded(syntax)(folder, generator)
        path = sorted(folder.iterdir())[int(generator.integers(1, SLICES - 1))]
        data = path.read_bytes()
        start = data.index(b"\xe0\x7f\x10\x00")
        cut(path, start + int(share * (len(data) - start)))
        return folder

    return build


def _dirty_stream(syntax: str) -> Callable[..., Path]:
    def build(folder: Path, generator: np.random.Generator) -> Path:
        _transcoded(syntax)(folder, generator)
        for path in sorted(folder.iterdir()):
            data = bytearray(path.read_bytes())
            start = data.index(b"\xe0\x7f\x10\x00") + 40
            for place in generator.integers(start, len(data) - 8, 3):
                data[place] ^= int(generator.integers(1, 256))
            path.write_bytes(data)
        return folder

    return build
