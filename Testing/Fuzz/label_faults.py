"""Label maps of other programs, damaged or hostile: read right, or one sentence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk

from Fuzz.case import Case, Family
from Fuzz.damage import cut, flip
from Fuzz.image_faults import Build
from Fuzz.truth import true_volume
from KidneySegLib.result_files.labels.files import write_nifti, write_segmentation
from KidneySegLib.result_files.labels.reading import read_labels
from KidneySegLib.volume import Volume


def drawn() -> np.ndarray:
    """Two kidneys, a mass, a cyst and a stone on the true volume's grid."""
    labels = np.zeros(true_volume().voxels.shape, np.uint8)
    labels[2:10, 4:12, 2:8], labels[2:10, 4:12, 12:18] = 1, 2
    labels[3:5, 5:7, 3:5], labels[6:8, 5:7, 3:5], labels[5, 8, 14] = 3, 4, 5
    return labels


def act(path: Path) -> None:
    """Reads a label map onto the true volume; it must be the one that was drawn, or empty."""
    labels = read_labels(path, true_volume()).labels
    assert np.array_equal(labels, drawn()) or not labels.any(), "other labels than were drawn"


def labels() -> list[Case]:
    """Returns cases of label maps by number."""
    family = Family("label maps", reader=act)
    for kind in ("uint8", "int16", "int32", "float32", "float64"):
        family.add(f"of {kind}", _file(lambda values, kind=kind: values.astype(kind)), True)
    family.add("empty", _file(lambda values: values * 0), True)
    family.add("of another size", _file(lambda values: np.tile(values, (1, 1, 2))), False)
    family.add("padded", _padded(), True)
    family.add("moved by half a voxel", _padded(shift=0.5), False, "does not lie")
    family.add("moved by three voxels", _padded(shift=3), False, "outside")
    for name, value in {"seven": 7, "negative": -1, "huge": 1e9, "a half": 0.5, "NaN": np.nan}.items():
        family.add(f"holding {name}", _file(lambda values, value=value: _with(values, value)), False)
    family.add("cut", _file(lambda values: values, size=200), False)
    return family.cases


def segmentations() -> list[Case]:
    """Returns cases of Slicer's segmentation files."""
    family = Family("segmentation files", reader=act)
    family.add("as it should be", _segments(), True)
    family.add("no segments named", _segments(drop="Segment"), False)
    family.add("without values", _segments(drop="_LabelValue"), False)
    wrong = {
        "_Layer": ("-1", "3", "x", "1e9"),
        "_LabelValue": ("x", "900", "-4", ""),
        "_Tags": ("|:|", "TerminologyEntry:~~^^"),
        "_Name": ("", "\x1b[2J", "x" * 9000),
        "_Extent": ("nan", "9 9 9 9 9 9"),
    }
    for field, contents in wrong.items():
        for number, content in enumerate(contents):
            family.add(f"{field[1:]} wrong {number}", _segments(**{f"Segment0{field}": content}), None)
    family.add("two segments of one value", _segments(Segment1_LabelValue="1"), False)
    family.add("a name against its terminology", _segments(Segment1_ID="x", Segment1_Name="Cyst"), False, "terminology")
    family.add("numbers that are none", _segments(Segmentx_ID="mass"), False)
    for number in range(4):
        family.add(f"wrong bytes {number}", _segments(flipped=20), None)
    return family.cases


def _with(values: np.ndarray, value: float) -> np.ndarray:
    changed = values.astype(np.float64)
    changed[0, 0, 0] = value
    return changed


def _file(alter: Any, size: int | None = None) -> Build:
    def build(folder: Path, _: np.random.Generator) -> Path:
        path = folder / "labels.nrrd"
        sitk.WriteImage(Volume(alter(drawn()), true_volume().ijk_to_lps).to_image(), str(path), True)
        if size is not None:
            cut(path, size)
        return path

    return build


def _padded(shift: float = 0.0) -> Build:
    def build(folder: Path, _: np.random.Generator) -> Path:
        volume, padded = true_volume(), np.pad(drawn(), 4)
        matrix = np.array(volume.ijk_to_lps)
        matrix[:3, 3] = volume.to_lps(np.full(3, -4.0 + shift))
        write_nifti(folder / "labels.nii.gz", Volume(padded, matrix), padded)
        return folder / "labels.nii.gz"

    return build


def _segments(drop: str = "\0", flipped: int = 0, **fields: str) -> Build:
    def build(folder: Path, generator: np.random.Generator) -> Path:
        path = folder / "labels.seg.nrrd"
        write_segmentation(path, true_volume(), drawn(), "test")
        image = sitk.ReadImage(str(path))
        for key in image.GetMetaDataKeys():
            if drop in key:
                image.EraseMetaData(key)
        for key, value in fields.items():
            image.SetMetaData(key, value)
        sitk.WriteImage(image, str(path), True)
        if flipped:
            flip(path, generator, flipped, start=path.read_bytes().index(b"\n\n") + 2)
        return path

    return build
