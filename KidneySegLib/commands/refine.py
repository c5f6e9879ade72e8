"""``kidneyseg refine``: a result is corrected by clicks and measured again."""

from pathlib import Path
from typing import Annotated

import typer

from KidneySegLib.commands.progress import ProgressStyle, showing
from KidneySegLib.commands.summary import summarise
from KidneySegLib.languages.language import N_


def refine(
    result: Annotated[Path, typer.Argument(help="Result folder that is to be corrected")],
    image: Annotated[Path, typer.Option(help="The CT that was segmented, as it was given then")],
    click: Annotated[
        list[str],
        typer.Option(
            help="x,y,z,+,mass: more of a structure at a place (mm LPS, as in the tables); with - less of it. Once for "
            "each click, in their order. Structures: kidney_right, kidney_left, mass, cyst, stone"
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the new result; made if missing")],
    voxels: Annotated[
        bool, typer.Option("--voxels", help="Places are voxel indices i,j,k of the image, counted from 0")
    ] = False,
    findings: Annotated[
        Path | None, typer.Option(help="Result folder of the network's run, if the result was corrected already")
    ] = None,
    series: Annotated[
        str | None, typer.Option(help="Which of several series: number, UID, or part of the description")
    ] = None,
    progress: Annotated[ProgressStyle, typer.Option(help="How progress is shown")] = ProgressStyle.BAR,
) -> None:
    """Corrects a result by clicks, without a graphics card; writes the same files as 'segment'."""
    from KidneySegLib.errors import OutputError
    from KidneySegLib.result_files.folder import check_folder
    from KidneySegLib.result_files.names import RESULT_FILES
    from KidneySegLib.result_files.result import Result
    from KidneySegLib.tasks.refine import PlacedClick, from_voxels
    from KidneySegLib.tasks.refine import refine as refine_result
    from KidneySegLib.tasks.run import read_exam

    clicks = [PlacedClick.parse(text) for text in click]
    if output.resolve() in (folder.resolve() for folder in (result, findings) if folder is not None):
        raise OutputError("The new result would replace one that it is compared with. Choose another folder.")
    check_folder(output, RESULT_FILES)
    with showing(progress) as receiver:
        receiver("read", 0.0, N_("Reading the images"))
        stored = Result.read(result)
        exam = read_exam(image, stored.findings, series)
        network = Result.read(findings).with_exam(exam) if findings is not None else None
        if voxels:
            clicks = [from_voxels(each, exam.stored) for each in clicks]
        receiver("measure", 0.0, N_("Correcting and measuring"))
        refined, changed = refine_result(stored.with_exam(exam), clicks, network=network)
        receiver("write", 0.0, N_("Writing the result"))
        refined.write(output)
        receiver("write", 1.0, N_("Done"))
    if progress is ProgressStyle.JSON:
        return
    for each, count in zip(clicks, changed, strict=True):
        sign = "+" if each.adds else "-"
        said = f"{sign}{count * exam.volume.voxel_volume / 1000:.2g} ml" if count else "nothing changed"
        typer.echo(f"Click on {each.structure.name.lower()} ({sign}): {said}")
    summarise(refined.findings)
