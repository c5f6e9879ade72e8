"""``kidneyseg models``: which bundles there are, and whether they are whole."""

from __future__ import annotations

from typing import Annotated

import typer

from KidneySegLib.errors import BundleError


def models(
    card: Annotated[str | None, typer.Option(help="Print the card of this bundle")] = None,
) -> None:
    """Lists the model bundles and verifies their weights."""
    from KidneySegLib.bundles.bundle import read_bundle
    from KidneySegLib.bundles.catalogue import bundle_folders

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
