"""Leases: which client owns which state, and when a client that is gone loses it."""

import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from KidneySegLib.click_server.client_state import ClientState


class Full(Exception):  # noqa: N818 (it says what the server is)
    """All leases are taken."""


class Gone(Exception):  # noqa: N818
    """There is no such lease, or no longer."""


@dataclass
class Lease:
    """A client's claim.

    Attributes:
        client: its image and object.
        seen: when any request came last; a client sends heartbeats by itself.
        used: when the user did something last.
        lock: held while a request works on them.
    """

    client: ClientState
    seen: float
    used: float
    lock: threading.Lock = field(default_factory=threading.Lock)


class Leases:
    """All leases of a server; may be called from several threads."""

    def __init__(self, most: int, idle_s: float, silent_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        """Starts without leases.

        Args:
            most: number of leases at a time.
            idle_s: a lease ends so many seconds after the user's last action.
            silent_s: and so many seconds after the last sign of life of the client.
            clock: seconds that only grow.
        """
        self.most, self.idle_s, self.silent_s = most, idle_s, silent_s
        self._clock = clock
        self._lock = threading.Lock()
        self._leases: dict[str, Lease] = {}

    def claim(self) -> str:
        """Makes a lease and returns its token.

        Raises:
            Full: all are taken.
        """
        self.sweep()
        with self._lock:
            if len(self._leases) >= self.most:
                raise Full
            token = secrets.token_hex(16)
            now = self._clock()
            self._leases[token] = Lease(ClientState(), now, now)
            return token

    def get(self, token: str | None, *, alive: bool = True, acts: bool = False) -> Lease:
        """Returns a lease.

        Args:
            token: as it was claimed.
            alive: whether this is a sign of life of the client.
            acts: whether the user did something.

        Raises:
            Gone: there is none.
        """
        self.sweep()
        with self._lock:
            lease = self._leases.get(token or "")
            if lease is None:
                raise Gone
            now = self._clock()
            lease.seen = now if alive else lease.seen
            lease.used = now if acts else lease.used
            return lease

    def remaining_s(self, lease: Lease) -> float:
        """Returns the seconds until a lease ends if its user does nothing."""
        return max(0.0, self.idle_s - (self._clock() - lease.used))

    def release(self, token: str | None) -> None:
        """Ends a lease, if there is one."""
        with self._lock:
            self._leases.pop(token or "", None)

    def sweep(self) -> None:
        """Ends the leases whose client is gone or whose user does nothing any more."""
        now = self._clock()
        with self._lock:
            for token, lease in list(self._leases.items()):
                if now - lease.seen > self.silent_s or now - lease.used > self.idle_s:
                    del self._leases[token]
