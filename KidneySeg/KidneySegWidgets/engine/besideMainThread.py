"""Work that takes long is done in a thread, while Slicer stays usable; the main thread gets what came of it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import qt

_POLL_MS = 20


class BesideMainThread:
    """Does one thing at a time. What it does must touch no node and no widget."""

    def __init__(self) -> None:
        self._thread: threading.Thread | None = None
        self._value: Any = None
        self._error: BaseException | None = None
        self._tell: Callable[[], None] = lambda: None
        self._timer = qt.QTimer()
        self._timer.setInterval(_POLL_MS)
        self._timer.connect("timeout()", self._poll)

    @property
    def isWorking(self) -> bool:
        return self._thread is not None

    def start(
        self, work: Callable[[], Any], onDone: Callable[[Any], None], onFailed: Callable[[BaseException], None]
    ) -> None:
        """Begins; `onDone` gets what `work` returns, `onFailed` what it raises, both in the main thread."""
        assert not self.isWorking, "one at a time"
        self._value = self._error = None
        self._tell = lambda: onFailed(self._error) if self._error is not None else onDone(self._value)
        self._thread = threading.Thread(target=self._work, args=(work,), daemon=True)
        self._thread.start()
        self._timer.start()

    def finish(self) -> None:
        """Waits for the work and tells what came of it now."""
        if self._thread is not None:
            self.stop()
            self._tell()

    def stop(self) -> None:
        """Waits for the work and tells nobody what came of it."""
        self._timer.stop()
        if self._thread is not None:
            self._thread.join()
        self._thread = None

    def _work(self, work: Callable[[], Any]) -> None:
        try:
            self._value = work()
        except Exception as error:  # told in the main thread
            self._error = error

    def _poll(self) -> None:
        if self._thread is not None and not self._thread.is_alive():
            self.stop()
            self._tell()
