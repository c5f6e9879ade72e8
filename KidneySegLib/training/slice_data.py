"""All slices that a recipe names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from KidneySegLib.datasets.slices import LabelledSlice, load_slices
from KidneySegLib.errors import InputError
from KidneySegLib.training.slice_recipes import SliceRecipe


def training_slices(recipe: SliceRecipe, data: Path) -> list[LabelledSlice]:
    """Reads the slices that a recipe trains on; see ``_slices``."""
    return _slices(recipe, data, recipe.train, recipe.slice_distance_mm)


def crossval_slices(recipe: SliceRecipe, data: Path) -> list[LabelledSlice]:
    """Reads the slices with kidney of a recipe's training data, fewer of each exam; see ``_slices``."""
    slices = _slices(recipe, data, recipe.train, recipe.validation_distance_mm)
    return [item for item in slices if item.organ.any()]


def validation_slices(recipe: SliceRecipe, data: Path) -> list[LabelledSlice]:
    """Reads the slices that a recipe chooses its weights on; see ``_slices``."""
    return _slices(recipe, data, recipe.validation, recipe.validation_distance_mm)


def _slices(recipe: SliceRecipe, data: Path, names: Sequence[str], distance_mm: float) -> list[LabelledSlice]:
    """Reads the slices of folders and exams below ``data``.

    Raises:
        InputError: the data folder does not exist, or something in it cannot be read.
    """
    if not data.is_dir():
        raise InputError("The data folder does not exist. Give the folder that holds the recipe's slices and exams.")
    return [
        item
        for name in names
        for item in load_slices(
            data / name,
            recipe.stage.spacing[1],
            distance_mm=distance_mm,
            pixel_mm=recipe.pixel_mm,
            window=recipe.stage.window,
        )
    ]
