"""Faulty data sets of others: every fault is named, and what has one is never trained on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import dataset_cases as made
import numpy as np
import pytest
import SimpleITK as sitk


def _change(path: Path, change: Callable[[sitk.Image], sitk.Image | None]) -> None:
    image = sitk.ReadImage(str(path))
    sitk.WriteImage(change(image) or image, str(path))


def _values(path: Path, change: Callable[[np.ndarray], np.ndarray | None], kind: type = np.int16) -> None:
    """Changes the voxels of a file on its grid."""
    image = sitk.ReadImage(str(path))
    array = sitk.GetArrayFromImage(image).astype(kind)
    result = change(array)
    new = sitk.GetImageFromArray(array if result is None else result)
    if new.GetSize() == image.GetSize():
        new.CopyInformation(image)
    else:
        new.SetSpacing(image.GetSpacing())
    sitk.WriteImage(new, str(path))


def _fill(value: float, box: tuple = (Ellipsis,)) -> Callable[[np.ndarray], None]:
    def fill(array: np.ndarray) -> None:
        array[box] = value

    return fill


def _swap(array: np.ndarray) -> np.ndarray:
    return np.where(array == 1, 2, np.where(array == 2, 1, array)).astype(array.dtype)


def _cut(path: Path, size: int) -> None:
    path.write_bytes(path.read_bytes()[:size])


def _without_numbers(folder: Path) -> None:
    """ITK takes what is no number in NIfTI for 0, so the labels are NRRD."""
    (folder / MASK).unlink()
    array = made.kidneys().astype(np.float32)
    array[0, 0, 0] = np.nan
    made.write(folder / "exam1_seg.nrrd", array)


IMAGE, MASK = "exam1.nii.gz", "exam1_seg.nii.gz"
# what is done to the second of two good cases, and the code of the fault
FAULTS: dict[str, tuple[Callable[[Path], object], str]] = {
    "image away": (lambda f: (f / IMAGE).unlink(), "image_missing"),
    "labels away": (lambda f: (f / MASK).unlink(), "labels_missing"),
    "image empty file": (lambda f: (f / IMAGE).write_bytes(b""), "image_unreadable"),
    "image no NIfTI": (lambda f: (f / IMAGE).write_bytes(b"no image at all" * 50), "image_unreadable"),
    "image cut off": (lambda f: _cut(f / IMAGE, 2000), "image_unreadable"),
    "labels empty file": (lambda f: (f / MASK).write_bytes(b""), "labels_unreadable"),
    "labels no NIfTI": (lambda f: (f / MASK).write_bytes(b"nothing" * 99), "labels_unreadable"),
    "labels cut off": (lambda f: _cut(f / MASK, 120), "labels_unreadable"),
    "spacing of labels": (lambda f: _change(f / MASK, lambda i: i.SetSpacing((3.0, 3.0, 5.0))), "spacing"),
    "pixels of labels": (lambda f: _change(f / MASK, lambda i: i.SetSpacing((1.0, 1.0, 4.0))), "spacing"),
    "place of labels": (lambda f: _change(f / MASK, lambda i: i.SetOrigin((9.0, 0.0, 0.0))), "affine"),
    "half a voxel off": (lambda f: _change(f / MASK, lambda i: i.SetOrigin((0.0, 1.5, 0.0))), "affine"),
    "labels mirrored": (
        lambda f: _change(f / MASK, lambda i: i.SetDirection((-1.0, 0, 0, 0, 1.0, 0, 0, 0, 1.0))),
        "affine",
    ),
    "labels upside down": (
        lambda f: _change(f / MASK, lambda i: i.SetDirection((1.0, 0, 0, 0, 1.0, 0, 0, 0, -1.0))),
        "affine",
    ),
    "a slice less": (lambda f: _values(f / MASK, lambda a: a[:-1]), "shape"),
    "other pixels": (lambda f: _values(f / MASK, lambda a: a[:, ::2, ::2]), "shape"),
    "axes exchanged": (lambda f: _values(f / MASK, lambda a: a.transpose(2, 1, 0)), "shape"),
    "nothing labelled": (lambda f: _values(f / MASK, _fill(0)), "labels_empty"),
    "unknown number": (lambda f: _values(f / MASK, _fill(7, (0, 0, 0))), "unknown_label"),
    "negative number": (lambda f: _values(f / MASK, _fill(-1, (0, 0, 0))), "labels_not_whole"),
    "half numbers": (lambda f: _values(f / MASK, _fill(0.5, (0, 0, 0)), np.float32), "labels_not_whole"),
    "no numbers": (_without_numbers, "labels_not_whole"),
    "image as labels": (lambda f: (f / MASK).write_bytes((f / IMAGE).read_bytes()), "labels_not_whole"),
    "sides exchanged": (lambda f: _values(f / MASK, _swap), "sides"),
    "one kidney on the wrong side": (lambda f: _values(f / MASK, lambda a: _swap(np.where(a == 2, 0, a))), "sides"),
    "labels in the air": (lambda f: _values(f / MASK, lambda a: np.roll(a, 20, axis=1)), "labels_beside_tissue"),
    "a speck": (
        lambda f: _values(f / MASK, lambda a: np.where(np.cumsum(a > 0).reshape(a.shape) < 9, a, 0)),
        "volume_implausible",
    ),
    "everything labelled": (
        lambda f: (
            [_values(f / MASK, _fill(1))]
            + [_change(f / n, lambda i: i.SetSpacing((11.0, 11.0, 11.0))) for n in (IMAGE, MASK)]
        ),
        "volume_implausible",
    ),
    "an image of one value": (lambda f: _values(f / IMAGE, _fill(0)), "image_"),
    "an image without numbers": (lambda f: _values(f / IMAGE, _fill(np.nan), np.float32), "image_"),
    "spacing in metres": (
        lambda f: [_change(f / n, lambda i: i.SetSpacing((0.003, 0.003, 0.004))) for n in (IMAGE, MASK)],
        "image_|spacing",
    ),
    "spacing of 40 mm": (
        lambda f: [_change(f / n, lambda i: i.SetSpacing((3.0, 3.0, 40.0))) for n in (IMAGE, MASK)],
        "spacing_implausible",
    ),
    "two slices": (lambda f: [_values(f / n, lambda a: a[5:7]) for n in (IMAGE, MASK)], "too_few_slices"),
    "the image of the other case": (
        lambda f: (f / IMAGE).write_bytes((f / "exam0.nii.gz").read_bytes()),
        "patient_twice",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_case_is_named_and_never_trained_on(tmp_path: Path, fault: str) -> None:
    source = made.itk_snap(tmp_path / "source")
    spoil, code = FAULTS[fault]
    spoil(source)
    found = made.imported(source, tmp_path / "data")
    assert [case.name for case in found.cases] == ["exam0"], "the good case is imported all the same"
    (told,) = found.faults
    assert told.case == "exam1" and any(told.code.startswith(each) for each in code.split("|")), told
    assert told.sentence.endswith(".") and str(tmp_path) not in told.sentence and "\n" not in told.sentence
    written = {path.parent.name for path in (tmp_path / "data").rglob("image.nii.gz")}
    assert written == {"exam0"}


# whole data sets whose lists, names or arrangement are wrong, and the code of the first fault
SETS: dict[str, tuple[Callable[[Path], object], str]] = {
    "dataset.json damaged": (lambda f: (made.nnunet(f) / "dataset.json").write_text("{"), "list_unreadable"),
    "dataset.json a list": (lambda f: (made.nnunet(f) / "dataset.json").write_text("[1]"), "list_unreadable"),
    "no labels in it": (lambda f: made.nnunet(f, labels={}), "labels_unnamed"),
    "labels no numbers": (lambda f: made.nnunet(f, labels={"kidney": "one"}), "labels_unnamed"),
    "two channels": (lambda f: made.nnunet(f, channel_names={"0": "CT", "1": "PET"}), "channels"),
    "another number of cases": (lambda f: made.nnunet(f, numTraining=9), "number_of_cases"),
    "an unknown name": (lambda f: made.nnunet(f, labels={"background": 0, "spleen": 1}), "unknown_name"),
    "labels without an image": (lambda f: (made.nnunet(f) / "imagesTr/exam1_0000.nii.gz").unlink(), "image_missing"),
    "image without labels": (lambda f: (made.nnunet(f) / "labelsTr/exam1.nii.gz").unlink(), "labels_missing"),
    "a list that leads out": (
        lambda f: made.decathlon(f, training=[{"image": "../../etc/passwd", "label": "x"}], numTraining=1),
        "listed_outside",
    ),
    "a list of something else": (lambda f: made.decathlon(f, training=[7], numTraining=1), "listed_outside"),
    "a file that is not there": (
        lambda f: made.decathlon(f, training=[{"image": "a.nii.gz", "label": "b.nii.gz"}], numTraining=1),
        "image_missing",
    ),
    "Decathlon without names": (lambda f: made.decathlon(f, labels=None), "labels_unnamed"),
    "KiTS without its images": (lambda f: (made.kits(f) / "case_00001/imaging.nii.gz").unlink(), "image_missing"),
    "KiTS without its labels": (lambda f: (made.kits(f) / "case_00001/segmentation.nii.gz").unlink(), "labels_missing"),
    "pairs without names": (lambda f: (made.itk_snap(f) / "labels.txt").unlink(), "labels_unnamed"),
    "descriptions that differ": (
        lambda f: (made.itk_snap(f) / "more.txt").write_text(made.ITK_SNAP.replace("Left kidney", "Cyst")),
        "names_differ",
    ),
    "MITK's names damaged": (lambda f: made.mitk(f, groups="[{"), "labels_unnamed"),
    "MITK's names unknown": (
        lambda f: made.mitk(f, groups='[{"labels": [{"name": "a", "value": 1}, {"name": "b", "value": 2}]}]'),
        "unknown_name",
    ),
    "a segment of the liver": (lambda f: made.slicer(f, name="Liver"), "unknown_name"),
    "voxels of no segment": (lambda f: made.slicer(f, extra=9), "labels_unreadable"),
    "labels.json without names": (lambda f: made.exported(f, labels={}), "labels_unnamed"),
}


@pytest.mark.parametrize("fault", SETS)
def test_a_faulty_data_set_is_told(tmp_path: Path, fault: str) -> None:
    make, code = SETS[fault]
    make(tmp_path / "source")
    found = made.imported(tmp_path / "source", tmp_path / "data")
    assert code in {told.code for told in found.faults}, found.faults
    refused = {told.case for told in found.faults}
    assert not refused & {case.name for case in found.cases}
    assert all(told.sentence.endswith(".") and "\n" not in told.sentence for told in found.faults)


def test_the_battery_is_as_large_as_promised() -> None:
    assert len(FAULTS) + len(SETS) >= 40
