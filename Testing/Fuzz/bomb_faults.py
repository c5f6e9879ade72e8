"""Small files that become, or claim to be, very large ones; the worker has 2 GB for each."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path

import bombs
import numpy as np
from pydicom.uid import UID, JPEG2000Lossless, JPEGLosslessSV1, JPEGLSLossless, RLELossless

from Fuzz.case import Case, Family
from Fuzz.damage import cut, put
from Fuzz.truth import ANYWHERE, SLICES, write

Build = Callable[[Path, np.random.Generator], Path]
_LEFT_OUT = ("unreadable_files", "missing_slices", "series_left_out", "only_ct_volume")
_SYNTAXES = {"JPEG": JPEGLosslessSV1, "JPEG-LS": JPEGLSLossless, "JPEG 2000": JPEG2000Lossless}
_SIZES = {"60000 x 60000": (60000, 60000), "20 x 65535": (20, 65535), "1 x 1": (1, 1), "0 x 0": (0, 0)}


def bomb_files() -> list[Case]:
    """Returns the cases; their names are unique."""
    family = Family("bombs")
    for size in (70 << 20, 600 << 20, bombs.GIGABYTES):
        for in_pixels in (True, False):
            what = f"{size >> 20} MB of deflated {'pixels' if in_pixels else 'private data'}"
            beside = partial(_deflated, size, in_pixels, True)
            family.add(f"{what} beside the series", beside, True, slices=SLICES, flags=_LEFT_OUT)
            family.add(f"{what} alone", partial(_deflated, size, in_pixels, False), False)
            family.add(f"{what} as the file", partial(_deflated_file, size, in_pixels), False, "far larger")
    family.add("three bombs beside the series", partial(_many, 3), True, slices=SLICES, flags=_LEFT_OUT)
    family.add("a bomb that breaks off", _broken, True, slices=SLICES, flags=_LEFT_OUT)
    for name, syntax in _SYNTAXES.items():
        for size in _SIZES:
            family.add(f"{name} that says {size}", partial(_codestream, syntax, _SIZES[size], 1, {}), False)
        family.add(
            f"{name} and header that say 60000 x 60000",
            partial(_codestream, syntax, (60000, 60000), 1, {"Rows": 60000, "Columns": 60000}),
            False,
        )
        family.add(f"{name} of 250 components", partial(_codestream, syntax, (20, 16), 250, {}), False)
    family.add("run lengths of a header that says 60000 x 60000", _run_lengths, False)
    for frames in (2, 60_000, 2**31 - 1):
        family.add(f"a header that says {frames} frames", partial(_frames, frames), None, truth=ANYWHERE)
    for dimensions in ((64, 64, 64), (32000, 32000, 32000), (30000, 30000, 2)):
        family.add(f"NIfTI of {dimensions} with 400 MB of zeros", partial(_nifti, dimensions, 400 << 20), False)
    family.add("MetaImage with 1 GB of zeros that says 64 x 64 x 64", partial(_metaimage, (64, 64, 64)), None)
    family.add("MetaImage that says 30000 x 30000 x 30000", partial(_metaimage, (30000, 30000, 30000)), False)
    family.add("NRRD that says 30000 x 30000 x 30000", _nrrd, False)
    return family.cases


def _deflated(size: int, in_pixels: bool, beside: bool, folder: Path, _: np.random.Generator) -> Path:
    files = write(folder)
    bombs.deflated(files[0], folder / "bomb", size, in_pixels=in_pixels)
    if not beside:
        for file in files:
            file.unlink()
    (folder / "bomb").rename(folder / "bomb.dcm")
    return folder


def _deflated_file(size: int, in_pixels: bool, folder: Path, generator: np.random.Generator) -> Path:
    return _deflated(size, in_pixels, False, folder, generator) / "bomb.dcm"


def _many(count: int, folder: Path, generator: np.random.Generator) -> Path:
    _deflated(70 << 20, True, True, folder, generator)
    for number in range(1, count):
        (folder / f"bomb{number}.dcm").write_bytes((folder / "bomb.dcm").read_bytes())
    return folder


def _broken(folder: Path, generator: np.random.Generator) -> Path:
    bomb = _deflated(bombs.GIGABYTES, True, True, folder, generator) / "bomb.dcm"
    cut(bomb, bomb.stat().st_size // 2)
    return folder


def _codestream(
    syntax: UID, size: tuple[int, int], components: int, changes: dict[str, int], folder: Path, _: np.random.Generator
) -> Path:
    for file in write(folder):
        bombs.compressed(file, file, syntax, bombs.codestream(syntax, *size, components), **changes)
    return folder


def _run_lengths(folder: Path, _: np.random.Generator) -> Path:
    rle = struct.pack("<16I", 2, 64, 1064, *[0] * 13) + b"\x81\x00" * 1000
    for file in write(folder):
        bombs.compressed(file, file, RLELossless, rle, Rows=60000, Columns=60000)
    return folder


def _frames(count: int, folder: Path, _: np.random.Generator) -> Path:
    put(write(folder), "NumberOfFrames", str(count))
    return folder


def _nifti(dimensions: tuple[int, int, int], written: int, folder: Path, _: np.random.Generator) -> Path:
    return bombs.nifti(folder / "bomb.nii.gz", dimensions, written)


def _metaimage(dimensions: tuple[int, int, int], folder: Path, _: np.random.Generator) -> Path:
    packer = zlib.compressobj(9)
    piece = packer.compress(bytes(1 << 22)) + packer.flush(zlib.Z_FULL_FLUSH)
    again = packer.compress(bytes(1 << 22)) + packer.flush(zlib.Z_FULL_FLUSH)
    data = piece + again * 250 + packer.flush()
    head = (
        f"ObjectType = Image\nNDims = 3\nBinaryData = True\nCompressedData = True\nCompressedDataSize = {len(data)}\n"
        "TransformMatrix = 1 0 0 0 1 0 0 0 1\nOffset = 0 0 0\nElementSpacing = 1 1 1\n"
        f"DimSize = {' '.join(map(str, dimensions))}\nElementType = MET_SHORT\nElementDataFile = LOCAL\n"
    )
    (folder / "bomb.mha").write_bytes(head.encode() + data)
    return folder / "bomb.mha"


def _nrrd(folder: Path, _: np.random.Generator) -> Path:
    packer = zlib.compressobj(9, wbits=31)
    data = packer.compress(bytes(1 << 24)) + packer.flush()
    head = (
        "NRRD0004\ntype: short\ndimension: 3\nspace: left-posterior-superior\nsizes: 30000 30000 30000\n"
        "space directions: (1,0,0) (0,1,0) (0,0,1)\nkinds: domain domain domain\nendian: little\nencoding: gzip\n"
        "space origin: (0,0,0)\n\n"
    )
    (folder / "bomb.nrrd").write_bytes(head.encode() + data)
    return folder / "bomb.nrrd"
