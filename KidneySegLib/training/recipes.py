"""Recipes: everything that decides a training run, in one TOML file."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from KidneySegLib.bundles.plan import StagePlan
from KidneySegLib.errors import InputError
from KidneySegLib.resources import resource_folder
from KidneySegLib.training.augmentation.acquisition import AcquisitionRanges
from KidneySegLib.training.augmentation.contrast import ContrastRanges
from KidneySegLib.training.augmentation.spatial import SpatialRanges
from KidneySegLib.training.synthesis.lesions import SynthesisRanges

T = TypeVar("T")


@dataclass(frozen=True)
class Schedule:
    """How long and how fast a network learns.

    Attributes:
        steps: optimiser steps in all; the learning rate falls to zero along a cosine.
        batch: patches per step.
        learning_rate: highest learning rate of AdamW.
        weight_decay: of AdamW.
        warm_up: steps of linear rise at the start.
        average: decay of the running mean of weights that is validated and exported.
        validate_every: steps.
        seed: of weights and patches.
    """

    steps: int
    batch: int = 1
    learning_rate: float = 1e-3
    weight_decay: float = 1e-2
    warm_up: int = 100
    average: float = 0.998
    validate_every: int = 500
    seed: int = 0


@dataclass(frozen=True)
class Sampling:
    """Where patches are taken.

    Attributes:
        on_kidney: probability that a patch is centred near a kidney; else anywhere in an exam.
        jitter_mm: largest distance of the centre from the kidney's box centre, along k, j, i.
        mirror: ``left`` mirrors left kidneys so that the network sees only right ones; ``random`` mirrors by chance.
        diseased: how much more often an exam with masses or cysts is drawn.
        on_lesion: probability that a patch near a kidney is centred near a lesion instead, if the exam has one.
    """

    on_kidney: float
    jitter_mm: tuple[float, float, float]
    mirror: str
    diseased: float = 1.0
    on_lesion: float = 0.0


@dataclass(frozen=True)
class Recipe:
    """A training run of one stage.

    Attributes:
        stage: the plan that goes into the bundle.
        exams: folders below the data folder, for training.
        validation: folders below the data folder, for choosing the weights.
        schedule: how long and how fast.
        sampling: where patches are taken.
        spatial: ranges of spatial augmentation.
        contrast: ranges of contrast synthesis.
        acquisition: ranges of acquisition augmentation.
        synthesis: how often and how large synthetic lesions are.
        start: bundle and stage that the weights are taken from at the start; None begins with random ones.
    """

    stage: StagePlan
    exams: tuple[str, ...]
    validation: tuple[str, ...]
    schedule: Schedule
    sampling: Sampling
    spatial: SpatialRanges
    contrast: ContrastRanges
    acquisition: AcquisitionRanges
    synthesis: SynthesisRanges
    start: tuple[str, str] | None = None

    def changed(self, *, leave_out: Sequence[str], synthesis: bool, steps: int | None, start: str | None) -> Recipe:
        """Returns the recipe for an ablation or a leave-one-exam-out run.

        Args:
            leave_out: exams, by folder name or as the recipe names them, that are not trained on.
            synthesis: False takes the synthetic lesions out.
            steps: length of the schedule; None keeps the recipe's.
            start: bundle whose stage of the same name the weights are taken from; None keeps the recipe's.

        Raises:
            InputError: an exam to leave out is not in the recipe.
        """
        left = {name for name in self.exams if name in leave_out or Path(name).name in leave_out}
        if len(left) < len(set(leave_out)):
            raise InputError(f"Not all exams to leave out are in the recipe; it has: {', '.join(self.exams)}.")
        return replace(
            self,
            exams=tuple(name for name in self.exams if name not in left),
            schedule=self.schedule if steps is None else replace(self.schedule, steps=steps),
            synthesis=self.synthesis if synthesis else SynthesisRanges(),
            start=self.start if start is None else (start, self.stage.name),
        )


def find_recipe(name: str) -> Path:
    """Returns the file of a shipped recipe by its name, or the path that ``name`` is."""
    shipped = resource_folder() / "Recipes" / f"{name}.toml"
    return shipped if shipped.is_file() else Path(name)


def read_recipe(path: Path) -> Recipe:
    """Reads a recipe.

    Raises:
        InputError: the file is missing, is not TOML, or a field is missing or unknown.
        BundleError: the stage's plan is not valid.
    """
    return parse_file(path, _parse)


def parse_file(path: Path, parse: Callable[[Mapping[str, Any]], T]) -> T:
    """Reads a TOML file and returns what ``parse`` makes of it.

    Raises:
        InputError: the file is missing, is not TOML, or ``parse`` misses a field or finds a wrong one.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"The recipe cannot be read: {error}") from error
    try:
        return parse(data)
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"The recipe '{path.name}' has a missing, unknown or wrong field: {error}") from error


def _parse(data: Mapping[str, Any]) -> Recipe:
    sampling = dict(data["sampling"])
    k, j, i = (float(v) for v in sampling.pop("jitter_mm"))
    recipe = Recipe(
        stage=StagePlan.from_dict(data["stage"]),
        exams=tuple(data["data"]["train"]),
        validation=tuple(data["data"]["validation"]),
        schedule=Schedule(**data["schedule"]),
        sampling=Sampling(jitter_mm=(k, j, i), **sampling),
        spatial=SpatialRanges(**data.get("spatial", {})),
        contrast=ContrastRanges(**data.get("contrast", {})),
        acquisition=AcquisitionRanges(**data.get("acquisition", {})),
        synthesis=_synthesis(data.get("synthesis", {})),
        start=(data["start"]["bundle"], data["start"]["stage"]) if "start" in data else None,
    )
    if recipe.sampling.mirror not in ("left", "random"):
        raise ValueError("sampling.mirror must be 'left' or 'random'")
    unknown = set(recipe.stage.network.outputs) - {"background", "kidney", "parenchyma", "mass", "cyst"}
    if unknown:
        raise ValueError(f"outputs that cannot be trained: {', '.join(sorted(unknown))}")
    overlap = set(recipe.exams) & set(recipe.validation)
    if overlap:
        raise ValueError(f"exams are in both train and validation: {', '.join(sorted(overlap))}")
    return recipe


def _synthesis(data: Mapping[str, Any]) -> SynthesisRanges:
    values = dict(data)
    for name in ("mass_radius_mm", "cyst_radius_mm"):
        if name in values:
            low, high = (float(v) for v in values[name])
            values[name] = (low, high)
    return SynthesisRanges(**values)
