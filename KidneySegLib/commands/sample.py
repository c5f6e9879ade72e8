"""``kidneyseg sample``: a phantom to try everything on."""

from pathlib import Path
from typing import Annotated

import typer

from KidneySegLib.commands.progress import ProgressStyle, showing
from KidneySegLib.languages.language import N_


def sample(
    folder: Annotated[Path, typer.Argument(help="Folder for the phantom; made if missing")],
    seed: Annotated[int, typer.Option(help="Another number makes another patient")] = 0,
    progress: Annotated[ProgressStyle, typer.Option(help="How progress is shown")] = ProgressStyle.BAR,
) -> None:
    """Writes a synthetic abdomen as a DICOM CT series, with its true sizes beside it."""
    from KidneySegLib.sample.write import write_sample

    with showing(progress) as receiver:
        receiver("sample", 0.0, N_("Making the phantom"))
        write_sample(folder, seed=seed, progress=lambda done: receiver("sample", done, N_("Writing the slices")))
    if progress is not ProgressStyle.JSON:
        typer.echo(f"Wrote the phantom. Segment it: kidneyseg segment {folder / 'series'} --output out")
