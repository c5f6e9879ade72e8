"""``kidneyseg sample``: a phantom to try everything on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def sample(
    folder: Annotated[Path, typer.Argument(help="Folder for the phantom; made if missing")],
    seed: Annotated[int, typer.Option(help="Another number makes another patient")] = 0,
) -> None:
    """Writes a synthetic abdomen as a DICOM CT series, with its true sizes beside it."""
    from KidneySegLib.sample.write import write_sample

    write_sample(folder, seed=seed)
    typer.echo(f"Wrote the phantom. Segment it: kidneyseg segment {folder / 'series'} --output out")
