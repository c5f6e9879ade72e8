"""NIfTI, NRRD and MetaImage files with wrong, missing or contradictory geometry and with damaged data."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import nibabel
import numpy as np
import SimpleITK as sitk

from Fuzz.case import Case, Family
from Fuzz.damage import cut, flip
from Fuzz.truth import ANYWHERE, SLICES, true_volume

Build = Callable[[Path, np.random.Generator], Path]
ENDINGS = (".nii", ".nii.gz", ".nrrd", ".mha")
# offsets in the NIfTI-1 header (nifti1.h)
DIM, DATATYPE, PIXDIM, OFFSET, SLOPE, UNITS = 40, 70, 76, 108, 112, 123
QFORM_CODE, SFORM_CODE, QUATERNION, ROWS = 252, 254, 256, 280


def images() -> list[Case]:
    """Returns cases of right files in odd forms."""
    family = Family("image files")
    for ending in ENDINGS:
        for kind in ("int16", "int32", "float32", "float64"):
            family.add(f"{ending} of {kind}", _as(ending, kind), True, slices=SLICES)
        family.add(f"{ending} with huge values", _values(ending, 1e30), True, truth=ANYWHERE, tolerance=1e9)
        family.add(f"{ending} with NaN", _values(ending, np.nan), False, "not numbers")
        family.add(f"{ending} of complex numbers", _complex(ending), False)
        family.add(f"{ending} of colours", _colours(ending), False)
        family.add(f"{ending} in four dimensions", _repeated(ending, 3), False)
        family.add(f"{ending} in four dimensions, one volume", _repeated(ending, 1), ending != ".nrrd" or None)
        family.add(f"{ending} in two dimensions", _flat(ending), False)
        for share in (0.05, 0.3, 0.7, 0.97):
            family.add(f"{ending} cut at {share:.0%}", _cut(ending, share), False)
        family.add(f"{ending} without its last byte", _shorter(ending), False)
        family.add(f"{ending} empty", _cut(ending, 0), False)
    for ending in (".nrrd", ".mha"):
        family.add(f"packed {ending}", _as(ending, packed=True), True, slices=SLICES)
        for share in (0.3, 0.7, 0.97):
            family.add(f"packed {ending} cut at {share:.0%}", _cut(ending, share, packed=True), False)
        for number in range(3):
            family.add(f"packed {ending} with wrong bytes {number}", _flipped(ending, 30, packed=True), False)
    for number in range(6):
        family.add(f".nii.gz with wrong bytes {number}", _flipped(".nii.gz", 30), False)
    for axis in range(3):
        family.add(f"axis {axis} turned round in .nii", _flip_axis(axis), True, slices=SLICES)
    return family.cases


def nifti_headers() -> list[Case]:
    """Returns cases of wrong NIfTI headers."""
    family = Family("NIfTI headers")
    nan = struct.pack("<f", float("nan"))
    family.add("as it should be", _nifti(), True, slices=SLICES)
    family.add(
        "both transforms missing",
        _nifti((QFORM_CODE, b"\0\0"), (SFORM_CODE, b"\0\0")),
        False,
        "right and left",
    )
    family.add("qform only", _nifti((SFORM_CODE, b"\0\0")), True, slices=SLICES)
    family.add("sform only", _nifti((QFORM_CODE, b"\0\0")), True, slices=SLICES)
    family.add("transforms that differ by a side", _nifti((ROWS, struct.pack("<f", 0.75))), False, "differ|contradict")
    family.add(
        "transforms that differ by 40 mm", _nifti((ROWS + 12, struct.pack("<f", 71.5))), False, "differ|contradict"
    )
    family.add("NaN in sform", _nifti((ROWS, nan)), None)
    family.add("NaN in all of sform", _nifti((ROWS, nan * 12)), None)
    family.add("NaN in both transforms", _nifti((ROWS, nan * 12), (QUATERNION, nan * 6)), False)
    family.add("NaN in qform", _nifti((QUATERNION, nan * 6)), None)
    family.add("infinite origin", _nifti((ROWS + 12, struct.pack("<f", float("inf"))), (QFORM_CODE, b"\0\0")), False)
    family.add("zeros in sform", _nifti((ROWS, bytes(48)), (QFORM_CODE, b"\0\0")), False)
    family.add("sheared sform", _nifti((ROWS + 8, struct.pack("<f", 1.0))), False, "right angles")
    family.add("sform with two equal axes", _nifti((ROWS, _float_row(0.75, 0.75, 0) * 3), (QFORM_CODE, b"\0\0")), False)
    for axis in range(3):
        place = PIXDIM + 4 * (axis + 1)
        family.add(f"pixdim {axis} zero, sform", _nifti((place, bytes(4))), None)
        family.add(f"pixdim {axis} zero, qform only", _nifti((place, bytes(4)), (SFORM_CODE, b"\0\0")), False)
        family.add(f"pixdim {axis} NaN, qform only", _nifti((place, nan), (SFORM_CODE, b"\0\0")), False)
    family.add(
        "spacings that differ, sform only", _nifti((PIXDIM + 4, struct.pack("<f", 1.5)), (QFORM_CODE, b"\0\0")), False
    )
    family.add("units of metres", _nifti((UNITS, b"\x01"), scale=1e-3), None)
    family.add("units of micrometres", _nifti((UNITS, b"\x03"), scale=1e3), None)
    family.add("no units", _nifti((UNITS, b"\0")), True, slices=SLICES)
    for name, values in {
        "zero": (3, 20, 0, 12), "negative": (3, 20, -16, 12), "two": (2, 20, 16, 12), "eight": (8, 20, 16, 12),
        "too many voxels": (3, 20, 16, 30000), "enormous": (3, 32767, 32767, 32767), "fewer": (3, 20, 16, 6),
        "swapped": (3, 12, 20, 16),
    }.items():  # fmt: skip
        read = None if name == "swapped" else False
        loose = {"truth": ANYWHERE, "tolerance": 1e9} if read is None else {}
        family.add(f"dimensions {name}", _nifti((DIM, struct.pack("<4h", *values))), read, **loose)
    for name, value in {"zero": 0, "unknown": 77, "bits": 1, "RGB": 128, "complex": 32, "float": 16}.items():
        family.add(f"data type {name}", _nifti((DATATYPE, struct.pack("<h", value))), False)
    for name, value in {"NaN": float("nan"), "infinite": float("inf"), "huge": 1e30}.items():
        family.add(f"scale slope {name}", _nifti((SLOPE, struct.pack("<f", value))), None)
    family.add("scale slope zero", _nifti((SLOPE, bytes(4))), True)
    family.add("data offset beyond the end", _nifti((OFFSET, struct.pack("<f", 1e6))), False)
    family.add("data offset negative", _nifti((OFFSET, struct.pack("<f", -500))), None)
    family.add("header size wrong", _nifti((0, struct.pack("<i", 500))), False)
    family.add("magic word wrong", _nifti((344, b"xx\0\0")), None)
    family.add("plain file named .nii.gz", _renamed(".nii", ".nii.gz"), None)
    family.add("packed file named .nii", _renamed(".nii.gz", ".nii"), None)
    return family.cases


def text_headers() -> list[Case]:
    """Returns cases of wrong NRRD and MetaImage headers."""
    family = Family("NRRD and MetaImage headers")
    family.add(
        "NRRD in RAS",
        _nrrd(("space: left-posterior-superior", "space: right-anterior-superior")),
        None,
        truth=ANYWHERE,
        tolerance=1e9,
    )
    family.add(
        "NRRD without space",
        _nrrd(("space: left-posterior-superior\n", "")),
        False,
        "right and left",
    )
    family.add(
        "NRRD of unknown space",
        _nrrd(("left-posterior-superior", "scanner-xyz")),
        False,
        "right and left",
    )
    family.add("NRRD with NaN direction", _nrrd(("(0.75,", "(nan,")), False)
    family.add("NRRD with direction zero", _nrrd(("(0.75,0,0)", "(0,0,0)")), False)
    family.add("NRRD sheared", _nrrd(("(0,0,2.5)", "(1,0,2.5)")), False)
    family.add(
        "NRRD without directions",
        _nrrd(("space directions: (0.75,0,0) (0,1.5,0) (0,0,2.5)\n", "")),
        False,
        "right and left",
    )
    family.add("NRRD with more voxels than data", _nrrd(("sizes: 20 16 12", "sizes: 20 16 1200")), False)
    family.add("NRRD with enormous sizes", _nrrd(("sizes: 20 16 12", "sizes: 90000 90000 90000")), False)
    family.add("NRRD with zero sizes", _nrrd(("sizes: 20 16 12", "sizes: 20 0 12")), False)
    family.add("NRRD with unknown encoding", _nrrd(("encoding: raw", "encoding: secret")), False)
    family.add(
        "NRRD of other byte order", _nrrd(("endian: little", "endian: big")), None, truth=ANYWHERE, tolerance=1e9
    )
    family.add("NRRD with its data elsewhere", _nrrd(("encoding: raw", "encoding: raw\ndata file: missing.raw")), False)
    family.add(
        "MetaImage without direction",
        _meta(("TransformMatrix = 1 0 0 0 1 0 0 0 1\n", "")),
        False,
        "right and left",
    )
    family.add("MetaImage without spacing", _meta(("ElementSpacing = 0.75 1.5 2.5\n", "")), False)
    family.add("MetaImage with spacing zero", _meta(("ElementSpacing = 0.75", "ElementSpacing = 0")), False)
    family.add("MetaImage with negative spacing", _meta(("ElementSpacing = 0.75", "ElementSpacing = -0.75")), None)
    family.add("MetaImage with NaN spacing", _meta(("ElementSpacing = 0.75", "ElementSpacing = nan")), False)
    family.add("MetaImage with direction zero", _meta(("TransformMatrix = 1", "TransformMatrix = 0")), False)
    family.add("MetaImage with NaN direction", _meta(("TransformMatrix = 1", "TransformMatrix = nan")), False)
    family.add("MetaImage with NaN origin", _meta(("Offset = -31.5", "Offset = nan")), False)
    family.add("MetaImage with more voxels than data", _meta(("DimSize = 20 16 12", "DimSize = 20 16 1200")), False)
    family.add("MetaImage with enormous sizes", _meta(("DimSize = 20 16 12", "DimSize = 90000 90000 90000")), False)
    family.add("MetaImage with zero sizes", _meta(("DimSize = 20 16 12", "DimSize = 20 0 12")), False)
    family.add(
        "MetaImage with its data elsewhere", _meta(("ElementDataFile = LOCAL", "ElementDataFile = no.raw")), False
    )
    family.add("MetaImage of unknown type", _meta(("MET_SHORT", "MET_SECRET")), False)
    family.add("name of bytes that are no text", _byte_name, False)
    return family.cases


def _as(ending: str, kind: str = "int16", *, packed: bool = False) -> Build:
    def build(folder: Path, _: np.random.Generator) -> Path:
        volume = true_volume()
        path = folder / f"scan{ending}"
        sitk.WriteImage(volume.like(volume.voxels.astype(kind)).to_image(), str(path), packed)
        return path

    return build


def _values(ending: str, value: float) -> Build:
    def build(folder: Path, _: np.random.Generator) -> Path:
        volume = true_volume()
        voxels = volume.voxels.astype(np.float32)
        voxels[4, 5, 6] = value
        path = folder / f"scan{ending}"
        sitk.WriteImage(volume.like(voxels).to_image(), str(path))
        return path

    return build


def _complex(ending: str) -> Build:
    def build(folder: Path, _: np.random.Generator) -> Path:
        path = folder / f"scan{ending}"
        if ending.startswith(".nii"):
            nibabel.save(nibabel.Nifti1Image(np.ones((4, 5, 6), np.complex64), np.eye(4)), path)
        else:
            sitk.WriteImage(sitk.GetImageFromArray(np.ones((4, 5, 6, 2), np.float32), isVector=True), str(path))
        return path

    return build


def _colours(ending: str) -> Build:
    def build(folder: Path, _: np.random.Generator) -> Path:
        path = folder / f"scan{ending}"
        sitk.WriteImage(sitk.GetImageFromArray(np.ones((4, 5, 6, 3), np.uint8), isVector=True), str(path))
        return path

    return build


def _repeated(ending: str, times: int) -> Build:
    def build(folder: Path, _: np.random.Generator) -> Path:
        path = folder / f"scan{ending}"
        sitk.WriteImage(sitk.JoinSeries([true_volume().to_image()] * times), str(path))
        return path

    return build


def _flat(ending: str) -> Build:
    def build(folder: Path, _: np.random.Generator) -> Path:
        path = folder / f"scan{ending}"
        sitk.WriteImage(sitk.GetImageFromArray(true_volume().voxels[3]), str(path))
        return path

    return build


def _cut(ending: str, share: float, *, packed: bool = False) -> Build:
    def build(folder: Path, generator: np.random.Generator) -> Path:
        path = _as(ending, packed=packed)(folder, generator)
        cut(path, int(share * path.stat().st_size))
        return path

    return build


def _shorter(ending: str) -> Build:
    def build(folder: Path, generator: np.random.Generator) -> Path:
        path = _as(ending)(folder, generator)
        cut(path, path.stat().st_size - 1)
        return path

    return build


def _flipped(ending: str, count: int, *, packed: bool = False) -> Build:
    def build(folder: Path, generator: np.random.Generator) -> Path:
        path = _as(ending, packed=packed)(folder, generator)
        flip(path, generator, count, start=700)
        return path

    return build


def _flip_axis(axis: int) -> Build:
    def build(folder: Path, _: np.random.Generator) -> Path:
        path = folder / "scan.nii"
        turned = [number == axis for number in range(3)]
        sitk.WriteImage(sitk.Flip(true_volume().to_image(), turned), str(path))
        return path

    return build


def _nifti(*changes: tuple[int, bytes], scale: float = 1.0) -> Build:
    """Writes the true volume with other bytes in its header; lengths in other units where ``scale`` says so."""

    def build(folder: Path, _: np.random.Generator) -> Path:
        volume = true_volume()
        ras = np.diag([-1.0, -1.0, 1.0, 1.0]) @ volume.ijk_to_lps
        ras[:3] *= scale
        image = nibabel.Nifti1Image(volume.voxels.transpose(2, 1, 0), ras)
        image.set_qform(ras, 1)
        image.set_sform(ras, 1)
        image.header.set_xyzt_units("mm")
        path = folder / "scan.nii"
        nibabel.save(image, path)
        data = bytearray(path.read_bytes())
        for place, content in changes:
            data[place : place + len(content)] = content
        path.write_bytes(data)
        return path

    return build


def _float_row(*values: float) -> bytes:
    return struct.pack("<4f", *values, 0)


def _renamed(old: str, new: str) -> Build:
    def build(folder: Path, generator: np.random.Generator) -> Path:
        return _as(old)(folder, generator).rename(folder / f"scan{new}")

    return build


def _nrrd(*changes: tuple[str, str]) -> Build:
    header = (
        "NRRD0005\ntype: short\ndimension: 3\nspace: left-posterior-superior\nsizes: 20 16 12\n"
        "space directions: (0.75,0,0) (0,1.5,0) (0,0,2.5)\nkinds: domain domain domain\nendian: little\n"
        "encoding: raw\nspace origin: (-31.5,12.25,140)\n\n"
    )
    return _with_header(header, "scan.nrrd", changes)


def _meta(*changes: tuple[str, str]) -> Build:
    header = (
        "ObjectType = Image\nNDims = 3\nBinaryData = True\nBinaryDataByteOrderMSB = False\nCompressedData = False\n"
        "TransformMatrix = 1 0 0 0 1 0 0 0 1\nOffset = -31.5 12.25 140\nElementSpacing = 0.75 1.5 2.5\n"
        "DimSize = 20 16 12\nElementType = MET_SHORT\nElementDataFile = LOCAL\n"
    )
    return _with_header(header, "scan.mha", changes)


def _with_header(header: str, name: str, changes: tuple[tuple[str, str], ...]) -> Build:
    for old, new in changes:
        assert old in header
        header = header.replace(old, new)

    def build(folder: Path, _: np.random.Generator) -> Path:
        (folder / name).write_bytes(header.encode() + true_volume().voxels.tobytes())
        return folder / name

    return build


def _byte_name(folder: Path, generator: np.random.Generator) -> Path:
    path = _as(".nii.gz")(folder, generator)
    return path.rename(folder / "scan\udcff\udcfe.nii.gz")
