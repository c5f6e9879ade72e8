"""The engine answers beside the main thread what changes in the label map; the outline follows when it is known."""

from __future__ import annotations

from collections.abc import Callable

from KidneySegWidgets.engine.besideMainThread import BesideMainThread
from KidneySegWidgets.result.resultNodes import ResultNodes
from KidneySegWidgets.worklist.labelChange import LabelChange

# Made in the main thread from the nodes, and answered in a thread of its own, which touches no node.
Question = Callable[[], LabelChange]


class Answering:
    """Answers one question at a time."""

    def __init__(
        self, onAnswer: Callable[[ResultNodes, LabelChange], None], onFailed: Callable[[BaseException], None]
    ) -> None:
        """`onAnswer` gets what changes, which may be nothing; `onFailed` why nothing is known."""
        self._onAnswer, self._onFailed = onAnswer, onFailed
        self._beside = BesideMainThread()

    @property
    def isWorking(self) -> bool:
        return self._beside.isWorking

    def ask(self, result: ResultNodes, question: Callable[[ResultNodes], Question]) -> bool:
        """Begins to answer; returns False while another question is being answered."""
        if self.isWorking:
            return False
        try:
            asked = question(result)
        except Exception as error:
            self._onFailed(error)
            return True
        self._beside.start(asked, lambda change: self._onAnswer(result, change), self._onFailed)
        return True

    def finish(self) -> None:
        """Waits for what is being answered, and tells it."""
        self._beside.finish()

    def stop(self) -> None:
        """Forgets what is being answered."""
        self._beside.stop()
