"""The options that name a server, shared by the commands that talk to one."""

from pathlib import Path
from typing import Annotated

import typer

from KidneySegLib.pacs.connection import Way
from KidneySegLib.pacs.peers import Peer, exposed_secrets, read_peer

ServerOption = Annotated[str, typer.Option(help="Name of the server in the file of servers")]
ServersOption = Annotated[
    Path, typer.Option(envvar="KIDNEYSEG_SERVERS", help="TOML file with one table for each server")
]
WayOption = Annotated[
    Way | None, typer.Option(help="How the server is reached; default: DICOMweb where it is set, else DIMSE")
]


def chosen_peer(servers: Path, name: str) -> Peer:
    """Reads the settings of a server, and says on the error stream where others may learn its secrets.

    Raises:
        InputError: the settings cannot be used.
    """
    peer = read_peer(servers, name)
    for remark in exposed_secrets(servers, peer):
        typer.echo(f"kidneyseg: warning: {remark}", err=True)
    return peer
