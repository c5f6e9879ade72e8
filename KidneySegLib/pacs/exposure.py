"""Secrets of a server that others may read: in a file that is open to all, or on their way over the network."""

from __future__ import annotations

import ipaddress
import tomllib
from pathlib import Path
from urllib.parse import urlsplit

from KidneySegLib.pacs.peers import Peer
from KidneySegLib.private_files import is_open_to_others


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
