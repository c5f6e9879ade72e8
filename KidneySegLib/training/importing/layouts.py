"""How data sets are arranged in folders: KiTS, nnU-Net, Medical Decathlon, Slicer, DICOM with SEG, and pairs of files.

To add an arrangement, add a function: it takes the folder and returns what lies in it, or None if it is another one.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from KidneySegLib.errors import InputError
from KidneySegLib.readers.dicom.finding.scan import files_below, is_dicom_file
from KidneySegLib.structures import STRUCTURES
from KidneySegLib.training.importing.case import Fault, Listing
from KidneySegLib.training.importing.pairs import pairs

_DATASET = "dataset.json"
_LARGEST_JSON = 1 << 24
_KITS = {0: "background", 1: "kidney", 2: "tumor", 3: "cyst"}
# of KiTS19 and 23, and of KiTS21, where several people drew and a majority decided
_KITS_LABELS = ("segmentation.nii.gz", "aggregated_MAJ_seg.nii.gz")
_OWN = {0: "background"} | {structure.label: structure.key for structure in STRUCTURES}
_SEG_MODALITY = "SEG"


def find_cases(folder: Path) -> Listing:
    """Returns what lies in a folder.

    Raises:
        InputError: it is not a folder, or nothing in it looks like labelled images.
    """
    if not folder.is_dir():
        raise InputError("The folder of the data set does not exist. Check the path.")
    for layout in LAYOUTS:
        found = layout(folder)
        if found is not None and (found.cases or found.faults):
            return found
    raise InputError(
        "Nothing in the folder looks like labelled images. Known are KiTS, nnU-Net raw, Medical Decathlon, DICOM SEG, "
        "cases exported from Slicer, and pairs of files such as case.nii.gz and case_seg.nii.gz."
    )


def _kits(folder: Path) -> Listing | None:
    """``case_00000/imaging.nii.gz`` beside its labels, below the folder or its folder ``data`` or ``dataset``."""
    found = Listing("KiTS")
    for parent in (folder, folder / "data", folder / "dataset"):
        for case in sorted(parent.glob("case_*")):
            names = [name for name in _KITS_LABELS if (case / name).is_file()]
            if names or (case / "imaging.nii.gz").exists():
                found.add(case.name, case / "imaging.nii.gz", case / (names or _KITS_LABELS)[0], _KITS)
    return found if found.cases or found.faults else None


def _exported(folder: Path) -> Listing | None:
    """``image.nii.gz`` and ``mask.nii.gz``, as Slicer's module exports cases; ``labels.json`` names numbers."""
    found = Listing("cases of KidneySeg")
    for image in sorted({*folder.glob("image.nii.gz"), *folder.glob("*/image.nii.gz")}):
        names: Mapping[int, str] | None = _OWN
        if (image.parent / "labels.json").is_file():
            names = _numbers(_read_json(image.parent / "labels.json", found, image.parent.name).get("labels"))
            if names is None:
                found.faults.append(_unnamed(image.parent.name, "labels.json"))
                continue
            names = {0: "background"} | dict(names)
        found.add(image.parent.name, image, image.parent / "mask.nii.gz", names)
    return found if found.cases or found.faults else None


def _nnunet(folder: Path) -> Listing | None:
    """``dataset.json`` with labels by name beside ``imagesTr`` and ``labelsTr``."""
    if not (folder / _DATASET).is_file() or not (folder / "labelsTr").is_dir():
        return None
    found = Listing("nnU-Net raw")
    data = _read_json(folder / _DATASET, found, "")
    if found.faults or isinstance(data.get("training"), list):
        return found if found.faults else None  # the Decathlon lists its files
    names, ending = _numbers(data.get("labels")), data.get("file_ending", ".nii.gz")
    channels = data.get("channel_names") or data.get("modality")
    if names is None or not isinstance(ending, str):
        found.faults.append(_unnamed("", _DATASET))
        return found
    if not isinstance(channels, dict) or len(channels) != 1:
        found.faults.append(
            Fault(
                "",
                "channels",
                "The data set has not exactly one channel. KidneySeg works with one CT image of an exam.",
            )
        )
        return found
    labels = {path.name.removesuffix(ending): path for path in sorted((folder / "labelsTr").glob(f"*{ending}"))}
    images = {p.name.removesuffix(f"_0000{ending}"): p for p in sorted((folder / "imagesTr").glob(f"*_0000{ending}"))}
    for name in sorted({*labels, *images}):
        missing = folder / "imagesTr" / f"{name}_0000{ending}", folder / "labelsTr" / f"{name}{ending}"
        found.add(name, images.get(name, missing[0]), labels.get(name, missing[1]), names)
    return _told_number(found, data)


