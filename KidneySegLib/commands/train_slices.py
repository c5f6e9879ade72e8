"""``kidneyseg train`` for recipes of slices."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from KidneySegLib.errors import InputError

if TYPE_CHECKING:
    from KidneySegLib.training.slice_recipes import SliceRecipe


def open_slice_recipe(name: str, slices_per_epoch: int = 0) -> SliceRecipe:
    """Reads a slice recipe by name or path; a positive ``slices_per_epoch`` takes the place of the recipe's.

    Raises:
        InputError: it is a recipe for volumes, or cannot be read.
    """
    from KidneySegLib.training.recipe_files import is_slice_recipe
    from KidneySegLib.training.recipes import find_recipe
    from KidneySegLib.training.slice_recipes import read_slice_recipe

    path = find_recipe(name)
    if path.is_file() and not is_slice_recipe(path):
        raise InputError("This recipe is for volumes; cross-validation knows recipes for slices, such as ct-slice.")
    return read_slice_recipe(path, slices_per_epoch=slices_per_epoch or None)


def train_slices(recipe: str, data: Path, output: Path, *, minutes: float, device: str) -> None:
    """Trains the network of a slice recipe; writes checkpoint, best weights and curves."""
    from KidneySegLib.inference.device import choose_device
    from KidneySegLib.training.fitting.slice_trainer import SliceTrainer
    from KidneySegLib.training.slice_data import training_slices, validation_slices

    plan = open_slice_recipe(recipe)
    slices, validation = training_slices(plan, data), validation_slices(plan, data)
    trainer = SliceTrainer(plan, output, choose_device(device).torch_device)
    finished = trainer.run(slices, validation, minutes=minutes)
    typer.echo(f"Epoch {trainer.epoch} of {plan.epochs}; best validation Dice {trainer.learner.best:.3f}.")
    if not finished:
        typer.echo("The last epoch has not ended: run the same command again to continue.")
