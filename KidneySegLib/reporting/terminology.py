"""Structures in the words of Slicer's terminologies.

Slicer writes a terminology entry as seven parts joined by ``~``: context, category, type, type modifier, anatomic
context, anatomic region, region modifier; a code is ``scheme^value^meaning``, a part left open ``^^``.
"""

from __future__ import annotations

from pathlib import Path

from KidneySegLib.resources import resource_folder
from KidneySegLib.structures import BY_KEY, SIDE_CODES, STRUCTURES, Code, Structure

SLICER_CONTEXT = "Segmentation category and type - 3D Slicer General Anatomy list"
SLICER_ANATOMIC_CONTEXT = "Anatomic codes - DICOM master list"
OWN_CONTEXT = "Segmentation category and type - KidneySeg"

# Slicer's own lists know no calculus; all else is named after them, so that Slicer shows it without our files.
NOT_IN_SLICER = {BY_KEY["stone"]}


def terminology_files() -> tuple[Path, Path]:
    """Returns the terminology and the anatomic context that Slicer loads for our structures.

    Raises:
        KidneySegError: the resource files are missing.
    """
    folder = resource_folder() / "Terminology"
    return folder / "KidneySeg.term.json", folder / "KidneySegRegions.term.json"


def terminology_entry(structure: Structure) -> str:
    """Returns the serialised terminology entry of a structure."""
    context = OWN_CONTEXT if structure in NOT_IN_SLICER else SLICER_CONTEXT
    modifier = SIDE_CODES[structure.side] if structure.side else None
    parts = (_code(structure.category), _code(structure.type), _code(modifier))
    return "~".join((context, *parts, SLICER_ANATOMIC_CONTEXT, _code(structure.region), _code(None)))


def structure_of_entry(entry: str) -> Structure | None:
    """Returns the structure that a serialised terminology entry means, by category type and side; None if none."""
    codes = [part.split("^")[1] if part.count("^") >= 2 else "" for part in entry.split("~")]
    if len(codes) < 4:
        return None
    for structure in STRUCTURES:
        side = SIDE_CODES[structure.side].value if structure.side else ""
        if (codes[2], codes[3]) == (structure.type.value, side):
            return structure
    return None


def _code(code: Code | None) -> str:
    return f"{code.scheme}^{code.value}^{code.meaning}" if code else "^^"
