"""A model of others, ready to become a bundle."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from KidneySegLib.bundles.bundle import Bundle, write_bundle
from KidneySegLib.bundles.header import CARD
from KidneySegLib.bundles.plan import StagePlan
from KidneySegLib.bundles.rules import CtRules, ExamRules
from KidneySegLib.errors import BundleError, InputError, OutputError
from KidneySegLib.networks.factory import build_network, load_parameters
from KidneySegLib.training.importing.case import safe_name
from KidneySegLib.training.importing.label_names import structure_of_label


@dataclass(frozen=True)
class ForeignModel:
    """A network that names every voxel of a whole exam.

    Attributes:
        stage: its plan.
        members: weights by name; several make an ensemble.
        about: where it comes from, in a line.
    """

    stage: StagePlan
    members: tuple[Mapping[str, torch.Tensor], ...]
    about: str


def write_model(model: ForeignModel, folder: Path, *, version: str, licence: str, title: str) -> Bundle:
    """Checks that the weights are those of the network, and writes a bundle for the task ``ct``, exact to the bit.

    Args:
        model: what is written.
        folder: of the bundle, whose name it is.
        version: of the weights.
        licence: of the weights.
        title: one line for people.

    Raises:
        InputError: the weights are not those of the network that the plan describes.
        OutputError: the bundle cannot be written.
    """
    for weights in model.members:
        try:
            load_parameters(build_network(model.stage.network), weights)
        except BundleError as error:
            raise InputError(
                "The weights are not those of the network that is described. Get the model again."
            ) from error
    stage, named = model.stage.with_members(model.members)
    bundle = Bundle(folder, folder.name, version, title, "ct", licence, (stage,), CtRules(exam=ExamRules()), "")
    card = f"""# {title}

{model.about}. Imported by `kidneyseg models import`; the weights are those of the source, in 32 bits.

Outputs: {", ".join(stage.network.outputs)}.

KidneySeg did not measure how good it is: before you use it, run `kidneyseg evaluate` on exams that it was not trained
on. Resampling is linear, and nothing is mirrored at inference, so results may differ a little from those of its own
program. Research use only.
"""
    try:
        written = write_bundle(bundle, {stage.name: named}, exact=True)
        (folder / CARD).write_text(card, encoding="utf-8")
    except OSError as error:
        raise OutputError("The bundle could not be written. Check the folder and the space on its disk.") from error
    return written


_LARGEST = 1 << 24  # bytes; nnU-Net's plans of many configurations have some hundred thousand


def read_settings(path: Path, advice: str) -> dict[str, Any]:
    """Reads a JSON file that holds an object.

    Args:
        path: of the file.
        advice: what to do if it cannot be used, a sentence.

    Raises:
        InputError: it is missing, too large, no JSON or no object.
    """
    try:
        if path.stat().st_size > _LARGEST:
            raise ValueError("too large")
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path.name} is missing or damaged. {advice}") from error
    if not isinstance(data, dict):
        raise InputError(f"{path.name} is damaged. {advice}")
    return data


def output_names(names: Sequence[str], own: Mapping[str, str]) -> tuple[str, ...]:
    """Returns a name for each output; one that is not a structure keeps its own, and is not drawn.

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
