"""Bounds on the answers of HTTP servers: how long one may take, and how much it may hold.

The timeout of a socket begins anew with every byte, so a server that sends one byte a second would never time out.
Here every read, of headers too, is counted against one clock and one sum of bytes for the whole answer.
"""

from __future__ import annotations

import http.client
import io
import time
from typing import TYPE_CHECKING, Any

from KidneySegLib.errors import NetworkError
from KidneySegLib.pacs.peers import SLOWEST, Peer

if TYPE_CHECKING:
    import socket

    import requests

_BUFFER = 1 << 16  # bytes that are read from the socket at a time


def set_bounds(session: requests.Session, peer: Peer, most_bytes: int) -> None:
    """Makes a session read its answers within bounds; one beyond them raises ``NetworkError`` out of the read.

    Args:
        session: it is changed.
        peer: the server, with its limits of time.
        most_bytes: how much an answer may hold.
    """
    from requests.adapters import HTTPAdapter

    class BoundedAdapter(HTTPAdapter):
        def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
            super().init_poolmanager(*args, **kwargs)
            _bind(self.poolmanager, peer, most_bytes)

        def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
            manager = super().proxy_manager_for(*args, **kwargs)
            _bind(manager, peer, most_bytes)
            return manager

    def refuse_compressed(response: requests.Response, **_: Any) -> None:
        # it would be decompressed in memory, where a thousand times its bytes would stand
        if response.headers.get("Content-Encoding", "identity").strip().lower() not in ("identity", ""):
            response.close()
            raise NetworkError(
                f"Server '{peer.name}' compresses its answers although it was not asked to. Switch that off there."
            )

    session.headers["Accept-Encoding"] = "identity"
    session.hooks["response"].append(refuse_compressed)
    for scheme in ("http://", "https://"):
        session.mount(scheme, BoundedAdapter())


def _bind(manager: Any, peer: Peer, most_bytes: int) -> None:
    """Makes a manager of connections use those whose answers are counted."""
    from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
    from urllib3.connection import HTTPConnection, HTTPSConnection

    def counted(connection: http.client.HTTPConnection, sock: socket.socket, **kwargs: Any) -> Any:
        response = http.client.HTTPResponse(sock, **kwargs)
        # the reader that is replaced has read nothing yet
        response.fp = io.BufferedReader(_CountedReader(response.fp.detach(), sock, peer, most_bytes), _BUFFER)
        return response

    plain = type("Plain", (HTTPConnection,), {"response_class": counted})
    encrypted = type("Encrypted", (HTTPSConnection,), {"response_class": counted})
    manager.pool_classes_by_scheme = {
        "http": type("PlainPool", (HTTPConnectionPool,), {"ConnectionCls": plain}),
        "https": type("EncryptedPool", (HTTPSConnectionPool,), {"ConnectionCls": encrypted}),
    }


class _CountedReader(io.RawIOBase):
    """The bytes of one answer, read against a clock and a limit."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, peer: Peer, most_bytes: int) -> None:
        self._raw = raw
        self._sock = sock
        self._peer = peer
        self._most_bytes = most_bytes
        self._count = 0
        self._start: float | None = None  # until the first byte the server may think for its whole timeout

    def readable(self) -> bool:
        """Says that it can be read."""
        return True

    def readinto(self, buffer: Any) -> int | None:
        """Reads what is there, waiting no longer than the whole answer may take."""
        left = self._left()
        if left <= 0:
            raise self._too_slow()
        self._sock.settimeout(min(self._peer.timeout, left))
        try:
            count = self._raw.readinto(buffer)
        except TimeoutError:
            if left < self._peer.timeout:
                raise self._too_slow() from None
            raise
        self._start = self._start or time.monotonic()
        self._count += count or 0
        if self._count > self._most_bytes:
            raise NetworkError(
                f"Server '{self._peer.name}' answers with more than {self._most_bytes / 1e6:.0f} MB. What had arrived "
                "was thrown away. Ask for less, or check the server."
            )
        return count

    def _left(self) -> float:
        """Returns the seconds that are left for the whole answer."""
        if self._start is None:
            return self._peer.timeout
        return self._start + self._peer.deadline + self._count / SLOWEST - time.monotonic()

    def close(self) -> None:
        """Closes the socket's reader too."""
        if not self.closed:
            self._raw.close()
        super().close()

    def _too_slow(self) -> NetworkError:
        return NetworkError(
            f"Server '{self._peer.name}' is too slow: its answer was not complete after {self._peer.deadline:g} s. "
            "Check the server and the network, or set a longer 'deadline'."
        )
