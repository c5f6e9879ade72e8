"""The options that name a server, shared by the commands that talk to one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from KidneySegLib.pacs.connection import Way

ServerOption = Annotated[str, typer.Option(help="Name of the server in the file of servers")]
ServersOption = Annotated[
    Path, typer.Option(envvar="KIDNEYSEG_SERVERS", help="TOML file with one table for each server")
]
WayOption = Annotated[
    Way | None, typer.Option(help="How the server is reached; default: DICOMweb where it is set, else DIMSE")
]
