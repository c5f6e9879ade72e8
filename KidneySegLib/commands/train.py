"""``kidneyseg train``: one stage by a recipe, in as many sessions as it takes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from KidneySegLib.commands.train_slices import train_slices
from KidneySegLib.errors import InputError


def train(
    recipe: Annotated[str, typer.Argument(help="A shipped recipe by name (such as ct-kidney) or a TOML file")],
    data: Annotated[Path, typer.Option(help="Folder that the recipe's exams lie in")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder of the run; an existing run is continued")],
    minutes: Annotated[float, typer.Option(help="Stop after this time; call again to continue")] = 150.0,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N or mps")] = "auto",
    threads: Annotated[int, typer.Option(help="CPU threads; 0 takes all")] = 0,
    leave_out: Annotated[list[str] | None, typer.Option(help="Exam of the recipe not to train on; repeatable")] = None,
    synthesis: Annotated[bool, typer.Option(help="Put synthetic lesions into the patches")] = True,
    steps: Annotated[int, typer.Option(help="Length of the schedule; 0 takes the recipe's")] = 0,
    start: Annotated[str, typer.Option(help="Bundle that has this stage already: begin with its weights")] = "",
    prepared: Annotated[Path | None, typer.Option(help="Prepared exams, shared by runs; default: in the run")] = None,
    workers: Annotated[int, typer.Option(help="Processes that make patches; for a GPU, one per core")] = 0,
) -> None:
    """Trains one network of a bundle; writes checkpoint, best weights and curves."""
    import torch

    from KidneySegLib.datasets.exams import prepare_exam
    from KidneySegLib.inference.device import choose_device
    from KidneySegLib.training.fitting.trainer import Trainer
    from KidneySegLib.training.recipe_files import is_slice_recipe
    from KidneySegLib.training.recipes import find_recipe, read_recipe
    from KidneySegLib.training.synthesis.real_textures import real_textures
    from KidneySegLib.training.synthesis.shapes import read_shapes

    if threads:
        torch.set_num_threads(threads)
    if is_slice_recipe(find_recipe(recipe)):
        if leave_out or steps or not synthesis:
            raise InputError("--leave-out, --no-synthesis and --steps belong to recipes for volumes.")
        train_slices(recipe, data, output, minutes=minutes, device=device)
        return
    plan = read_recipe(find_recipe(recipe)).changed(
        leave_out=leave_out or [], synthesis=synthesis, steps=steps or None, start=start or None
    )
    if not data.is_dir():
        raise InputError("The data folder does not exist. Give the folder that holds the recipe's exams.")
    cache = prepared or output / "prepared"
    exams, validation = (
        [prepare_exam(data / name, plan.stage.spacing, cache) for name in names]
        for names in (plan.exams, plan.validation)
    )
    shapes = read_shapes(data / plan.synthesis.shapes, cache) if plan.synthesis.shapes else None
    if shapes is not None:
        shapes = replace(shapes, textures=real_textures(exams))
    trainer = Trainer(plan, output, choose_device(device).torch_device)
    finished = trainer.run(exams, validation, minutes=minutes, workers=workers, shapes=shapes)
    typer.echo(
        f"Step {trainer.learner.step} of {plan.schedule.steps}; best median validation Dice {trainer.learner.best:.3f}."
    )
    if not finished:
        typer.echo("The schedule has not ended: run the same command again to continue.")
