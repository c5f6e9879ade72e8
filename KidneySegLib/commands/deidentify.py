"""``kidneyseg deidentify``: copies of images and results that name nobody."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from KidneySegLib.errors import OutputError
from KidneySegLib.publishing import is_open_to_others, private_files

_STEPS = 1000  # of the bar


def deidentify(
    source: Annotated[Path, typer.Argument(help="Folder with DICOM files, results or image files, or one file")],
    output: Annotated[Path, typer.Option("--output", "-o", help="New folder for the copies")],
    key: Annotated[
        Path | None,
        typer.Option(
            help="Key file; made if missing. The same key gives the same pseudonyms; without one, none is kept"
        ),
    ] = None,
    shift_dates: Annotated[
        bool, typer.Option("--shift-dates", help="Move a patient's dates by one number of days; else they are removed")
    ] = False,
    keep_characteristics: Annotated[
        bool, typer.Option("--keep-characteristics", help="Keep sex, age (90 and more as 90), size and weight")
    ] = False,
    keep_captures: Annotated[
        bool, typer.Option("--keep-captures", help="Keep images that may have text burned into their pixels")
    ] = False,
) -> None:
    """Writes copies without anything that names the patient (DICOM PS3.15 Annex E); the originals stay as they are."""
    from KidneySegLib.deidentification.dataset import Options
    from KidneySegLib.deidentification.folder import deidentify as run
    from KidneySegLib.deidentification.folder import left_out_sentence
    from KidneySegLib.deidentification.key import create_key, load_key, new_secret

    if key is not None and output.resolve() in key.resolve().parents:
        raise OutputError("The key must not lie beside the copies: it leads back to the patients. Keep it elsewhere.")
    made = key is not None and not key.exists()
    secret = new_secret() if key is None else create_key(key) if made else load_key(key)
    if key is not None and is_open_to_others(key):
        typer.echo(
            "kidneyseg: warning: Others on this machine may read or change the key file. Make it private: chmod 600.",
            err=True,
        )
    options = Options(shift_dates, keep_characteristics, keep_captures)
    with private_files(), typer.progressbar(length=_STEPS, label="De-identifying", file=sys.stderr) as bar:
        summary = run(source, output, secret, options, lambda share: bar.update(round(share * _STEPS) - bar.pos))
    patients = f" of {summary.patients} patient{'s' if summary.patients > 1 else ''}" if summary.patients else ""
    typer.echo(f"Wrote {summary.files} files{patients}.")
    if made:
        typer.echo("A new key file was made. Keep it apart from the copies: whoever has it can link them to patients.")
    if summary.left_out:
        typer.echo(left_out_sentence(summary))
    if summary.may_show_text:
        typer.echo(f"Look at {summary.may_show_text} images: text may be burned into their pixels.")
