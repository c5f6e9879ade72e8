"""Associations without TCP's pauses.

DIMSE sends command and data in packets of their own and waits for each answer. Nagle's algorithm (RFC 896) then holds
the second packet back until the first is acknowledged, and the other side delays that by about 40 ms (RFC 1122,
4.2.3.2): a tenth of a second for each image. Here nothing is held back, and (where the system can, on Linux) every
packet is acknowledged at once, which frees a server that holds back its own.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pynetdicom.events import Event

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
