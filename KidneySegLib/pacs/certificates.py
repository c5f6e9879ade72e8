"""Whom this side trusts: the authorities of a server's settings, or else those of the system."""

from __future__ import annotations

import os
import ssl
from pathlib import Path

from KidneySegLib.errors import InputError
from KidneySegLib.pacs.peers import Peer


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
