"""``kidneyseg export``: trained stages become a bundle."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from KidneySegLib.errors import InputError


def export(
    runs: Annotated[list[str], typer.Argument(help="RECIPE=RUN-FOLDER for each stage, in the order they run")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder of the bundle; its name is the bundle's")],
    version: Annotated[str, typer.Option(help="Version of the weights")],
    licence: Annotated[str, typer.Option(help="Licence of the weights, from the data's")],
    title: Annotated[str, typer.Option(help="One line for people")] = "Kidneys on CT",
    task: Annotated[str, typer.Option(help="What the bundle is for")] = "ct",
) -> None:
    """Packs the best weights of one run per stage into a model bundle; an existing card stays."""
    import torch

    from KidneySegLib.bundles.bundle import Bundle, Rules, write_bundle
    from KidneySegLib.networks.factory import build_network, parameters
    from KidneySegLib.training.recipes import find_recipe, read_recipe

    stages, weights = [], {}
    for run in runs:
        recipe, separator, folder = run.partition("=")
        best = Path(folder) / "best.pt"
        if not separator or not best.is_file():
            raise InputError(f"'{run}' is not RECIPE=RUN-FOLDER with a file best.pt in the folder.")
        stage = read_recipe(find_recipe(recipe)).stage
        network = build_network(stage.network)
        network.load_state_dict(torch.load(best, map_location="cpu", weights_only=True))
        stages.append(stage)
        weights[stage.name] = parameters(network)
    bundle = Bundle(output, output.name, version, title, task, licence, tuple(stages), Rules(), sha256="")
    written = write_bundle(bundle, weights)
    typer.echo(f"Wrote {written.name} {written.version}, sha256 {written.sha256[:12]}.")
