"""``kidneyseg train``: one stage by a recipe, in as many sessions as it takes."""

import time
from pathlib import Path
from typing import Annotated

import typer

from KidneySegLib.commands.progress import ProgressStyle, showing

RecipeName = Annotated[str, typer.Argument(help="A shipped recipe by name (such as ct-kidney) or a TOML file")]
DataFolder = Annotated[Path, typer.Option(help="Folder that the recipe's exams lie in")]
Prepared = Annotated[Path | None, typer.Option(help="Prepared exams, shared by runs; default: in the run")]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N or mps")]
Threads = Annotated[int, typer.Option(help="CPU threads; 0 takes all")]


def train(
    recipe: RecipeName,
    data: DataFolder,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder of the run; an existing run is continued")],
    exams: Annotated[
        list[str] | None, typer.Option(help="Folder to train on, may hold *; repeatable; default: the recipe's")
    ] = None,
    validation: Annotated[list[str] | None, typer.Option(help="Folder to choose the weights on, likewise")] = None,
    minutes: Annotated[float, typer.Option(help="Stop after this time; call again to continue")] = 150.0,
    device: Device = "auto",
    threads: Threads = 0,
    leave_out: Annotated[list[str] | None, typer.Option(help="Exam of the recipe not to train on; repeatable")] = None,
    corrections: Annotated[
        bool, typer.Option("--corrections", help="Also train on what 'kidneyseg data from-corrections' put into DATA")
    ] = False,
    synthesis: Annotated[bool, typer.Option(help="Put synthetic lesions into the patches")] = True,
    epochs: Annotated[int, typer.Option(help="Length of the schedule; 0 takes the recipe's")] = 0,
    steps_per_epoch: Annotated[int, typer.Option(help="Shorter or longer epochs; 0 takes the recipe's")] = 0,
    start: Annotated[str, typer.Option(help="Bundle that already has this stage: start from its weights")] = "",
    encoder_weights: Annotated[
        Path | None, typer.Option(help="Folder with ImageNet weights of the encoders (torchvision's files)")
    ] = None,
    prepared: Prepared = None,
    workers: Annotated[int, typer.Option(help="Processes that make patches; for a GPU, one per core")] = 0,
    tensorboard: Annotated[
        bool, typer.Option("--tensorboard", help="Write TensorBoard's files too (extra 'tensorboard')")
    ] = False,
    progress: Annotated[ProgressStyle, typer.Option(help="How progress is shown")] = ProgressStyle.NONE,
) -> None:
    """Trains one network of a bundle, or the members of an ensemble; writes checkpoint, best weights and curves.

    Several GPUs: torchrun --nproc-per-node N -m KidneySegLib train ...; the recipe's batch is divided among them.
    """
    import torch

    from KidneySegLib.datasets.corrections import corrected_cases
    from KidneySegLib.inference.device import choose_device
    from KidneySegLib.training.cases import shape_library, training_exams, validation_exams
    from KidneySegLib.training.fitting.epochs import log_nowhere, tensorboard_writer
    from KidneySegLib.training.fitting.processes import first_alone, is_first, join, leave, own_device
    from KidneySegLib.training.fitting.trainer import Trainer
    from KidneySegLib.training.recipe import find_recipe, read_recipe

    if threads:
        torch.set_num_threads(threads)
    join()
    plan = read_recipe(find_recipe(recipe)).changed(
        train=exams or (),
        validation=validation or (),
        leave_out=leave_out or (),
        more=corrected_cases(data) if corrections else (),
        synthesis=synthesis,
        epochs=epochs or None,
        steps_per_epoch=steps_per_epoch or None,
        start=start,
    )
    cache = prepared or output / "prepared"
    with first_alone():
        learnt, held_out = training_exams(plan, data, cache), validation_exams(plan, data, cache)
        shapes = shape_library(plan, data, cache, learnt)
    end = time.monotonic() + 60 * minutes
    for number in range(plan.members):
        folder = output if plan.members == 1 else output / f"member-{number + 1}"
        trainer = Trainer(plan.member(number), folder, choose_device(own_device(device)).torch_device)
        if encoder_weights is not None and trainer.learner.step == 0:
            trainer.learner.begin_with_encoders(encoder_weights)
        writer = tensorboard_writer(folder) if tensorboard and is_first() else log_nowhere
        left = (end - time.monotonic()) / 60
        with showing(progress if is_first() else ProgressStyle.NONE) as receiver:
            finished = trainer.run(
                learnt, held_out, minutes=left, workers=workers, shapes=shapes, progress=receiver, writer=writer
            )
        if is_first():
            best = f"best validation Dice {trainer.learner.best:.3f}"
            typer.echo(f"Epoch {trainer.epoch} of {plan.schedule.epochs}; {best}.")
        if not finished:
            if is_first():
                typer.echo("The last epoch has not ended: run the same command again to continue.")
            break
    leave()
