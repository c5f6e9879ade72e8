"""Structures in the words of Slicer's terminologies.

Slicer writes a terminology entry as seven parts joined by ``~``: context, category, type, type modifier, anatomic
context, anatomic region, region modifier; a code is ``scheme^value^meaning``, a part left open ``^^``.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from KidneySegLib.resources import resource_folder
from KidneySegLib.structures import BY_KEY, KIDNEY, SIDE_CODES, STRUCTURES, Code, Structure

if TYPE_CHECKING:
    from pydicom.sr.coding import Code as PydicomCode

SLICER_CONTEXT = "Segmentation category and type - 3D Slicer General Anatomy list"
SLICER_ANATOMIC_CONTEXT = "Anatomic codes - DICOM master list"
TISSUE = Code("85756007", "Tissue")
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


def terminology_entry(structure: Structure, *, sides_certain: bool = True) -> str:
    """Returns the serialised terminology entry of a structure; without its side where that is not certain."""
    context = OWN_CONTEXT if structure in NOT_IN_SLICER else SLICER_CONTEXT
    modifier = SIDE_CODES[structure.side] if structure.side and sides_certain else None
    parts = (_code(structure.category), _code(structure.type), _code(modifier))
    return "~".join((context, *parts, SLICER_ANATOMIC_CONTEXT, _code(structure.region), _code(None)))


def structure_of_entry(entry: str) -> Structure | None:
    """Returns the structure that a serialised terminology entry means, by category type and side; None if none."""
    codes = _codes(entry)
    if len(codes) < 4:
        return None
    for structure in STRUCTURES:
        side = SIDE_CODES[structure.side] if structure.side else None
        if _is_code(codes[2], structure.type) and _is_code(codes[3], side):
            return structure
    return None


def is_other_structure(entry: str) -> bool:
    """Whether an entry names something that is none of our structures; Slicer's default, tissue, names nothing."""
    codes = _codes(entry)
    named = len(codes) >= 3 and codes[2] is not None and not _is_code(codes[2], TISSUE)
    if len(codes) >= 4 and codes[3] is None and _is_code(codes[2], KIDNEY):
        return False  # a kidney whose side was left open
    return named and structure_of_entry(entry) is None


def _codes(entry: str) -> list[PydicomCode | None]:
    """Returns the codes of an entry's parts; pydicom knows the older SNOMED identifiers (SRT) for the same concepts."""
    from pydicom.sr.coding import Code as PydicomCode

    parts = [part.split("^") for part in entry.split("~")]
    return [PydicomCode(part[1], part[0], part[2]) if len(part) >= 3 and part[1] else None for part in parts]


def _is_code(given: PydicomCode | None, code: Code | None) -> bool:
    from pydicom.sr.coding import Code as PydicomCode

    if given is None or code is None:
        return given is None and code is None
    return given == PydicomCode(code.value, code.scheme, code.meaning)


def _code(code: Code | None) -> str:
    return f"{code.scheme}^{code.value}^{code.meaning}" if code else "^^"
