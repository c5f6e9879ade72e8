"""Pairs of PNG pictures and masks, brought to the form of a folder of slices (see ``datasets.slices``)."""

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from KidneySegLib.datasets.slices import LIST, read_grey
from KidneySegLib.errors import InputError, OutputError
from KidneySegLib.structures import BY_KEY, KIDNEYS, Side
from KidneySegLib.training.importing.case import Fault, Listing, case_name, held_out_patients
from KidneySegLib.training.importing.label_names import BACKGROUND, KIDNEY, structure_of_label
from KidneySegLib.training.importing.pairs import descriptions

_MASK_FOLDERS = ("masks", "labels", "kidneys", "segmentations")
_PIXEL_MM = (0.2, 3.0)
_SETS = {False: "train", True: "validation"}
_SLICES = "ct_slices"


@dataclass(frozen=True, eq=False)
class _Picture:
    name: str
    patient: str
    grey: np.ndarray
    labels: np.ndarray


def has_pictures(folder: Path) -> bool:
    """Whether a folder holds ``images`` with PNG files, and a folder of masks."""
    return any((folder / "images").glob("*.png")) and _masks(folder) is not None


def import_pictures(
    folder: Path,
    output: Path,
    *,
    own: Mapping[str, str],
    patients: Mapping[str, str],
    validation: float,
    pixel_mm: float | None,
) -> tuple[int, list[Fault]]:
    """Checks pictures and masks, and writes ``ct_slices/train`` and ``ct_slices/validation``.

    A mask of one value is named after its folder (``--label masks=kidney``), one of several by ITK-SNAP's descriptions.

    Args:
        folder: with ``images`` and masks of the same names.
        output: the data folder.
        own: what the user says of names.
        patients: patient of a picture, by its name; others are patients of their own.
        validation: share of the patients that is held out.
        pixel_mm: pixel size; None leaves it to the recipe.

    Returns:
        How many were written, and the faults of those that were refused.

    Raises:
        InputError: no picture can be used, the pixel size is impossible, or slices of others lie in the data folder.
        OutputError: they cannot be written.
    """
    if pixel_mm is not None and not _PIXEL_MM[0] <= pixel_mm <= _PIXEL_MM[1]:
        raise InputError(f"No CT has such pixels. --pixel-mm lies between {_PIXEL_MM[0]:g} and {_PIXEL_MM[1]:g}.")
    _check_place(output)
    masks = _masks(folder)
    assert masks is not None  # see has_pictures
    listing = Listing("pictures")
    names = descriptions(folder, listing)
    pictures, faults, seen = list[_Picture](), list(listing.faults), dict[str, str]()
    for name in sorted({path.stem for place in (folder / "images", masks) for path in place.glob("*.png")}):
        found = _read(folder / "images" / f"{name}.png", masks / f"{name}.png", names, own, patients)
        if isinstance(found, _Picture):
            mark = hashlib.sha256(found.grey.tobytes()).hexdigest()
            if mark in seen:
                found = Fault(
                    found.name, "image_twice", f"It is a copy of the picture '{seen[mark]}'. Keep one of the two."
                )
            else:
                seen[mark] = found.name
        if isinstance(found, Fault):
            faults.append(found)
        else:
            pictures.append(found)
    if not pictures:
        raise InputError("No picture can be used. " + " ".join(f"{f.case}: {f.sentence}" for f in faults[:3]))
    _write(pictures, output, validation, pixel_mm)
    return len(pictures), faults


def _check_place(output: Path) -> None:
    """Refuses a data folder whose slices are not those of an earlier import, which the new ones replace."""
    for kind in _SETS.values():
        path = output / _SLICES / kind / LIST
        if path.is_file() and not all("source" in entry for entry in _entries(path)):
            raise InputError("The data folder holds slices already that were not imported. Choose another folder.")


def _entries(path: Path) -> list[dict[str, object]]:
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return [{}]
    return [entry if isinstance(entry, dict) else {} for entry in entries] if isinstance(entries, list) else [{}]


def _masks(folder: Path) -> Path | None:
    return next((folder / name for name in _MASK_FOLDERS if any((folder / name).glob("*.png"))), None)


def _read(
    image: Path, mask: Path, names: Mapping[int, str] | None, own: Mapping[str, str], patients: Mapping[str, str]
) -> _Picture | Fault:
    name = case_name(image.stem)
    for path, code, what in ((image, "image_missing", "picture"), (mask, "labels_missing", "mask")):
        if not path.is_file():
            return Fault(name, code, f"There is no {what}. Add it, or take the case out of the data set.")
    try:
        grey, drawn = read_grey(image), read_grey(mask)
    except InputError as error:
        return Fault(name, "image_unreadable", str(error))
    if grey.shape != drawn.shape:
        return Fault(name, "shape", "Picture and mask have different sizes. Export both from one image.")
    values = [int(value) for value in np.unique(drawn) if value]
    if not values:
        return Fault(name, "labels_empty", "Nothing is labelled. Label the picture, or take it out of the data set.")
    if names is None and len(values) > 1:
        return Fault(
            name, "labels_unnamed", "The mask has several values that nothing names. Add ITK-SNAP's descriptions."
        )
    labels = np.zeros(drawn.shape, np.uint8)
    for value in values:
        called = mask.parent.name if names is None else names.get(value)
        if called is None:
            return Fault(name, "unknown_label", f"The mask holds {value}, which nothing names. Name or remove it.")
        key = structure_of_label(called, own)
        if key is None:
            return Fault(name, "unknown_name", f"No structure is called '{called}'. Say --label {called}=STRUCTURE.")
        if key == KIDNEY:
            labels[drawn == value] = _sides(drawn == value)[drawn == value]
        elif key != BACKGROUND:
            labels[drawn == value] = BY_KEY[key].label
    return _Picture(name, patients.get(image.stem, name), grey, labels)


def _sides(kidney: np.ndarray) -> np.ndarray:
    """Returns the labels of kidneys by the half of the picture: the patient's right is on the left."""
    import cc3d

    pieces, count = cc3d.connected_components(kidney, connectivity=8, return_N=True)
    labels = np.zeros(kidney.shape, np.uint8)
    for number in range(1, count + 1):
        side = Side.RIGHT if np.nonzero(pieces == number)[1].mean() < kidney.shape[1] / 2 else Side.LEFT
        labels[pieces == number] = KIDNEYS[side].label
    return labels


def _write(pictures: list[_Picture], output: Path, validation: float, pixel_mm: float | None) -> None:
    from PIL import Image

    numbers, held_out = held_out_patients((picture.patient for picture in pictures), validation)
    entries: dict[bool, list[dict[str, object]]] = {False: [], True: []}
    try:
        # all of an earlier import goes: what it held out may be trained on now
        for kind in _SETS.values():
            shutil.rmtree(output / _SLICES / kind, ignore_errors=True)
        for number, picture in enumerate(pictures, start=1):
            away = numbers[picture.patient] in held_out
            folder = output / _SLICES / _SETS[away]
            for kind, array in (("images", picture.grey), ("kidneys", picture.labels)):
                (folder / kind).mkdir(parents=True, exist_ok=True)
                Image.fromarray(array).save(folder / kind / f"{number}.png")
            entry = {"image": number, "patient": numbers[picture.patient], "kidneys": True, "source": picture.name}
            entries[away].append(entry if pixel_mm is None else {**entry, "pixel_mm": pixel_mm})
        for away, listed in entries.items():
            if listed:
                place = output / _SLICES / _SETS[away] / LIST
                place.write_text(json.dumps(listed, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise OutputError("The pictures could not be written. Check the space on the disk.") from error
