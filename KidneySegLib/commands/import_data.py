"""``kidneyseg data import``: labelled data of others, checked and brought to where recipes look for them."""

from pathlib import Path
from typing import Annotated

import typer

from KidneySegLib.errors import InputError


def import_data(
    source: Annotated[
        Path,
        typer.Argument(
            help="Folder: KiTS, nnU-Net raw, Medical Decathlon, DICOM with SEG, cases from Slicer, pairs of image and "
            "labels (ITK-SNAP, MITK, Slicer), or pictures with masks"
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Data folder that recipes are trained on")],
    label: Annotated[
        list[str] | None, typer.Option(help="NAME=STRUCTURE of a label; background leaves it out; repeatable")
    ] = None,
    patients: Annotated[
        Path | None, typer.Option(help="CSV with the columns case and patient; default: every case its own patient")
    ] = None,
    validation: Annotated[float, typer.Option(min=0, max=0.9, help="Share of the patients to choose weights on")] = 0.2,
    pixel_mm: Annotated[float | None, typer.Option(help="Pixel size of pictures")] = None,
) -> None:
    """Imports a labelled data set: labels by name, geometry checked; a faulty case is named and never trained on."""
    from KidneySegLib.training.importing.importing import import_cases, read_patients
    from KidneySegLib.training.importing.label_names import own_names
    from KidneySegLib.training.importing.layouts import find_cases
    from KidneySegLib.training.importing.page import write_page
    from KidneySegLib.training.importing.pictures import has_pictures, import_pictures

    own, groups = own_names(label or ()), read_patients(patients)
    if source.is_dir() and has_pictures(source):
        count, faults = import_pictures(
            source, output, own=own, patients=groups, validation=validation, pixel_mm=pixel_mm
        )
        for fault in faults:
            typer.echo(f"{fault.case}: refused. {fault.sentence}")
        typer.echo(f"{count} pictures imported as CT slices, {len(faults)} faults.")
        return
    listing = find_cases(source)
    for fault in listing.faults:
        typer.echo(f"{fault.case or 'The data set'}: refused. {fault.sentence}")
    output.mkdir(parents=True, exist_ok=True)
    imported = import_cases(listing, output, own=own, patients=groups, validation=validation, tell=typer.echo)
    write_page(imported, output / "dataset.html")
    count = len({case.patient for case in imported.cases})
    typer.echo(
        f"{len(imported.cases)} cases of {count} patients imported ({imported.layout}), {len(imported.faults)} faults. "
        "See dataset.html in the data folder."
    )
    if not imported.cases:
        raise InputError("No case can be trained on. Fix what is named above, and import again.")
