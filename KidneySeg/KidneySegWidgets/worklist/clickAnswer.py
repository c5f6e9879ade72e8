"""A click is answered by the engine beside the main thread, without torch; the outline follows when it is known."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import qt
from slicer.i18n import tr as _

from KidneySegWidgets.complaints import logError, reasonOf
from KidneySegWidgets.engine.engineLocation import ensureEngine
from KidneySegWidgets.exam.inputVolume import RAS_TO_LPS
from KidneySegWidgets.result.correction import preparedExam
from KidneySegWidgets.result.resultNodes import ResultNodes
from KidneySegWidgets.worklist.labelChange import LabelChange, drawnIn, gridVolume, partOfGrid

_POLL_MS = 20
# No answer reaches farther than 60 mm from a click; tissue and borders a little beyond are looked at, too.
_AROUND_MM = 70.0


@dataclass(frozen=True)
class ReaderClick:
    """A click, or a scribble of several points.

    Attributes:
        points: (n, 3), in mm RAS of the world.
        key: of the structure that is missing or too much there.
        adds: whether it is missing.
    """

    points: np.ndarray
    key: str
    adds: bool


class ClickAnswer:
    """Answers one click at a time; a click while it works is not taken."""

    def __init__(self, onAnswer: Callable[[ResultNodes, LabelChange], None], onFailed: Callable[[str], None]) -> None:
        """`onAnswer` gets what changes, which may be nothing; `onFailed` a sentence."""
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

    def ask(self, result: ResultNodes, click: ReaderClick, earlier: Sequence[ReaderClick] = ()) -> bool:
        """Begins to answer; returns False while another click is being answered."""
        if self.isWorking:
            return False
        try:
            question = _Question.of(result, click, earlier)
        except Exception as error:
            self._fail(error)
            return True
        self._result, self._answer, self._error = result, None, None
        self._thread = threading.Thread(target=self._work, args=(question,), daemon=True)
        self._thread.start()
        self._timer.start()
        return True

    def stop(self) -> None:
        """Forgets the click that is being answered."""
        self._timer.stop()
        if self._thread is not None:
            self._thread.join()
        self._thread = self._result = None

    def _work(self, question: _Question) -> None:
        """Runs in a thread of its own; no node is touched here."""
        try:
            self._answer = question.answer()
        except Exception as error:  # told in the main thread
            self._error = error

    def _poll(self) -> None:
        if self._thread is None or self._thread.is_alive():
            return
        result, answer = self._result, self._answer
        self.stop()
        if self._error is not None or answer is None or result is None:
            self._fail(self._error or RuntimeError())
        else:
            self._onAnswer(result, answer)

    def _fail(self, error: BaseException) -> None:
        logError(error)
        self._onFailed(_("The click could not be answered. {reason}").format(reason=reasonOf(error)))


@dataclass(frozen=True)
class _Question:
    """What the engine needs: image in HU and labels around the click, and the clicks in voxels of that part."""

    image: Any
    labels: np.ndarray
    start: tuple[int, int, int]
    points: np.ndarray
    label: int
    adds: bool
    earlier: list[Any]

    @classmethod
    def of(cls, result: ResultNodes, click: ReaderClick, earlier: Sequence[ReaderClick]) -> _Question:
        ensureEngine()
        from KidneySegLib.errors import InputError
        from KidneySegLib.segmentation.interactive.click import Click
        from KidneySegLib.structures import BY_KEY
        from KidneySegLib.tasks.run import exam_again

        grid = gridVolume(result)
        points = grid.to_kji(click.points * np.diag(RAS_TO_LPS)[:3])
        if np.any(np.rint(points) < 0) or np.any(np.rint(points) >= grid.voxels.shape):
            raise InputError(_("The click lies outside the image."))
        around = _AROUND_MM / np.array(grid.spacing[::-1])
        low = np.maximum(np.floor(points.min(axis=0) - around), 0).astype(int)
        high = np.minimum(np.ceil(points.max(axis=0) + around) + 1, grid.voxels.shape).astype(int)
        box = tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
        start = (int(low[0]), int(low[1]), int(low[2]))
        voxels = np.ascontiguousarray(preparedExam(result).voxels[box])
        image = exam_again(partOfGrid(grid, box, voxels), result.networkFindings()).stored
        before = []
        for each in earlier:
            for point in grid.to_kji(each.points * np.diag(RAS_TO_LPS)[:3]):
                kji = np.rint(point).astype(int) - low
                if np.all(kji >= 0) and np.all(kji < voxels.shape):
                    before.append(Click((int(kji[0]), int(kji[1]), int(kji[2])), BY_KEY[each.key].label, each.adds))
        labels = drawnIn(result, start, voxels.shape)
        return cls(image, labels, start, points - low, BY_KEY[click.key].label, click.adds, before)

    def answer(self) -> LabelChange:
        from KidneySegLib.segmentation.interactive.session import Session

        session = Session(self.image, self.labels, self.earlier)
        session.scribble(self.points, self.label, adds=self.adds)
        return LabelChange(self.labels, session.labels, self.start)
