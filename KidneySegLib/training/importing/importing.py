"""From somebody's data set to exams that recipes train on: checked, grouped by patient, divided, written."""

import csv
import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from KidneySegLib.errors import InputError, OutputError
from KidneySegLib.result_files.labels.files import write_nifti
from KidneySegLib.training.importing.case import (
    PATIENTS,
    Fault,
    Listing,
    case_name,
    held_out_patients,
    imported_patients,
)
from KidneySegLib.training.importing.reading import CheckedCase, read_case
from KidneySegLib.training.importing.summary import CaseSummary, summary_of
from KidneySegLib.volume import read_image

_SETS = {False: "ct/train", True: "ct/validation"}
_TAKEN = "The data folder holds another exam of this name already. Give each a name of its own, or import elsewhere."


@dataclass(frozen=True)
class Imported:
    """What became of a data set.

    Attributes:
        layout: how it was arranged.
        cases: that were written.
        faults: of those that were refused.
    """

    layout: str
    cases: tuple[CaseSummary, ...]
    faults: tuple[Fault, ...]


def import_cases(
    listing: Listing,
    output: Path,
    *,
    own: Mapping[str, str],
    patients: Mapping[str, str],
    validation: float,
    seed: int = 0,
    tell: Callable[[str], None] = lambda _: None,
) -> Imported:
    """Checks every case and writes those that may be trained on.

    Args:
        listing: what lies in the data set.
        output: receives ``ct/train`` and ``ct/validation`` with a folder for each case, and ``patients.json``.
        own: what the user says of names; see ``label_names.own_names``.
        patients: patient of a case, by its name, where the data set does not say it.
        validation: share of the patients whose exams are held out to choose the weights on.
        seed: of the division.
        tell: called with a line for each case.

    Raises:
        OutputError: the cases cannot be written.
    """
    said = {case_name(name): patient for name, patient in patients.items()} | dict(patients)
    given = {case.name: said.get(case.name, case.patient) for case in listing.cases}
    if strangers := [name for name in patients if not {name, case_name(name)} & set(given)]:
        tell(f"The table of patients names cases that are not in the data set, such as '{strangers[0]}'.")
    numbers, held_out = held_out_patients(given.values(), validation, seed)
    groups = {name: numbers[patient] for name, patient in given.items()}
    faults, summaries = list(listing.faults), list[CaseSummary]()
    names: set[str] = set()
    images: dict[str, tuple[str, str]] = {}
    written: dict[str, str] = {}
    for case in listing.cases:
        found = read_case(case, own)
        if isinstance(found, CheckedCase):
            found = _seen_before(found, names, images, groups[case.name]) or found
        if isinstance(found, Fault):
            faults.append(found)
            tell(f"{case.name}: refused. {found.sentence}")
            continue
        patient = groups[case.name]
        place, other = (f"{_SETS[held]}/{case.name}" for held in (patient in held_out, patient not in held_out))
        if (output / other).exists() and not _is_image(output / other, found):
            faults.append(Fault(case.name, "name_taken", _TAKEN))
            tell(f"{case.name}: refused. {_TAKEN}")
            continue
        _write(output / place, found)
        # an earlier import with another share: nobody trains on what weights are chosen on
        shutil.rmtree(output / other, ignore_errors=True)
        written[place] = patient
        summaries.append(summary_of(found, patient, place))
        tell(f"{case.name}: {place}")
    if written:
        _write_patients(output, written)
    return Imported(listing.layout, tuple(summaries), tuple(faults))


def read_patients(path: Path | None) -> dict[str, str]:
    """Reads a table with the columns ``case`` and ``patient``.

    Raises:
        InputError: it cannot be read, or has other columns.
    """
    if path is None:
        return {}
    try:
        # spreadsheets begin with a byte order mark, and where the comma is decimal they separate by semicolons
        text = path.read_text(encoding="utf-8-sig")
        rows = csv.DictReader(text.splitlines(), delimiter=";" if ";" in text.partition("\n")[0] else ",")
        return {row["case"].strip(): row["patient"].strip() for row in rows}
    except (OSError, KeyError, AttributeError, UnicodeDecodeError, csv.Error) as error:
        raise InputError("The table of patients must be a CSV file with the columns case and patient.") from error


def _seen_before(case: CheckedCase, names: set[str], images: dict[str, tuple[str, str]], patient: str) -> Fault | None:
    """Returns the fault of a case that is there twice, and remembers it otherwise."""
    name = case.source.name
    if name in names:
        return Fault(name, "name_twice", "Two cases have this name. Give each a name of its own.")
    if case.fingerprint in images:
        other, owner = images[case.fingerprint]
        if owner != patient:
            return Fault(
                name,
                "patient_twice",
                f"It is the image of '{other}', under another patient. Say who it is with --patients.",
            )
        return Fault(name, "image_twice", f"It is the image of '{other}' again. Keep one of the two.")
    names.add(name)
    images[case.fingerprint] = name, patient
    return None


def _write(folder: Path, case: CheckedCase) -> None:
    """Writes image and labels; a folder of that name is replaced."""
    import SimpleITK as sitk

    partial = folder.with_name(f".{folder.name}.partial")
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        sitk.WriteImage(case.exam.stored.to_image(), str(partial / "image.nii.gz"), True, 1)
        write_nifti(partial / "mask.nii.gz", case.exam.stored, case.labels)
        shutil.rmtree(folder, ignore_errors=True)
        partial.replace(folder)
    except (OSError, RuntimeError) as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise OutputError("A case could not be written. Check the folder and the space on its disk.") from error


def _is_image(folder: Path, case: CheckedCase) -> bool:
    """Whether a folder holds the image of a case, as an earlier import wrote it."""
    try:
        return np.array_equal(read_image(folder / "image.nii.gz").voxels, case.exam.stored.voxels)
    except InputError:
        return False


def _write_patients(output: Path, written: Mapping[str, str]) -> None:
    """Adds the patients of cases to those that an earlier import wrote, under numbers of their own."""
    path = output / PATIENTS
    known = {place: patient for place, patient in imported_patients(output).items() if (output / place).is_dir()}
    others = {patient for place, patient in known.items() if place not in written}
    renamed = {patient: _free(patient, others) for patient in written.values()}
    merged = known | {place: renamed[patient] for place, patient in written.items()}
    try:
        path.write_text(json.dumps(merged, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    except OSError as error:
        raise OutputError("The list of patients could not be written. Check the space on the disk.") from error


def _free(patient: str, others: set[str]) -> str:
    """Returns a name of a patient that no other has."""
    number = 0
    while (name := patient if not number else f"{patient}_{number}") in others:
        number += 1
    return name
