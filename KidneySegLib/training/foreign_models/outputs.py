"""What the outputs of others' networks are: by name, as structures that the stage ``exam`` knows."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from KidneySegLib.errors import InputError
from KidneySegLib.training.importing.case import safe_name
from KidneySegLib.training.importing.label_names import structure_of_label


def output_names(names: Sequence[str], own: Mapping[str, str]) -> tuple[str, ...]:
    """Returns a name for each output; one that is no structure keeps its own, and is not drawn.

    Args:
        names: as the model has them.
        own: what the user says of names; see ``label_names.own_names``.

    Raises:
        InputError: none of them is a structure, or two are the same.
    """
    found = [structure_of_label(name, own) or f"other_{safe_name(name)}" for name in names]
    return _checked(found, names)


def region_names(regions: Mapping[str, Collection[int]], own: Mapping[str, str]) -> tuple[str, ...]:
    """Returns a name for each region of labels that may lie in one another (nnU-Net's region-based training).

    A kidney of several labels is the ``organ`` with its lesions; a mass of several labels, one of which is a mass
    alone, is a ``lesion`` of any kind.

    Args:
        regions: labels of each region by its name, in the order of the outputs.
        own: what the user says of names.

    Raises:
        InputError: none of them is a structure, or two are the same.
    """
    said = {name: structure_of_label(name, own) for name in regions}
    found = []
    for name, labels in regions.items():
        key = said[name]
        inner = [n for n, other in regions.items() if n != name and said[n] == "mass" and set(other) < set(labels)]
        if key in ("kidney", "kidney_left", "kidney_right") and len(labels) > 1:
            key = "organ"
        elif key == "mass" and inner:
            key = "lesion"
        found.append(key or f"other_{safe_name(name)}")
    return _checked(found, list(regions))


def _checked(found: Sequence[str], names: Sequence[str]) -> tuple[str, ...]:
    if all(name == "background" or name.startswith("other_") for name in found):
        raise InputError(
            f"None of the model's outputs is a structure of KidneySeg: {', '.join(names[:8])}. Say what they are with "
            "--label NAME=STRUCTURE."
        )
    if len(set(found)) < len(found):
        raise InputError(
            "Two outputs of the model are the same structure. Tell them apart with --label NAME=STRUCTURE."
        )
    return tuple(found)
