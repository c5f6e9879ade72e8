"""Recipes: everything that decides a training run, in one TOML file."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from KidneySegLib.bundles.plan import StagePlan
from KidneySegLib.errors import InputError
from KidneySegLib.resources import resource_folder
from KidneySegLib.training.acquisition import AcquisitionRanges
from KidneySegLib.training.contrast import ContrastRanges
from KidneySegLib.training.spatial import SpatialRanges


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
        lesions: probability of simple synthetic lesions.
    """

    on_kidney: float
    jitter_mm: tuple[float, float, float]
    mirror: str
    lesions: float = 0.0


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
    """

    stage: StagePlan
    exams: tuple[str, ...]
    validation: tuple[str, ...]
    schedule: Schedule
    sampling: Sampling
    spatial: SpatialRanges
    contrast: ContrastRanges
    acquisition: AcquisitionRanges


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
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"The recipe cannot be read: {error}") from error
    try:
        return _parse(data)
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
    )
    if recipe.sampling.mirror not in ("left", "random"):
        raise ValueError("sampling.mirror must be 'left' or 'random'")
    overlap = set(recipe.exams) & set(recipe.validation)
    if overlap:
        raise ValueError(f"exams are in both train and validation: {', '.join(sorted(overlap))}")
    return recipe
