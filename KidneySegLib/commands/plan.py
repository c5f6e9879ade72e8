"""``kidneyseg plan``: grid, patch, batch and network for data and a device, after the rules of nnU-Net."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from KidneySegLib.commands.train import DataFolder, Device, RecipeName

_GB = 1e9


class Encoder(StrEnum):
    """Of nnU-Net's networks."""

    PLAIN = "plain"
    RESIDUAL = "residual"


def plan(
    recipe: RecipeName,
    data: DataFolder,
    output: Annotated[Path, typer.Option("--output", "-o", help="TOML file for the recipe")],
    exams: Annotated[
        list[str] | None, typer.Option(help="Folder to plan from, may hold *; repeatable; default: the recipe's")
    ] = None,
    encoder: Annotated[Encoder, typer.Option(help="plain, or residual: nnU-Net's presets M, L, XL")] = Encoder.PLAIN,
    memory: Annotated[float, typer.Option(help="Memory to plan for in GB; 0 takes the device's")] = 0.0,
    low_resolution: Annotated[
        bool, typer.Option("--low-resolution", help="nnU-Net's coarse network, for weak devices and large exams")
    ] = False,
    device: Device = "auto",
) -> None:
    """Plans a network from exams by nnU-Net's rules and writes a recipe that can be read and changed."""
    from KidneySegLib.errors import InputError
    from KidneySegLib.inference.device import choose_device
    from KidneySegLib.training.cases import matching
    from KidneySegLib.training.planning.fingerprint import fingerprint
    from KidneySegLib.training.planning.plan import planned, recipe_with
    from KidneySegLib.training.planning.recipe_file import write_recipe
    from KidneySegLib.training.recipe import find_recipe, read_recipe

    base = read_recipe(find_recipe(recipe)).changed(train=exams or ())
    if base.stage.network.dimensions == 2:
        raise InputError("These rules plan networks for volumes. Choose such a recipe: p2-nnunet3d-kidney-mass-cyst.")
    if not data.is_dir():
        raise InputError("The data folder does not exist. Give the folder that holds the recipe's exams.")
    room = memory or memory_of(choose_device(device).torch_device)
    found = fingerprint([data / name for name in matching(data, base.data.train)])
    residual = encoder is Encoder.RESIDUAL
    decided = planned(found, len(base.stage.network.outputs), room, residual=residual, coarse=low_resolution)
    about = "\n".join(
        [
            f"Planned by kidneyseg plan from {recipe}, after nnU-Net's rules, with the {encoder} encoder.",
            f"Data: {len(found.shapes)} exams, on the grid a median of {_times(decided.shape)} voxels (k, j, i);",
            f"labelled voxels {found.lowest:.0f} to {found.highest:.0f} HU (0.5 and 99.5 %), mean {found.mean:.1f}, "
            f"deviation {found.deviation:.1f}.",
            f"Memory: {room:.1f} GB. Everything may be changed.",
        ]
    )
    write_recipe(recipe_with(base, decided, found, residual=residual), output, about)
    typer.echo(
        f"Grid {_times(decided.spacing)} mm, patch {_times(decided.patch)}, batch {decided.batch}, "
        f"{len(decided.topology.strides)} levels. Written; kidneyseg train takes the file as its recipe."
    )


def memory_of(device: object) -> float:
    """Returns the memory of a device in GB: a GPU's own, else what is free in the machine."""
    import torch

    from KidneySegLib.room_in_memory import available_memory

    if isinstance(device, torch.device) and device.type == "cuda":
        return float(torch.cuda.get_device_properties(device).total_memory / _GB)
    return available_memory() / _GB


def _times(numbers: tuple[float, ...]) -> str:
    return " x ".join(f"{number:g}" for number in numbers)
