"""``kidneyseg models``: which bundles there are and whether they are whole; packs and installs them."""

import os
from pathlib import Path
from typing import Annotated

import typer

from KidneySegLib.commands.import_model import import_model
from KidneySegLib.errors import BundleError, InputError

app = typer.Typer(name="models", invoke_without_command=True)
app.command("import")(import_model)


@app.callback()
def models(
    context: typer.Context,
    card: Annotated[str | None, typer.Option(help="Print the card of this bundle")] = None,
) -> None:
    """Lists the model bundles and verifies their weights."""
    from KidneySegLib.bundles.bundle import read_bundle
    from KidneySegLib.bundles.catalogue import bundle_folders

    if context.invoked_subcommand is not None:
        return
    broken = 0
    folders = list(bundle_folders())
    if card is not None:
        match = next((f for f in folders if f.name == card), None)
        if match is None:
            raise BundleError(f"There is no bundle '{card}'. See 'kidneyseg models'.")
        typer.echo(read_bundle(match).card)
        return
    for folder in folders:
        try:
            bundle = read_bundle(folder)
            bundle.verify()
            state = f"{bundle.task}, version {bundle.version}, sha256 {bundle.sha256[:12]}, verified; {bundle.title}"
        except BundleError as error:
            broken += 1
            state = f"NOT USABLE: {error}"
        typer.echo(f"{folder.name}: {state}")
    if not folders:
        typer.echo("No model bundle is installed.")
    if broken:
        raise typer.Exit(BundleError.exit_code)


@app.command()
def pack(
    bundle: Annotated[str, typer.Argument(help="Name or folder of a bundle")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the file")],
) -> None:
    """Packs a bundle into one file and prints its SHA-256, by which others can check it."""
    from KidneySegLib.bundles.archive import checksum_of
    from KidneySegLib.bundles.archive import pack as pack_bundle
    from KidneySegLib.bundles.bundle import read_bundle
    from KidneySegLib.bundles.catalogue import bundle_folders

    folder = next((f for f in bundle_folders() if f.name == bundle), Path(bundle))
    file = pack_bundle(read_bundle(folder), output)
    typer.echo(f"Wrote {file.name}, sha256 {checksum_of(file)}")


@app.command()
def install(
    file: Annotated[Path, typer.Argument(help="File that 'kidneyseg models pack' wrote")],
    sha256: Annotated[str, typer.Option(help="SHA-256 of the file, as its maker published it")] = "",
    to: Annotated[Path | None, typer.Option(help="Folder of models; default: that of KIDNEYSEG_MODELS")] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Replace a bundle of the same name")] = False,
) -> None:
    """Installs a packed bundle, after checking all of it."""
    from KidneySegLib.bundles.archive import install as install_bundle
    from KidneySegLib.bundles.catalogue import MODELS_VARIABLE

    own = os.environ.get(MODELS_VARIABLE)
    if to is None and not own:
        raise InputError(f"No folder for models is known. Set {MODELS_VARIABLE}, or give one with --to.")
    bundle = install_bundle(file, to or Path(own or ""), sha256=sha256, replace=replace)
    typer.echo(f"Installed {bundle.name} {bundle.version}, sha256 {bundle.sha256[:12]}.")
