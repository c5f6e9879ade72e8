"""A model of others, ready to become a bundle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch

from KidneySegLib.bundles.bundle import Bundle, write_bundle
from KidneySegLib.bundles.header import CARD
from KidneySegLib.bundles.plan import StagePlan
from KidneySegLib.bundles.rules import CtRules, ExamRules
from KidneySegLib.errors import BundleError, InputError, OutputError
from KidneySegLib.networks.factory import build_network, load_parameters


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