def _decathlon(folder: Path) -> Listing | None:
    """``dataset.json`` with labels by number and a list of the files for training."""
    if not (folder / _DATASET).is_file():
        return None
    found = Listing("Medical Decathlon")
    data = _read_json(folder / _DATASET, found, "")
    listed = data.get("training")
    if found.faults or not isinstance(listed, list):
        return found if found.faults else None
    names = _numbers(data.get("labels"))
    if names is None:
        found.faults.append(_unnamed("", _DATASET))
        return found
    for number, entry in enumerate(listed, start=1):
        paths = [_inside(folder, entry.get(key)) if isinstance(entry, dict) else None for key in ("image", "label")]
        if None in paths:
            found.faults.append(
                Fault(
                    f"entry {number}", "listed_outside", "The list names no file inside the data set. Correct the list."
                )
            )
            continue
        image, label = (path for path in paths if path is not None)
        found.add(image.name.split(".")[0], image, label, names)
    return _told_number(found, data)


def _dicom(folder: Path) -> Listing | None:
    """DICOM series and DICOM segmentations: one exam in the folder, or in each folder below."""
    from pydicom.errors import InvalidDicomError

    from KidneySegLib.readers.dicom.images.opening import open_dicom

    found = Listing("DICOM with SEG")
    places = [folder, *sorted(path for path in folder.iterdir() if path.is_dir())]
    for place in places:
        files = files_below(place)[0] if place != folder else [path for path in place.iterdir() if path.is_file()]
        segments, patient, series = [], "", False
        for path in sorted(files):
            if not is_dicom_file(path):
                continue
            try:
                header = open_dicom(path, stop_before_pixels=True, specific_tags=["Modality", "PatientID"])
            except (InvalidDicomError, OSError, ValueError):
                continue
            patient = str(header.get("PatientID", "")) or patient
            if header.get("Modality") == _SEG_MODALITY:
                segments.append(path)
            else:
                series = True
        if not segments and not series:
            continue
        name = f"case_{len(found.cases) + len(found.faults) + 1:04d}"  # folders of DICOM are often called by names
        if len(segments) > 1:
            found.faults.append(
                Fault(name, "several_labels", "There are several segmentations. Keep the one that is meant.")
            )
        elif not series:
            found.faults.append(
                Fault(name, "image_missing", "The segmentation has no CT series beside it. Add the series.")
            )
        else:
            found.add(name, place, segments[0] if segments else place / "none", None, patient)
    return found if found.cases or found.faults else None


LAYOUTS: tuple[Callable[[Path], Listing | None], ...] = (_kits, _nnunet, _decathlon, _exported, pairs, _dicom)


def _read_json(path: Path, found: Listing, case: str) -> dict[str, Any]:
    """Returns what a JSON file holds; what cannot be read is a fault and gives nothing."""
    try:
        if path.stat().st_size > _LARGEST_JSON:
            raise ValueError("too large")
        data = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(data, dict):
            return data
    except (OSError, ValueError, RecursionError):
        pass
    found.faults.append(Fault(case, "list_unreadable", f"{path.name} is damaged. Get the data set again."))
    return {}


def _numbers(labels: Any) -> dict[int, str] | None:
    """Returns the names of numbers, from names of numbers or numbers of names; None if it is neither.

    A name may stand for several numbers (nnU-Net's regions): a number then has the name of its smallest region.
    """
    if not isinstance(labels, dict) or not labels:
        return None
    named: dict[int, tuple[int, str]] = {}
    try:
        for key, value in labels.items():
            if isinstance(value, str):
                own, name = [int(key)], value
            else:
                own, name = [int(number) for number in (value if isinstance(value, list) else [value])], str(key)
            for number in own:
                if number not in named or len(own) < named[number][0]:
                    named[number] = len(own), name
    except (TypeError, ValueError):
        return None
    return {number: name for number, (_, name) in named.items()}


def _unnamed(case: str, file: str) -> Fault:
    return Fault(
        case, "labels_unnamed", f"{file} does not say which number is which structure. Add its labels by name."
    )


def _told_number(found: Listing, data: Mapping[str, Any]) -> Listing:
    """Adds a fault where the list says another number of cases than there are."""
    told = data.get("numTraining")
    if isinstance(told, int) and told != len(found.cases) + len(found.faults):
        found.faults.append(
            Fault("", "number_of_cases", f"{_DATASET} speaks of {told} cases, but others are there. Get it again.")
        )
    return found


def _inside(folder: Path, name: Any) -> Path | None:
    """Returns a path below the folder, or None if the name leads elsewhere."""
    if not isinstance(name, str) or "\0" in name:
        return None
    path = folder / name
    return path if path.resolve().is_relative_to(folder.resolve()) else None
