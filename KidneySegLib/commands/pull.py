"""``kidneyseg pull``: CT series from an archive to a folder."""

from pathlib import Path
from typing import Annotated

import typer

from KidneySegLib.commands.servers import ServerOption, ServersOption, WayOption, chosen_peer
from KidneySegLib.errors import InputError
from KidneySegLib.publishing import private_files


def pull(
    server: ServerOption,
    servers: ServersOption,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder that gets one folder for each series")],
    study: Annotated[str, typer.Option(help="StudyInstanceUID")] = "",
    series: Annotated[str, typer.Option(help="This series: number, UID, or part of its description")] = "",
    accession: Annotated[str, typer.Option(help="AccessionNumber")] = "",
    patient: Annotated[str, typer.Option(help="PatientID")] = "",
    dates: Annotated[str, typer.Option(help="StudyDate 20240131, or a range 20240101-20240131")] = "",
    via: WayOption = None,
) -> None:
    """Brings the CT series that serves best for kidneys of each study that matches (DICOMweb, C-GET or C-MOVE)."""
    from KidneySegLib.pacs.packages import require_packages

    require_packages()
    from KidneySegLib.pacs.archive import Query
    from KidneySegLib.pacs.connection import open_archive
    from KidneySegLib.pacs.identifiers import is_uid
    from KidneySegLib.pacs.transfer.pull import pull_matching

    # a number has digits only, a UID dots as well
    uid = series if "." in series and is_uid(series) else ""
    query = Query(study, uid, accession, patient, dates)
    archive = open_archive(chosen_peer(servers, server), via)
    with private_files():
        outcomes = pull_matching(archive, query, output, "" if uid else series)
    for outcome in outcomes:
        typer.echo(outcome.sentence)
    if not any(outcome.arrived for outcome in outcomes):
        raise InputError("No series was brought. Check what was asked for.")
