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

import ipaddress
import os
import re
import ssl
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from KidneySegLib.errors import InputError
from KidneySegLib.publishing import is_open_to_others

RETRIEVALS = ("get", "move")
SLOWEST = 20_000  # bytes per second: an answer may take that much longer than the deadline as it is large
_SECRETS = ("username", "password", "token")
_SMALLEST_PDU, _LARGEST_PDU = 4096, 2**32 - 1  # smaller ones hold hardly more than their own headers
_LONGEST = 86_400.0  # seconds that a limit may say
_AE_TITLE = re.compile(r"[ -\[\]-~]{1,16}")  # PS3.5 6.2: printable ASCII without the backslash


@dataclass(frozen=True)
class Peer:
    """One server.

    Attributes:
        name: the table's name in the file, which is used in messages.
        dicomweb: root address of its DICOMweb services; "" if it has none.
        rest: root address of Orthanc's own interface; "" if it is not an Orthanc.
        username, password: for HTTP basic authentication.
        token: bearer token, instead of a user name and password.
        ca_bundle: PEM file of the authority that signed the server's certificate; "" for the usual ones.
        host, port, aet: address and application entity title for DIMSE; host "" if it has none.
        tls: whether DIMSE goes through TLS (not what a C-MOVE or a storage commitment report brings).
        own_aet: the title that this side calls itself.
        own_port: where this side listens for images of a C-MOVE and for storage commitment; 0 for nowhere.
        own_address: address of this machine on which ``own_port`` is opened; "" for the one that faces the server.
        senders: hosts, addresses or networks that may connect to ``own_port``; none named: the server's host alone.
        sender_titles: application entity titles that they may have; none named: ``aet`` (any, where it is not set).
        retrieve: ``get`` (C-GET) or ``move`` (C-MOVE to ``own_aet``, which the server must know with address and port).
        timeout: seconds without an answer after which a server counts as away.
        deadline: seconds that a whole answer may take, and one more for each ``SLOWEST`` bytes of it.
        largest_series_gb: more than that (1e9 bytes) no series may bring.
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
    own_address: str = ""
    senders: tuple[str, ...] = ()
    sender_titles: tuple[str, ...] = ()
    retrieve: str = "get"
    timeout: float = 30.0
    deadline: float = 60.0
    largest_series_gb: float = 10.0
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
        if kind is tuple:
            _check_list(name, key, value)
            continue
        if not (type(value) is kind or (kind is float and type(value) is int)):
            raise InputError(f"Server '{name}': '{key}' must be of type {kind.__name__}.")
        if isinstance(value, str) and not value.isprintable():
            raise InputError(f"Server '{name}': '{key}' holds a control character, such as a line break.")
    values: dict[str, Any] = {key: tuple(value) if kinds[key] is tuple else value for key, value in settings.items()}
    peer = Peer(name, **values)
    for address in (peer.dicomweb, peer.rest):
        if address and not re.match(r"https?://[^/]", address):
            raise InputError(f"Server '{name}': an address must begin with http:// or https://.")
    if not all(_AE_TITLE.fullmatch(title) and title.strip() for title in (peer.aet, peer.own_aet, *peer.sender_titles)):
        raise InputError(f"Server '{name}': an application entity title has 1 to 16 ASCII characters.")
    if not (0 < peer.port < 65536 and 0 <= peer.own_port < 65536):
        raise InputError(f"Server '{name}': a port is a number from 1 to 65535.")
    if peer.retrieve not in RETRIEVALS:
        raise InputError(f"Server '{name}': 'retrieve' must be one of {', '.join(RETRIEVALS)}.")
    if peer.retrieve == "move" and not peer.own_port:
        raise InputError(f"Server '{name}': C-MOVE brings the images to a port of this machine: set 'own_port'.")
    if not peer.token.isascii():
        raise InputError(f"Server '{name}': a token consists of ASCII characters.")
    for limit in ("timeout", "deadline", "largest_series_gb"):
        # a NaN, which TOML allows, is neither more nor less than anything
        if not 0 < getattr(peer, limit) <= _LONGEST:
            raise InputError(f"Server '{name}': '{limit}' must be more than 0 and at most {_LONGEST:.0f}.")
    if peer.max_pdu and not _SMALLEST_PDU <= peer.max_pdu <= _LARGEST_PDU:
        raise InputError(
            f"Server '{name}': 'max_pdu' must be 0 (any size) or from {_SMALLEST_PDU} to {_LARGEST_PDU} bytes."
        )
    if not (peer.dicomweb or peer.host):
        raise InputError(f"Server '{name}': neither 'dicomweb' nor 'host' is set, so it cannot be reached.")
    return peer


def _check_list(name: str, key: str, value: object) -> None:
    if not (isinstance(value, list) and value and all(isinstance(item, str) and item.isprintable() for item in value)):
        raise InputError(f"Server '{name}': '{key}' must be a list of texts, such as [\"10.0.0.5\"].")


def exposed_secrets(path: Path, peer: Peer) -> list[str]:
    """Returns a sentence for each way in which others may learn a secret.

    Args:
        path: the file of servers, which was read before.
        peer: what it says of the server.
    """
    tables = tomllib.loads(path.read_text(encoding="utf-8"))
    told = any(isinstance(table, dict) and (table.get("password") or table.get("token")) for table in tables.values())
    remarks = []
    if told and is_open_to_others(path):
        remarks.append(
            "The file of servers holds a password or token, and everybody on this machine may read or change it. "
            "Make it private: chmod 600."
        )
    addresses = [address for address in (peer.dicomweb, peer.rest) if address.lower().startswith("http://")]
    if (peer.password or peer.token) and not all(map(_stays_here, addresses)):
        remarks.append(
            f"Server '{peer.name}': the password or token, and patients' images, go over the network in the clear "
            "(http). Use https."
        )
    return remarks


def _stays_here(address: str) -> bool:
    """Whether an address is that of this machine (loopback)."""
    host = urlsplit(address).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def ca_file(peer: Peer) -> str:
    """Returns the path of the peer's CA bundle with the user's folder and variables filled in; "" for none."""
    return os.path.expanduser(os.path.expandvars(peer.ca_bundle))


def trusted(peer: Peer) -> ssl.SSLContext:
    """Returns the settings of an encrypted connection that verifies the server's certificate.

    Raises:
        InputError: the CA bundle does not exist, cannot be read, or holds no certificate.
    """
    path = ca_file(peer)
    if path and not Path(path).is_file():
        raise InputError(f"Server '{peer.name}': the file that 'ca_bundle' names does not exist.")
    try:
        return ssl.create_default_context(cafile=path or None)
    except ssl.SSLError as error:
        raise InputError(
            f"Server '{peer.name}': the file that 'ca_bundle' names holds no certificate that can be read. It must be "
            "a PEM file, with lines such as BEGIN CERTIFICATE."
        ) from error
    except OSError as error:
        raise InputError(
            f"Server '{peer.name}': the file that 'ca_bundle' names cannot be read. Check its permissions."
        ) from error
