"""``kidneyseg crossval``: folds of a slice recipe, with the paper's table and pictures."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated

import typer

from KidneySegLib.commands.train_slices import open_slice_recipe
from KidneySegLib.datasets.folds import Split


def crossval(
    recipe: Annotated[str, typer.Argument(help="A shipped slice recipe by name (ct-slice) or a TOML file")],
    data: Annotated[Path, typer.Option(help="Folder that the recipe's slices and exams lie in")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder of the folds; existing ones are continued")],
    folds: Annotated[int, typer.Option(help="Number of folds")] = 5,
    split: Annotated[
        Split, typer.Option(help="patient, or random: leaks, only to repeat the published protocol")
    ] = Split.PATIENT,
    slices_per_epoch: Annotated[int, typer.Option(help="Shorter or longer epochs; 0 takes the recipe's")] = 0,
    minutes: Annotated[float, typer.Option(help="Stop after this time; call again to continue")] = math.inf,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N or mps")] = "auto",
    threads: Annotated[int, typer.Option(help="CPU threads; 0 takes all")] = 0,
) -> None:
    """Cross-validates a slice recipe on its training data; writes table, curves, box plots and pictures."""
    import torch

    from KidneySegLib.inference.device import choose_device
    from KidneySegLib.training.crossval import cross_validate, table
    from KidneySegLib.training.slice_data import crossval_slices

    if threads:
        torch.set_num_threads(threads)
    plan = open_slice_recipe(recipe, slices_per_epoch)
    slices = crossval_slices(plan, data)
    chosen = choose_device(device).torch_device
    results = cross_validate(plan, slices, output, chosen, folds=folds, split=split, minutes=minutes, tell=typer.echo)
    if results is None:
        typer.echo("The folds have not ended: run the same command again to continue.")
        return
    text = table(results, split, len(slices), len({item.patient for item in slices}))
    (output / "crossval.md").write_text(text, encoding="utf-8")
    typer.echo(f"\n{text}")
