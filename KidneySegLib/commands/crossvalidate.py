"""``kidneyseg crossvalidate``: the folds of a recipe, for volumes and slices, with table and pictures."""

import math
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from KidneySegLib.commands.train import DataFolder, Device, Prepared, RecipeName, Threads
from KidneySegLib.datasets.folds import Split


def crossvalidate(
    recipe: RecipeName,
    data: DataFolder,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder of the folds; existing ones are continued")],
    exams: Annotated[
        list[str] | None, typer.Option(help="Folder to take exams from, may hold *; repeatable; default: the recipe's")
    ] = None,
    folds: Annotated[int, typer.Option(help="Number of folds; 0 takes the recipe's")] = 0,
    split: Annotated[
        Split | None,
        typer.Option(help="patient, or random: leaks, only to repeat a published protocol; default: the recipe's"),
    ] = None,
    epochs: Annotated[int, typer.Option(help="Length of the schedule; 0 takes the recipe's")] = 0,
    steps_per_epoch: Annotated[int, typer.Option(help="Shorter or longer epochs; 0 takes the recipe's")] = 0,
    minutes: Annotated[float, typer.Option(help="Stop after this time; call again to continue")] = math.inf,
    device: Device = "auto",
    threads: Threads = 0,
    prepared: Prepared = None,
) -> None:
    """Cross-validates a recipe on its training data; writes table, curves, box plots and pictures."""
    import torch

    from KidneySegLib.inference.device import choose_device
    from KidneySegLib.training.cases import exams_for_folds, shape_library
    from KidneySegLib.training.cross_validation import cross_validate
    from KidneySegLib.training.recipe import find_recipe, read_recipe

    if threads:
        torch.set_num_threads(threads)
    plan = read_recipe(find_recipe(recipe)).changed(
        epochs=epochs or None,
        steps_per_epoch=steps_per_epoch or None,
        folds=folds or None,
        split=split,
        train=exams or (),
    )
    cache = prepared or output / "prepared"
    scored, learnt = exams_for_folds(plan, data, cache)
    library = partial(shape_library, plan, data, cache)
    chosen = choose_device(device).torch_device
    results = cross_validate(plan, scored, learnt, output, chosen, library=library, minutes=minutes, tell=typer.echo)
    if results is None:
        typer.echo("The folds have not ended: run the same command again to continue.")
        return
    typer.echo("\n" + (output / "crossvalidation.md").read_text(encoding="utf-8"))
