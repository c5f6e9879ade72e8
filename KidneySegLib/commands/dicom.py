"""``kidneyseg dicom``: a result folder as DICOM files of the images' study."""

from pathlib import Path
from typing import Annotated

import typer

from KidneySegLib.errors import InputError
from KidneySegLib.publishing import private_files


def dicom(
    result: Annotated[Path, typer.Argument(help="Result folder of 'kidneyseg segment' or 'kidneyseg measure'")],
    source: Annotated[Path, typer.Option(help="The DICOM series that was segmented: its folder, or one file of it")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder for the DICOM files; default: the result folder")
    ] = None,
    per_lesion: Annotated[
        bool, typer.Option("--per-lesion", help="One segment per mass, cyst and stone, as the findings name them")
    ] = False,
    labelmap: Annotated[
        bool, typer.Option("--labelmap", help="The newer SOP class Label Map Segmentation, which few programs read yet")
    ] = False,
    pdf: Annotated[Path | None, typer.Option(help="A report in PDF, to be wrapped as DICOM too")] = None,
) -> None:
    """Writes a result as DICOM: segmentation (SEG), measurements (SR, TID 1500) and, if given, a report (PDF)."""
    from KidneySegLib.interchange.results import write_dicom_results
    from KidneySegLib.result_files.result import Result

    if pdf is not None and not pdf.is_file():
        raise InputError("The report does not exist. Check the path that --pdf gives.")
    with private_files():
        files = write_dicom_results(
            output or result,
            Result.read(result),
            source,
            per_lesion=per_lesion,
            labelmap=labelmap,
            pdf=pdf.read_bytes() if pdf is not None else None,
        )
    typer.echo(f"Wrote {', '.join(file.name for file in files)}.")
