"""Image files with rounded or odd geometry, with voxels elsewhere, and with values that were cast on their way."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from Fuzz.case import Case, Family
from Fuzz.image_faults import PIXDIM, QFORM_CODE, ROWS, Build, _as, _meta, _nifti, _nrrd
from Fuzz.truth import ANYWHERE, SLICES, true_volume

DIM = 40
LOOSE = {"truth": ANYWHERE, "tolerance": 1e9}
RAW = "encoding: raw"


def geometries() -> list[Case]:
    """Returns cases of geometry that is slightly off, or said in an odd way."""
    family = Family("odd geometry")
    for off in (1e-5, 1e-4, 5e-4):
        turned = struct.pack("<f", -1.5 * off)
        family.add(
            f"NIfTI axes off by {off:g}, sform only",
            _nifti((ROWS + 4, turned), (QFORM_CODE, b"\0\0")),
            True,
            slices=SLICES,
        )
        family.add(f"NIfTI axes off by {off:g}, qform too", _nifti((ROWS + 4, turned)), True, slices=SLICES)
        family.add(f"NRRD axes off by {off:g}", _nrrd(("(0,1.5,0)", f"({1.5 * off:g},1.5,0)")), True, slices=SLICES)
        family.add(f"MetaImage axes off by {off:g}", _meta(("= 1 0 0 0 1", f"= 1 0 0 {off:g} 1")), True, slices=SLICES)
    family.add(
        "NIfTI axes off by 0.01",
        _nifti((ROWS + 4, struct.pack("<f", 0.015)), (QFORM_CODE, b"\0\0")),
        False,
        "right angles",
    )
    family.add(
        "NIfTI transforms a little apart",
        _nifti((ROWS + 12, struct.pack("<f", 31.6))),
        True,
        truth=ANYWHERE,
        tolerance=4,
    )
    family.add("NIfTI with negative pixdim", _nifti((PIXDIM + 4, struct.pack("<f", -0.75))), False)
    family.add("NRRD in LAS", _nrrd(("left-posterior-superior", "left-anterior-superior")), None, **LOOSE)
    family.add("NRRD space abbreviated", _nrrd(("left-posterior-superior", "LPS")), True, slices=SLICES)
    family.add("NRRD with units of space", _nrrd((RAW, 'space units: "mm" "mm" "mm"\n' + RAW)), True, slices=SLICES)
    family.add("NRRD of a scanner's own space", _nrrd(("left-posterior-superior", "scanner-xyz-time")), False)
    for ending in (".nii", ".nii.gz", ".nrrd", ".mha"):
        family.add(f"{ending} with a name of other letters", _named(ending, "böbrek-腎臓"), True, slices=SLICES)
    family.add("a folder named like a file", _folder, False)
    return family.cases


def other_files() -> list[Case]:
    """Returns cases of headers that name other files for their voxels, and of sizes that no memory holds."""
    family = Family("voxels elsewhere")
    family.add("NRRD header and data", _detached(f"{RAW}\ndata file: scan.raw"), True, slices=SLICES)
    family.add("NRRD list of slices", _listed, True, slices=SLICES)
    outside = (
        "/etc/passwd",
        "../../../../../../etc/passwd",
        "../outside.raw",
        "/dev/zero",
        "http://localhost/x",
        ".",
        "link.raw",
    )
    for name in outside:
        family.add(f"NRRD data in {name}", _detached(f"{RAW}\ndata file: {name}"), False, "another folder")
        family.add(f"MetaImage data in {name}", _meta(("= LOCAL", f"= {_linked(name)}")), False, "another folder")
    for value in ("LIST\n/etc/passwd\n/etc/hosts", "/etc/pass%d 1 3 1", "LIST 2\n../outside.raw"):
        family.add(f"NRRD data of {value!r}", _detached(f"{RAW}\ndata file: {value}"), False)
        family.add(f"MetaImage data of {value!r}", _meta(("= LOCAL\n", f"= {value}\n")), False)
    for skip in ("-1", "99999999", "x", "-99"):
        family.add(f"NRRD that skips {skip} bytes", _nrrd((RAW, f"{RAW}\nbyte skip: {skip}")), None, **LOOSE)
        family.add(
            f"MetaImage that skips {skip} bytes", _meta(("DimSize", f"HeaderSize = {skip}\nDimSize")), None, **LOOSE
        )
    many = struct.pack("<4h", 3, 8000, 8000, 8000)
    family.add("NIfTI that claims 512 billion voxels", _nifti((DIM, many)), False)
    family.add("NRRD that claims 512 billion voxels", _nrrd(("20 16 12", "8000 8000 8000")), False)
    family.add("MetaImage that claims 512 billion voxels", _meta(("20 16 12", "8000 8000 8000")), False)
    family.add("packed NIfTI that claims 512 billion voxels", _packed((DIM, many)), False)
    return family.cases


def values() -> list[Case]:
    """Returns cases of values that lost their sign or their offset: right again and told, or told."""
    family = Family("values that were cast")
    for ending in (".nii.gz", ".nrrd", ".mha"):
        family.add(f"{ending} cast to uint16", _cast(ending, "uint16"), True, flags=("negatives_wrapped",))
        family.add(f"{ending} cast to uint32", _cast(ending, "uint32"), True, flags=("negatives_wrapped",))
        family.add(f"{ending} cut at 0", _cast(ending, "uint16", cut=True), None, **LOOSE)
    return family.cases


def _named(ending: str, name: str) -> Build:
    def build(folder: Path, generator: np.random.Generator) -> Path:
        return _as(ending)(folder, generator).rename(folder / f"{name}{ending}")

    return build


def _folder(folder: Path, _: np.random.Generator) -> Path:
    (folder / "scan.nii.gz").mkdir()
    return folder / "scan.nii.gz"


def _linked(name: str) -> str:
    return name if name != "link.raw" else "../link.raw"


def _detached(encoding: str) -> Build:
    def build(folder: Path, generator: np.random.Generator) -> Path:
        path = _nrrd((RAW, encoding))(folder, generator)
        data = path.read_bytes()
        path.write_bytes(data[: data.index(b"\n\n") + 2])
        (folder / "scan.raw").write_bytes(true_volume().voxels.tobytes())
        (folder.parent / "outside.raw").write_bytes(true_volume().voxels.tobytes())
        (folder / "link.raw").symlink_to(folder.parent / "outside.raw")
        return path.rename(folder / "scan.nhdr")

    return build


def _listed(folder: Path, generator: np.random.Generator) -> Path:
    names = [f"{k}.raw" for k in range(SLICES)]
    header = _detached(RAW)(folder, generator)
    text = header.read_text().rstrip("\n")
    header.write_text(f"{text}\ndata file: LIST\n" + "\n".join(names) + "\n")
    for name, plane in zip(names, true_volume().voxels, strict=True):
        (folder / name).write_bytes(plane.tobytes())
    return header


def _packed(change: tuple[int, bytes]) -> Build:
    def build(folder: Path, generator: np.random.Generator) -> Path:
        path = _nifti(change)(folder, generator)
        (folder / "scan.nii.gz").write_bytes(gzip.compress(path.read_bytes()))
        return folder / "scan.nii.gz"

    return build


def _cast(ending: str, kind: str, *, cut: bool = False) -> Build:
    def build(folder: Path, _: np.random.Generator) -> Path:
        volume = true_volume()
        voxels = np.maximum(volume.voxels, 0) if cut else volume.voxels
        path = folder / f"scan{ending}"
        sitk.WriteImage(volume.like(voxels.astype(kind)).to_image(), str(path))
        return path

    return build
