"""``kidneyseg measure``: a label map that a reader corrected becomes a result folder again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from KidneySegLib.commands.progress import ProgressStyle, showing
from KidneySegLib.commands.summary import summarise
from KidneySegLib.structures import Numbering


def measure(
    image: Annotated[Path, typer.Argument(help="The CT, as given to 'kidneyseg segment'")],
    labels: Annotated[
        Path, typer.Argument(help="Corrected label map on its grid: .nii.gz, .nrrd, .mha, or Slicer's .seg.nrrd")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the result; made if missing")],
    findings: Annotated[
        Path | None,
        typer.Option(help="Result folder of the network's run: names are kept, and what was corrected is listed"),
    ] = None,
    series: Annotated[str | None, typer.Option(help="Of several: number, UID, or part of the description")] = None,
    numbering: Annotated[
        Numbering,
        typer.Option(help="Whose label numbers: KidneySeg's, TotalSegmentator's (task total) or those of KiTS"),
    ] = Numbering.KIDNEYSEG,
    progress: Annotated[ProgressStyle, typer.Option(help="How progress is shown")] = ProgressStyle.BAR,
) -> None:
    """Measures a corrected label map; writes the same files as 'segment'."""
    from KidneySegLib.engine import write_run
    from KidneySegLib.errors import OutputError
    from KidneySegLib.remeasure import remeasure
    from KidneySegLib.result_files.folder import check_folder
    from KidneySegLib.result_files.names import RESULT_FILES

    if findings is not None and output.resolve() == (findings if findings.is_dir() else findings.parent).resolve():
        raise OutputError(
            "The result would replace the network's own, which it is compared with. Choose another folder."
        )
    check_folder(output, RESULT_FILES)
    with showing(progress) as receiver:
        run = remeasure(image, labels, previous=findings, series_uid=series, numbering=numbering, progress=receiver)
        write_run(run, output, receiver)
    if progress is not ProgressStyle.JSON:
        summarise(run.findings)
