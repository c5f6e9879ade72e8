"""A port of ours, for what a server sends by itself: images of a C-MOVE, and reports of storage commitment.

Whoever reaches an open port can send anything. So it is open only while something is waited for, on one address, to
those hosts and titles alone that the settings name.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from KidneySegLib.errors import InputError, NetworkError
from KidneySegLib.pacs.packages import quiet_libraries
from KidneySegLib.pacs.peers import Peer

if TYPE_CHECKING:
    from pynetdicom import AE

ANY_TITLE = "ANY-SCP"  # the setting's default: what the server calls itself is not known
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@contextmanager
def listening(peer: Peer, entity: AE, handlers: Sequence[Any]) -> Iterator[None]:
    """Opens our port for the length of a block.

    Args:
        peer: the server, with the settings ``own_address``, ``own_port``, ``senders`` and ``sender_titles``.
        entity: with the contexts that it takes.
        handlers: pairs of a pynetdicom event and a function.

    Raises:
        InputError: a host of the settings is not known.
        NetworkError: the port cannot be opened.
    """
    address, senders = listening_address(peer), allowed_senders(peer)
    entity.require_called_aet = True
    titles = peer.sender_titles or ((peer.aet,) if peer.aet != ANY_TITLE else ())
    entity.require_calling_aet = list(titles)
    try:
        with quiet_libraries():
            server: Any = entity.start_server((address, peer.own_port), block=False, evt_handlers=list(handlers))
    except OSError:
        raise NetworkError(
            f"Port {peer.own_port} cannot be opened on {address}. Another program may use it, or the address may not "
            "be this machine's. Choose another 'own_port' (here and at the server) or 'own_address'."
        ) from None

    def is_allowed(_: object, sender: tuple[Any, ...]) -> bool:
        host = ipaddress.ip_address(str(sender[0]).split("%")[0])
        host = getattr(host, "ipv4_mapped", None) or host
        return any(host in network for network in senders)

    # socketserver asks this before it answers; what it refuses is closed without a word
    server.verify_request = is_allowed
    try:
        yield
    finally:
        entity.shutdown()


def listening_address(peer: Peer) -> str:
    """Returns the address that our port is opened on: the setting, else the one of ours that faces the server.

    Raises:
        InputError: the server's name is not known.
    """
    if peer.own_address:
        return peer.own_address
    try:
        family, kind, _, _, place = socket.getaddrinfo(peer.host, peer.port, type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, kind) as probe:
            probe.connect(place)  # sends nothing: it only asks the system for the way
            return str(probe.getsockname()[0])
    except OSError:
        raise InputError(
            f"Server '{peer.name}': its host '{peer.host}' is not known or not in reach. Check 'host' and the network."
        ) from None


def allowed_senders(peer: Peer) -> tuple[_Network, ...]:
    """Returns who may connect: ``senders`` of the settings, else the server's own host.

    Raises:
        InputError: a name is not known.
    """
    return tuple(network for sender in peer.senders or (peer.host,) for network in _networks(peer, sender))


def _networks(peer: Peer, sender: str) -> list[_Network]:
    try:
        return [ipaddress.ip_network(sender, strict=False)]
    except ValueError:
        pass
    try:
        found = socket.getaddrinfo(sender, None, type=socket.SOCK_STREAM)
    except OSError:
        raise InputError(
            f"Server '{peer.name}': '{sender}' is not a known host, address or network (such as 10.0.0.0/24)."
        ) from None
    return [ipaddress.ip_network(str(place[0]).split("%")[0]) for *_, place in found]
