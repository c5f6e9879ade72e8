"""Associations with a server (PS3.8): opened with its settings, released or aborted however the block ends.

Associations without TCP's pauses.

DIMSE sends command and data in packets of their own and waits for each answer. Nagle's algorithm (RFC 896) then holds
the second packet back until the first is acknowledged, and the other side delays that by about 40 ms (RFC 1122,
4.2.3.2): a tenth of a second for each image. Here nothing is held back, and (where the system can, on Linux) every
packet is acknowledged at once, which frees a server that holds back its own.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from KidneySegLib.errors import NetworkError
from KidneySegLib.pacs.packages import quiet_libraries
from KidneySegLib.pacs.peers import Peer, trusted

if TYPE_CHECKING:
    from pynetdicom.events import Event


# Implicit and explicit VR, little endian. pynetdicom would also propose deflated, and unpack whatever comes.
IDENTIFIER_SYNTAXES = ["1.2.840.10008.1.2", "1.2.840.10008.1.2.1"]

if TYPE_CHECKING:
    from pydicom.dataset import Dataset
    from pynetdicom import AE
    from pynetdicom.association import Association
    from pynetdicom.presentation import PresentationContext


def application_entity(peer: Peer) -> AE:
    """Returns this side of the connection, with the title and the time limits for one server."""
    from pynetdicom import AE

    entity = AE(peer.own_aet)
    entity.connection_timeout = peer.timeout
    entity.acse_timeout = peer.timeout
    entity.dimse_timeout = peer.timeout
    entity.network_timeout = peer.timeout
    entity.maximum_pdu_size = peer.max_pdu
    return entity


@contextmanager
def association(
    peer: Peer, contexts: Sequence[PresentationContext], *, roles: Sequence[Any] = (), handlers: Sequence[Any] = ()
) -> Iterator[Association]:
    """Opens an association for the length of a block.

    Args:
        peer: the server.
        contexts: presentation contexts that are proposed.
        roles: role selections (PS3.7 D.3.3.4), for what the server will send.
        handlers: pairs of a pynetdicom event and a function.

    Raises:
        NetworkError: the server is away or refuses.
        InputError: the CA bundle cannot be used.
    """
    with quiet_libraries():
        link = application_entity(peer).associate(
            peer.host,
            peer.port,
            contexts=list(contexts),
            ae_title=peer.aet,
            max_pdu=peer.max_pdu,
            ext_neg=list(roles),
            evt_handlers=[*handlers, *prompt_handlers()],
            tls_args=(trusted(peer), peer.host) if peer.tls else None,
        )
        if not link.is_established:
            raise NetworkError(_why_not(peer, link))
        try:
            yield link
            link.release()
        finally:
            if link.is_established:
                link.abort()


def status_of(answer: Dataset, peer: Peer) -> int:
    """Returns the status of an answer (PS3.7 annex C).

    Raises:
        NetworkError: there was no answer.
    """
    if "Status" not in answer:
        raise NetworkError(f"Server '{peer.name}' closed the connection or did not answer within {peer.timeout:g} s.")
    return int(answer.Status)


def _why_not(peer: Peer, link: Association) -> str:
    if link.is_rejected:
        return (
            f"Server '{peer.name}' refuses the connection. Check that it knows the title {peer.own_aet} and that its "
            f"own is {peer.aet}."
        )
    if link.acceptor.primitive is not None and not link.accepted_contexts:
        return f"Server '{peer.name}' does not offer this service, or not for these kinds of objects."
    return f"Server '{peer.name}' cannot be reached. Check that it runs, its host, port and the network."


_OPTIONS = [getattr(socket, name) for name in ("TCP_NODELAY", "TCP_QUICKACK") if hasattr(socket, name)]


def prompt_handlers() -> list[tuple[Any, Callable[[Event], None]]]:
    """Returns pairs of a pynetdicom event and a function, for ``associate`` and ``start_server``."""
    from pynetdicom import evt

    # the system falls back to delayed acknowledgement, so it is told anew around each packet
    return [(event, _hurry) for event in (evt.EVT_CONN_OPEN, evt.EVT_DATA_SENT, evt.EVT_DATA_RECV)]


def _hurry(event: Event) -> None:
    connection = event.assoc.dul.socket
    if connection is None or connection.socket is None:
        return
    for option in _OPTIONS:
        with contextlib.suppress(OSError):  # it is closing, and the association will tell why
            connection.socket.setsockopt(socket.IPPROTO_TCP, option, 1)
