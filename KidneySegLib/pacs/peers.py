"""The servers that a site talks to, from a TOML file; secrets may come from the environment instead.

::

    [orthanc]
    dicomweb = "https://orthanc.example/dicom-web"
    rest = "https://orthanc.example"         # Orthanc's own interface, for `watch`
    username = "kidneyseg"                   # the password in KIDNEYSEG_ORTHANC_PASSWORD
    ca_bundle = "/etc/ssl/hospital.pem"

    [pacs]
    host = "10.0.0.5"
    port = 104
    aet = "PACS"
    own_aet = "KIDNEYSEG"
    own_port = 11112
    retrieve = "move"
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from KidneySegLib.errors import InputError

RETRIEVALS = ("get", "move")
_SECRETS = ("username", "password", "token")
_AE_TITLE = re.compile(r"[ -\[\]-~]{1,16}")  # PS3.5 6.2: printable ASCII without the backslash


@dataclass(frozen=True)
class Peer:
    """One server.

    Attributes:
        name: the table's name in the file, which is used in messages.
        dicomweb: root address of its DICOMweb services; "" if it has none.
        rest: root address of Orthanc's own interface; "" if it is no Orthanc.
        username, password: for HTTP basic authentication.
        token: bearer token, instead of a user name and password.
        ca_bundle: PEM file of the authority that signed the server's certificate; "" for the usual ones.
        host, port, aet: address and application entity title for DIMSE; host "" if it has none.
        tls: whether DIMSE goes through TLS (not what a C-MOVE or a storage commitment report brings).
        own_aet: the title that this side calls itself.
        own_port: where this side listens for images of a C-MOVE and for storage commitment; 0 for nowhere.
        retrieve: ``get`` (C-GET) or ``move`` (C-MOVE to ``own_aet``, which the server must know with address and port).
        timeout: seconds without an answer after which a server counts as away.
        max_pdu: largest protocol data unit that this side takes, in bytes; 0 for any.
    """

    name: str
    dicomweb: str = ""
    rest: str = ""
    username: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    ca_bundle: str = ""
    host: str = ""
    port: int = 104
    aet: str = "ANY-SCP"
    tls: bool = False
    own_aet: str = "KIDNEYSEG"
    own_port: int = 0
    retrieve: str = "get"
    timeout: float = 30.0
    max_pdu: int = 131072


def read_peer(path: Path, name: str, environment: Mapping[str, str] = os.environ) -> Peer:
    """Reads the settings of one server.

    Args:
        path: the TOML file.
        name: of the server's table.
        environment: ``KIDNEYSEG_<NAME>_USERNAME``, ``_PASSWORD`` and ``_TOKEN`` go before what the file says.

    Raises:
        InputError: the file cannot be read, does not know the server, or says something that cannot be.
    """
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError("The file of servers cannot be read. Check its path and permissions.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError("The file of servers is not valid TOML. Check quotes and brackets.") from error
    table = tables.get(name)
    if not isinstance(table, dict):
        known = ", ".join(sorted(key for key, value in tables.items() if isinstance(value, dict))) or "none"
        raise InputError(f"The file of servers has no table '{name}'. Known: {known}.")
    prefix = "KIDNEYSEG_" + re.sub(r"\W", "_", name).upper() + "_"
    secrets = {key: environment[prefix + key.upper()] for key in _SECRETS if prefix + key.upper() in environment}
    return _checked(name, {**table, **secrets})


def _checked(name: str, settings: dict[str, Any]) -> Peer:
    kinds = {item.name: type(item.default) for item in fields(Peer) if item.name != "name"}
    for key, value in settings.items():
        kind = kinds.get(key)
        if kind is None:
            raise InputError(f"Server '{name}': '{key}' is not known. Known: {', '.join(kinds)}.")
        if not (type(value) is kind or (kind is float and type(value) is int)):
            raise InputError(f"Server '{name}': '{key}' must be of type {kind.__name__}.")
    peer = Peer(name, **settings)
    for address in (peer.dicomweb, peer.rest):
        if address and not re.match(r"https?://[^/]", address):
            raise InputError(f"Server '{name}': an address must begin with http:// or https://.")
    if not all(_AE_TITLE.fullmatch(title) and title.strip() for title in (peer.aet, peer.own_aet)):
        raise InputError(f"Server '{name}': an application entity title has 1 to 16 ASCII characters.")
    if not (0 < peer.port < 65536 and 0 <= peer.own_port < 65536):
        raise InputError(f"Server '{name}': a port is a number from 1 to 65535.")
    if peer.retrieve not in RETRIEVALS:
        raise InputError(f"Server '{name}': 'retrieve' must be one of {', '.join(RETRIEVALS)}.")
    if peer.retrieve == "move" and not peer.own_port:
        raise InputError(f"Server '{name}': C-MOVE brings the images to a port of this machine: set 'own_port'.")
    if peer.timeout <= 0 or peer.max_pdu < 0:
        raise InputError(f"Server '{name}': 'timeout' must be more than 0, 'max_pdu' at least 0.")
    if not (peer.dicomweb or peer.host):
        raise InputError(f"Server '{name}': neither 'dicomweb' nor 'host' is set, so it cannot be reached.")
    return peer
