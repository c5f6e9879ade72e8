"""Made labelled data sets in the arrangements that are imported."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from KidneySegLib.training.importing.importing import Imported, import_cases
from KidneySegLib.training.importing.layouts import find_cases

SHAPE = (12, 40, 60)
SPACING = (3.0, 3.0, 4.0)


def body(seed: int = 0) -> np.ndarray:
    """A trunk of soft tissue in air, int16 HU ``(k, j, i)``; another noise for every seed."""
    hu = np.full(SHAPE, -1000, np.int16)
    hu[:, 4:36, 4:56] = 20 + np.random.default_rng(seed).integers(-10, 10, (12, 32, 52))
    return hu


def kidneys(right: int = 1, left: int = 2) -> np.ndarray:
    """Two kidneys of about 11 ml; canonical i runs to the patient's left."""
    labels = np.zeros(SHAPE, np.int16)
    labels[3:9, 16:24, 10:17] = right
    labels[3:9, 16:24, 44:51] = left
    return labels


def picture(array: np.ndarray, spacing=SPACING, origin=(0.0, 0.0, 0.0), direction=None) -> sitk.Image:
    image = sitk.GetImageFromArray(array)
    image.SetSpacing(spacing)
    image.SetOrigin(origin)
    if direction is not None:
        image.SetDirection(direction)
    return image


def write(path: Path, array: np.ndarray, **geometry) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    sitk.WriteImage(picture(array, **geometry), str(path))
    return path


def kits(folder: Path, count: int = 2) -> Path:
    for number in range(count):
        labels = kidneys(1, 1)
        labels[5:7, 18:22, 12:15] = 2
        labels[4:6, 18:20, 46:48] = 3
        write(folder / f"case_{number:05d}/imaging.nii.gz", body(number))
        write(folder / f"case_{number:05d}/segmentation.nii.gz", labels)
    return folder


def nnunet(folder: Path, count: int = 2, **changes) -> Path:
    labels = {"background": 0, "kidney": 1, "tumor": 2}
    for number in range(count):
        write(folder / f"imagesTr/exam{number}_0000.nii.gz", body(number))
        write(folder / f"labelsTr/exam{number}.nii.gz", kidneys(1, 1))
    data = {"channel_names": {"0": "CT"}, "labels": labels, "numTraining": count, "file_ending": ".nii.gz", **changes}
    (folder / "dataset.json").write_text(json.dumps(data))
    return folder


def decathlon(folder: Path, count: int = 2, **changes) -> Path:
    listed = []
    for number in range(count):
        write(folder / f"imagesTr/exam_{number}.nii.gz", body(number))
        write(folder / f"labelsTr/exam_{number}.nii.gz", kidneys())
        listed.append({"image": f"./imagesTr/exam_{number}.nii.gz", "label": f"./labelsTr/exam_{number}.nii.gz"})
    names = {"0": "background", "1": "right kidney", "2": "left kidney"}
    (folder / "dataset.json").write_text(
        json.dumps({"labels": names, "training": listed, "numTraining": count, **changes})
    )
    return folder


ITK_SNAP = """################################################
# ITK-SnAP Label Description File
# IDX   -R-  -G-  -B-  -A--  VIS MSH  LABEL
    0     0    0    0        0  0  0    "Clear Label"
    1   255    0    0        1  1  1    "Right kidney"
    2     0  255    0        1  1  1    "Left kidney"
"""


def itk_snap(folder: Path, count: int = 2) -> Path:
    for number in range(count):
        write(folder / f"exam{number}.nii.gz", body(number))
        write(folder / f"exam{number}_seg.nii.gz", kidneys())
    (folder / "labels.txt").write_text(ITK_SNAP)
    return folder


def mitk(folder: Path, groups: str | None = None) -> Path:
    write(folder / "exam.nrrd", body())
    image = picture(kidneys().astype(np.uint16))
    named = [{"labels": [{"name": "Right kidney", "value": 1}, {"name": "Left kidney", "value": 2}]}]
    image.SetMetaData("org.mitk.multilabel.segmentation.labelgroups", groups or json.dumps(named))
    sitk.WriteImage(image, str(folder / "exam_mask.nrrd"))
    return folder


def slicer(folder: Path, *, name: str = "Right kidney", extra: int = 0) -> Path:
    write(folder / "exam.nrrd", body())
    labels = kidneys().astype(np.uint8)
    labels[0, 0, 0] = extra
    image = picture(labels)
    for number, (identifier, title, value) in enumerate((("Segment_1", name, 1), ("Segment_2", "Left kidney", 2))):
        for key, said in (("ID", identifier), ("Name", title), ("LabelValue", str(value)), ("Layer", "0")):
            image.SetMetaData(f"Segment{number}_{key}", said)
    sitk.WriteImage(image, str(folder / "exam.seg.nrrd"), True)
    return folder


def exported(folder: Path, *, labels: dict[str, int] | None = None) -> Path:
    write(folder / "case_1/image.nii.gz", body())
    write(folder / "case_1/mask.nii.gz", kidneys())
    names = {"kidney_right": 1, "kidney_left": 2} if labels is None else labels
    (folder / "case_1/labels.json").write_text(json.dumps({"labels": names}))
    return folder


def pngs(folder: Path, count: int = 3) -> Path:
    from PIL import Image

    for number in range(count):
        for kind in ("images", "masks"):
            (folder / kind).mkdir(parents=True, exist_ok=True)
        grey = np.random.default_rng(number).integers(0, 255, (40, 60)).astype(np.uint8)
        mask = np.zeros((40, 60), np.uint8)
        mask[10:20, 5:15] = mask[10:20, 45:55] = 255
        Image.fromarray(grey).save(folder / f"images/s{number}.png")
        Image.fromarray(mask).save(folder / f"masks/s{number}.png")
    return folder


def imported(source: Path, output: Path, **options) -> Imported:
    """Imports a data set as the command does; nothing is held out."""
    chosen = {"own": {}, "patients": {}, "validation": 0.0, **options}
    return import_cases(find_cases(source), output, **chosen)
