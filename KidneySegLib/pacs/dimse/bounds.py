"""Bounds on what a DIMSE server answers: how long it may take, how much it may hold, how many entries.

pynetdicom counts its time limits anew with every byte that comes. Here one clock and one sum of bytes run for a whole
association; beyond them its connection is cut, which ends every wait for it.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from KidneySegLib.errors import NetworkError
from KidneySegLib.pacs.peers import SLOWEST, Peer

if TYPE_CHECKING:
    from pynetdicom.association import Association
    from pynetdicom.events import Event

MOST_ANSWER_BYTES = 200_000_000  # of a search: 50,000 entries with 4 kB each
_LOOK = 0.2  # seconds between two looks at the clock


class Bounds:
    """Counts what comes over associations, and cuts them when it is too much or too slow."""

    def __init__(self, peer: Peer, most_bytes: int) -> None:
        """Starts the clock."""
        self._peer = peer
        self._most_bytes = most_bytes
        self._begin = time.monotonic()
        self._bytes = 0
        self._links: list[Association] = []

    def handlers(self) -> list[tuple[Any, Callable[[Event], None]]]:
        """Returns pairs of a pynetdicom event and a function, for ``associate`` and ``start_server``."""
        from pynetdicom import evt

        return [(evt.EVT_CONN_OPEN, self._open), (evt.EVT_DATA_RECV, self._count)]

    def problem(self) -> NetworkError | None:
        """Returns what is wrong, or None."""
        if self._bytes > self._most_bytes:
            return NetworkError(
                f"Server '{self._peer.name}' sends more than {self._most_bytes / 1e9:g} GB and does not stop. Ask for "
                "less, or raise 'largest_series_gb' in the file of servers."
            )
        allowed = self._peer.deadline + self._bytes / SLOWEST
        if time.monotonic() - self._begin > allowed:
            return NetworkError(
                f"Server '{self._peer.name}' did not answer completely within {allowed:.0f} s. Try again later, or "
                "raise 'deadline' in the file of servers."
            )
        return None

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Looks at the clock while a block runs; an error that comes from a cut connection says why it was cut.

        Raises:
            NetworkError: it was too much or too slow.
        """
        done = threading.Event()
        guard = threading.Thread(target=self._guard, args=(done,), daemon=True)
        guard.start()
        try:
            yield
        except NetworkError:
            problem = self.problem()
            if problem is not None:
                raise problem from None
            raise
        finally:
            done.set()
            guard.join()

    def _guard(self, done: threading.Event) -> None:
        while not done.wait(_LOOK):
            if self.problem() is not None:
                for link in list(self._links):
                    _cut(link)

    def _open(self, event: Event) -> None:
        self._links.append(event.assoc)

    def _count(self, event: Event) -> None:
        self._bytes += len(event.data)


def _cut(link: Association) -> None:
    connection = link.dul.socket
    if connection is not None and connection.socket is not None:
        with contextlib.suppress(OSError):  # it is closed already
            connection.socket.shutdown(socket.SHUT_RDWR)
