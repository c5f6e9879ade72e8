"""The engine answers beside the main thread what changes in the label map; the outline follows when it is known."""

from __future__ import annotations

import threading
from collections.abc import Callable

import qt

from KidneySegWidgets.result.resultNodes import ResultNodes
from KidneySegWidgets.worklist.labelChange import LabelChange

_POLL_MS = 20
# Made in the main thread from the nodes, and answered in a thread of its own, which touches no node.
Question = Callable[[], LabelChange]


class Answering:
    """Answers one question at a time."""

    def __init__(
        self, onAnswer: Callable[[ResultNodes, LabelChange], None], onFailed: Callable[[BaseException], None]
    ) -> None:
        """`onAnswer` gets what changes, which may be nothing; `onFailed` why nothing is known."""
        self._onAnswer, self._onFailed = onAnswer, onFailed
        self._thread: threading.Thread | None = None
        self._result: ResultNodes | None = None
        self._answer: LabelChange | None = None
        self._error: BaseException | None = None
        self._timer = qt.QTimer()
        self._timer.setInterval(_POLL_MS)
        self._timer.connect("timeout()", self._poll)

    @property
    def isWorking(self) -> bool:
        return self._thread is not None

    def ask(self, result: ResultNodes, question: Callable[[ResultNodes], Question]) -> bool:
        """Begins to answer; returns False while another question is being answered."""
        if self.isWorking:
            return False
        try:
            asked = question(result)
        except Exception as error:
            self._onFailed(error)
            return True
        self._result, self._answer, self._error = result, None, None
        self._thread = threading.Thread(target=self._work, args=(asked,), daemon=True)
        self._thread.start()
        self._timer.start()
        return True

    def stop(self) -> None:
        """Forgets what is being answered."""
        self._timer.stop()
        if self._thread is not None:
            self._thread.join()
        self._thread = self._result = None

    def _work(self, question: Question) -> None:
        try:
            self._answer = question()
        except Exception as error:  # told in the main thread
            self._error = error

    def _poll(self) -> None:
        if self._thread is None or self._thread.is_alive():
            return
        result, answer = self._result, self._answer
        self.stop()
        if self._error is not None or answer is None or result is None:
            self._onFailed(self._error or RuntimeError())
        else:
            self._onAnswer(result, answer)
