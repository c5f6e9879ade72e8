"""``kidneyseg measure``: a label map that a reader corrected becomes a result folder again."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from KidneySegLib.commands.progress import ProgressStyle, showing
from KidneySegLib.commands.summary import summarise
from KidneySegLib.languages.language import N_
from KidneySegLib.structures import Numbering


def measure(
    image: Annotated[Path, typer.Argument(help="The image, as given to 'kidneyseg segment'")],
    labels: Annotated[
        Path, typer.Argument(help="Corrected label map on its grid: .nii.gz, .nrrd, .mha, or Slicer's .seg.nrrd")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the result; made if missing")],
    findings: Annotated[
        Path | None,
        typer.Option(help="Result folder of the network's run: names are kept, and what was corrected is listed"),
    ] = None,
    last: Annotated[
        Path | None,
        typer.Option(
            help="Result folder of a correction before this one: its marks and names are kept (needs --findings)"
        ),
    ] = None,
    series: Annotated[
        str | None, typer.Option(help="Which of several series: number, UID, or part of the description")
    ] = None,
    task: Annotated[
        str,
        typer.Option(
            help="Task of an image without an earlier result: ct, ct-slice, ultrasound, or auto: by the input"
        ),
    ] = "auto",
    pixel_mm: Annotated[float | None, typer.Option(help="Pixel size of an ultrasound image without one")] = None,
    region: Annotated[int | None, typer.Option(help="Region of an ultrasound image: its number in the header")] = None,
    frame: Annotated[int | None, typer.Option(help="The one frame of an ultrasound loop to measure, from 1")] = None,
    transverse: Annotated[
        Path | None, typer.Option(help="Ultrasound: result folder of the transverse view; gives the volume")
    ] = None,
    numbering: Annotated[
        Numbering,
        typer.Option(help="Numbering of the labels: KidneySeg's, TotalSegmentator's (task total) or that of KiTS"),
    ] = Numbering.KIDNEYSEG,
    progress: Annotated[ProgressStyle, typer.Option(help="How progress is shown")] = ProgressStyle.BAR,
) -> None:
    """Measures a corrected label map; writes the same files as 'segment'."""
    from KidneySegLib.errors import OutputError
    from KidneySegLib.measuring.ultrasound.ellipsoid import with_volume
    from KidneySegLib.readers.input import ReadOptions
    from KidneySegLib.result_files.folder import check_folder
    from KidneySegLib.result_files.names import RESULT_FILES
    from KidneySegLib.result_files.result import Result
    from KidneySegLib.tasks import run

    if findings is not None and output.resolve() == (findings if findings.is_dir() else findings.parent).resolve():
        raise OutputError(
            "The result would replace the network's own, which it is compared with. Choose another folder."
        )
    check_folder(output, RESULT_FILES)
    with showing(progress) as receiver:
        options = ReadOptions(series=series, pixel_mm=pixel_mm, region=region, frame=frame)
        result = run.measure(
            image,
            labels,
            previous=findings,
            last=last,
            options=options,
            numbering=numbering,
            task=None if task == "auto" else task,
            progress=receiver,
        )
        if transverse is not None:
            result = replace(result, findings=with_volume(result.findings, Result.read(transverse).findings))
        receiver("write", 0.0, N_("Writing the result"))
        result.write(output)
        receiver("write", 1.0, N_("Done"))
    if progress is not ProgressStyle.JSON:
        summarise(result.findings)
