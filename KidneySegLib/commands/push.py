"""``kidneyseg push``: DICOM files to an archive."""

from pathlib import Path
from typing import Annotated

import typer

from KidneySegLib.commands.servers import ServerOption, ServersOption, WayOption, chosen_peer
from KidneySegLib.errors import IncompleteError


def push(
    sources: Annotated[list[Path], typer.Argument(help="DICOM files, and folders that hold them")],
    server: ServerOption,
    servers: ServersOption,
    via: WayOption = None,
) -> None:
    """Stores files as they are (STOW-RS or C-STORE) and asks for storage commitment; what is there already is fine."""
    from KidneySegLib.pacs.packages import require_packages

    require_packages()
    from KidneySegLib.pacs.dimse.commitment import CommitmentAnswer
    from KidneySegLib.pacs.transfer.belonging import files_to_send
    from KidneySegLib.pacs.transfer.push import push_files

    count, commitment = push_files(chosen_peer(servers, server), sources, via)
    strangers = len(files_to_send(sources)[1])
    if strangers:
        typer.echo(f"Left out {strangers} DICOM files in result folders that do not belong to the result.", err=True)
    committed = f" ({commitment.committed} of {count})" if commitment.committed else ""
    typer.echo(f"Stored {count} files. Storage commitment: {commitment.answer}{committed}.")
    if commitment.answer is CommitmentAnswer.REFUSED:
        raise IncompleteError(
            "The server took the files but does not answer for all of them. Keep them, check its log, and send "
            "them again."
        )
