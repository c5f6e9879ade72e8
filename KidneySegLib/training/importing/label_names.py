"""What the labels of a data set are called, and which structure each name means. Numbers alone mean nothing."""

import re
from collections.abc import Iterable, Mapping

from KidneySegLib.errors import InputError
from KidneySegLib.result_files.labels.segment_names import structure_of_name
from KidneySegLib.structures import BY_KEY

# A kidney whose side nobody said; it follows from the anatomy.
KIDNEY = "kidney"
BACKGROUND = "background"
KEYS = tuple(dict.fromkeys((BACKGROUND, KIDNEY, *BY_KEY)))

_WORDS = {
    BACKGROUND: {"background", "clear label", "exterior", "unlabeled", "unlabelled", "none", "outside"},
    KIDNEY: {"kidney", "kidneys", "renal parenchyma", "kidney parenchyma", "parenchyma", "healthy kidney"},
    "mass": {
        *("solid renal mass", "renal mass", "solid mass", "mass", "masses", "tumor", "tumour", "kidney tumor"),
        *("renal tumor", "kidney tumour", "renal tumour", "neoplasm", "renal neoplasm", "rcc", "renal cell carcinoma"),
        *("aml", "angiomyolipoma", "oncocytoma", "cancer", "kidney cancer", "lesion solid"),
    },
    "cyst": {"cyst", "cysts", "simple cyst", "renal cyst", "kidney cyst", "simple renal cyst"},
    "stone": {"stone", "stones", "kidney stone", "renal stone", "calculus", "calculi", "nephrolithiasis"},
}


def structure_of_label(name: str, own: Mapping[str, str]) -> str | None:
    """Returns the key of the structure that a label's name means, ``kidney``, ``background``, or None if none.

    Args:
        name: as the data set has it.
        own: what the user says of names, as ``own_names`` gives it; it goes first.
    """
    said = _plain(name)
    if said in own:
        return own[said]
    for key, words in _WORDS.items():
        if said in words:
            return key
    found = structure_of_name(name)
    return found.key if found is not None else None


def own_names(assignments: Iterable[str]) -> dict[str, str]:
    """Reads ``NAME=STRUCTURE`` as a user writes it; ``background`` leaves a label out.

    Raises:
        InputError: one is written in another way, or the structure is not known.
    """
    names = {}
    for assignment in assignments:
        name, separator, key = assignment.rpartition("=")
        if not separator or not _plain(name) or key not in KEYS:
            raise InputError(f"--label takes NAME=STRUCTURE, where STRUCTURE is one of {', '.join(KEYS)}.")
        names[_plain(name)] = key
    return names


def _plain(name: str) -> str:
    """Returns a name in small letters, with single spaces for all that is neither letter nor digit."""
    return " ".join(re.findall(r"[^\W_]+", name.casefold()))
