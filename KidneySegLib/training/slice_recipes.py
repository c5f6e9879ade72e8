"""Recipes for 2D networks on single slices, in one TOML file each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from KidneySegLib.bundles.plan import StagePlan
from KidneySegLib.training.recipes import Schedule, parse_file


@dataclass(frozen=True)
class SliceRanges:
    """How far slices are varied.

    Attributes:
        without_kidney: share of slices without kidney.
        removed: probability that a kidney is replaced by fat.
        dilated: probability that the kidneys' deep parts are filled with fluid (a dilated collecting system).
        contrast: probability that the contrast phase is changed (see ``contrast``).
        rotation: degrees, both ways.
        scale: factor of size, from 1/scale to scale.
        stretch: extra factor per axis.
        elastic_mm: standard deviation of the elastic displacement, at most.
        noise: standard deviation of added noise in HU, at most.
        mirror: probability that left and right are exchanged. Safe, because both kidneys are one class.
    """

    without_kidney: float = 0.25
    removed: float = 0.1
    dilated: float = 0.0
    contrast: float = 0.6
    rotation: float = 20.0
    scale: float = 1.3
    stretch: float = 1.1
    elastic_mm: float = 4.0
    noise: float = 30.0
    mirror: float = 0.5


@dataclass(frozen=True)
class SliceRecipe:
    """A training run of a 2D network.

    Attributes:
        stage: the plan that goes into the bundle.
        train: folders of slices and exams below the data folder.
        validation: the same, for choosing the weights.
        slice_distance_mm: between slices that are taken from one exam for training.
        validation_distance_mm: the same for validation and for cross-validation.
        pixel_mm: pixel size of folders of slices.
        epochs: validations, and passes over ``slices_per_epoch`` slices.
        slices_per_epoch: augmented slices that are drawn in one epoch.
        schedule: the same in optimiser steps.
        ranges: of augmentation.
        start: bundle and stage that the weights are taken from at the start; None begins with random ones.
    """

    stage: StagePlan
    train: tuple[str, ...]
    validation: tuple[str, ...]
    slice_distance_mm: float
    validation_distance_mm: float
    pixel_mm: float
    epochs: int
    slices_per_epoch: int
    schedule: Schedule
    ranges: SliceRanges
    start: tuple[str, str] | None = None


def read_slice_recipe(path: Path, *, slices_per_epoch: int | None = None) -> SliceRecipe:
    """Reads a recipe.

    Args:
        path: the file.
        slices_per_epoch: in place of the recipe's.

    Raises:
        InputError: the file is missing, is not TOML, or a field is missing or unknown.
        BundleError: the stage's plan is not valid.
    """
    return parse_file(path, lambda data: _parse(data, slices_per_epoch))


def _parse(data: Mapping[str, Any], slices_per_epoch: int | None) -> SliceRecipe:
    values = dict(data["schedule"])
    epochs, per_epoch = int(values.pop("epochs")), int(values.pop("slices_per_epoch"))
    per_epoch = slices_per_epoch or per_epoch
    steps = per_epoch // int(values["batch"])
    if epochs < 1 or steps < 1:
        raise ValueError("schedule.epochs and schedule.slices_per_epoch must allow at least one step")
    recipe = SliceRecipe(
        stage=StagePlan.from_dict(data["stage"]),
        train=tuple(data["data"]["train"]),
        validation=tuple(data["data"]["validation"]),
        slice_distance_mm=float(data["data"]["slice_distance_mm"]),
        validation_distance_mm=float(data["data"]["validation_distance_mm"]),
        pixel_mm=float(data["data"]["pixel_mm"]),
        epochs=epochs,
        slices_per_epoch=per_epoch,
        schedule=Schedule(steps=epochs * steps, validate_every=steps, **values),
        ranges=SliceRanges(**data.get("augmentation", {})),
        start=(data["start"]["bundle"], data["start"]["stage"]) if "start" in data else None,
    )
    overlap = set(recipe.train) & set(recipe.validation)
    if overlap:
        raise ValueError(f"folders are in both train and validation: {', '.join(sorted(overlap))}")
    return recipe
