"""A labelled case as it lies in somebody's data set, and what can be wrong with it."""

import hashlib
import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from KidneySegLib.errors import InputError

_UNSAFE = re.compile(r"[^A-Za-z0-9_-]+")
_LONGEST_NAME = 60


@dataclass(frozen=True)
class SourceCase:
    """A case that is not read yet.

    Attributes:
        name: for files and messages.
        image: image file, or folder with a DICOM series.
        labels: label file.
        names: what its numbers mean; None where the file names its segments itself.
        patient: that it belongs to.
    """

    name: str
    image: Path
    labels: Path
    names: Mapping[int, str] | None
    patient: str


@dataclass(frozen=True)
class Fault:
    """Why a case is refused.

    Attributes:
        case: its name; "" for the data set as a whole.
        code: stable word for programs.
        sentence: what is wrong and what to do.
    """

    case: str
    code: str
    sentence: str


@dataclass
class Listing:
    """What lies in a data set.

    Attributes:
        layout: how it is arranged, for people.
        cases: found.
        faults: of cases that could not even be listed.
    """

    layout: str
    cases: list[SourceCase] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)

    def add(self, name: str, image: Path, labels: Path, names: Mapping[int, str] | None, patient: str = "") -> None:
        """Adds a case whose files are there; else the fault that one is missing."""
        name = case_name(name)
        if not image.exists():
            self.faults.append(
                Fault(name, "image_missing", "There is no image. Add it, or take the case out of the data set.")
            )
        elif not labels.is_file():
            self.faults.append(
                Fault(name, "labels_missing", "There are no labels. Add them, or take the case out of the data set.")
            )
        else:
            self.cases.append(SourceCase(name, image, labels, names, patient or name))


def held_out_patients(patients: Iterable[str], validation: float, seed: int = 0) -> tuple[dict[str, str], set[str]]:
    """Returns a name that says nothing for every patient, and the names of those that are held out.

    Args:
        patients: in the order of their cases, as often as they have some.
        validation: share of them that is held out, at least one stays.
        seed: of the draw.
    """
    names = {patient: f"patient_{number:04d}" for number, patient in enumerate(dict.fromkeys(patients), start=1)}
    shuffled = np.random.default_rng(seed).permutation(list(names.values())).tolist()
    count = min(math.ceil(validation * len(shuffled)), max(0, len(shuffled) - 1)) if validation > 0 else 0
    return names, set(shuffled[:count])


def safe_name(name: str) -> str:
    """Returns a name that is safe as a folder: letters, digits, ``_`` and ``-``."""
    return _UNSAFE.sub("_", name).strip("_-")[:_LONGEST_NAME] or "case"


def case_name(name: str) -> str:
    """Returns the folder of a case: its name, or where that is not safe one that no other name shares."""
    safe = safe_name(name)
    if safe == name:
        return name
    return f"{safe}-{hashlib.sha256(name.encode('utf-8', 'surrogateescape')).hexdigest()[:6]}"


PATIENTS = "patients.json"


def imported_patients(data: Path) -> dict[str, str]:
    """Returns the patient of each imported case, by its folder below the data folder; empty if none was imported.

    Raises:
        InputError: the list is damaged.
    """
    path = data / PATIENTS
    if not path.is_file():
        return {}
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(known, dict) and all(isinstance(patient, str) for patient in known.values()):
            return known
    except (OSError, ValueError, RecursionError):
        pass
    raise InputError(f"{PATIENTS} in the data folder is damaged. Import the data again.")
