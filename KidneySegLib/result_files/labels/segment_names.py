"""Which structure a segment is: by the name and the terminology that its reader sees, then by its identifier.

A reader renames a segment or gives it another terminology; the identifier behind it stays as KidneySeg wrote it. So
whichever of the two differs from the identifier is what the reader said.
"""

import re

from KidneySegLib.errors import InputError
from KidneySegLib.findings import word_of
from KidneySegLib.result_files.labels.terminology import is_other_structure, structure_of_entry
from KidneySegLib.structures import BY_KEY, KIDNEYS, Side, Structure

_KINDS = {
    "mass": {"mass", "masses", "tumor", "tumors", "tumour", "tumours"},
    "cyst": {"cyst", "cysts"},
    "stone": {"stone", "stones", "calculus", "calculi"},
}
_KIDNEY = {"kidney", "kidneys", "renal"}
_SIDES = {Side.RIGHT: {"right", "r"}, Side.LEFT: {"left", "l"}}
# Words that do not make it another organ's: a liver cyst or a right renal artery is none of our structures.
_NEUTRAL = {"solid", "simple", "parenchyma", "copy", "segment", "corrected", "edited", "new", "upper", "lower", "pole"}
_NEUTRAL.add("header")  # of a side that the anatomy contradicts
_ALLOWED = _NEUTRAL.union(_KIDNEY, *_SIDES.values(), *_KINDS.values())


def structure_of_segment(identifier: str, name: str, entry: str) -> Structure | None:
    """Returns the structure that a segment shows, None if it is none of ours.

    Args:
        identifier: the segment's, such as ``kidney_right``.
        name: what the reader sees.
        entry: the serialised terminology entry, "" if there is none.

    Raises:
        InputError: name and terminology say different things, and neither is what the identifier says.
    """
    own = BY_KEY.get(identifier)
    named, coded = structure_of_name(name), structure_of_entry(entry)
    said = {structure for structure in (named, coded) if structure is not None and structure is not own}
    if len(said) > 1:
        title = " ".join(name.split())[:60]
        raise InputError(
            "The segment '{segment}' has the terminology of another structure. Give it the name and the "
            "terminology of one structure.",
            segment=title,
        )
    if said:
        return said.pop()
    if is_other_structure(entry) and (own is not None or named is None):
        return None
    return own or named or coded


def structure_of_name(name: str) -> Structure | None:
    """Returns the structure that a name means, such as "Right kidney", "Cyst_2" or "renal tumour"; None if none."""
    words = set(re.findall(r"[^\W\d_]+", name.casefold()))
    if not words or not words <= _ALLOWED:
        return None
    kinds = [key for key, names in _KINDS.items() if words & names]
    if kinds:
        return BY_KEY[kinds[0]] if len(kinds) == 1 else None
    sides = [side for side, names in _SIDES.items() if words & names]
    return KIDNEYS[sides[0]] if words & _KIDNEY and len(sides) == 1 else None


def shown_name(structure: Structure, *, sides_certain: bool) -> str:
    """Returns the name that the reader sees; of a kidney without claiming a side that the anatomy contradicts."""
    if structure.side is None:
        return structure.name
    return f"{word_of(structure.side, certain=sides_certain).capitalize()} kidney"
