"""``kidneyseg models import``: a trained nnU-Net or MONAI bundle becomes one that needs neither of their packages."""

from pathlib import Path
from typing import Annotated

import typer

from KidneySegLib.errors import InputError


def import_model(
    source: Annotated[Path, typer.Argument(help="Results folder of nnU-Net v2 (…__3d_fullres), or MONAI bundle")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder of the bundle; its name is the bundle's")],
    licence: Annotated[str, typer.Option(help="Licence of the weights, as their source states it")],
    version: Annotated[str, typer.Option(help="Version of the weights")] = "1",
    title: Annotated[str, typer.Option(help="Title, one line")] = "Imported model for kidneys on CT",
    label: Annotated[
        list[str] | None, typer.Option(help="NAME=STRUCTURE of an output that has another name; repeatable")
    ] = None,
    fold: Annotated[list[str] | None, typer.Option(help="nnU-Net: fold to take; repeatable; default: all")] = None,
    orientation: Annotated[
        str | None,
        typer.Option(help="nnU-Net: orientation of its training files, as nibabel's aff2axcodes names it: LPS, RAS …"),
    ] = None,
) -> None:
    """Imports a model of others; it then outlines whole exams like any bundle."""
    from KidneySegLib.training.foreign_models.model import write_model
    from KidneySegLib.training.foreign_models.monai import is_monai, read_monai
    from KidneySegLib.training.foreign_models.nnunet import is_nnunet, read_nnunet
    from KidneySegLib.training.importing.label_names import own_names

    own = own_names(label or ())
    if is_nnunet(source):
        model = read_nnunet(source, own, fold or (), orientation)
    elif is_monai(source):
        model = read_monai(source, own)
    else:
        raise InputError(
            "The folder is neither a results folder of nnU-Net v2 (plans.json, dataset.json) nor a MONAI bundle "
            "(configs/metadata.json)."
        )
    bundle = write_model(model, output, version=version, licence=licence, title=title)
    members = "" if len(model.members) == 1 else f", {len(model.members)} folds as an ensemble"
    typer.echo(f"Wrote {bundle.name} {bundle.version}: {', '.join(model.stage.network.outputs)}{members}.")
