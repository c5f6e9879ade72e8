"""Who is who in a data folder: the patients of the cases that were imported, under names that say nothing."""

from __future__ import annotations

import json
from pathlib import Path

from KidneySegLib.errors import InputError

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
