"""A reader's click into the image, and what it asks of the engine, which answers it without torch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from KidneySegWidgets.complaints import logError, reasonOf
from KidneySegWidgets.engine.engineLocation import ensureEngine
from KidneySegWidgets.exam.inputVolume import RAS_TO_LPS
from KidneySegWidgets.result.drawnResult import preparedExam
from KidneySegWidgets.result.place import toExam
from KidneySegWidgets.result.resultNodes import ResultNodes
from KidneySegWidgets.translation import tr as _
from KidneySegWidgets.worklist.labelChange import LabelChange, drawnIn, gridVolume, partOfGrid

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


def clickQuestion(
    click: ReaderClick, earlier: Sequence[ReaderClick] = ()
) -> Callable[[ResultNodes], Callable[[], LabelChange]]:
    """Returns what `Answering` asks about a click that follows earlier ones of the same structure."""
    return lambda result: _Question.of(result, click, earlier).answer


def clickFailure(error: BaseException) -> str:
    """Returns the sentence for a click that could not be answered; the log gets the error."""
    logError(error)
    return _("The click could not be answered. {reason}").format(reason=reasonOf(error))


def _inExam(result: ResultNodes, click: ReaderClick) -> np.ndarray:
    """Returns the points (n, 3) of a click in mm LPS, where the exam lay when it was segmented."""
    return toExam(result, click.points) * np.diag(RAS_TO_LPS)[:3]


@dataclass(frozen=True)
class _Question:
    """What the engine needs: image and labels around the click, and the clicks in voxels of that part.

    The image is a view of the node's own voxels; what takes time is done with it beside the main thread.
    """

    part: Any
    network: Any
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

        if not result.networkFindings().in_patient:
            raise InputError(_("Clicks are answered on CT only. Correct an ultrasound outline with Paint and Erase."))
        prepared, grid = preparedExam(result), gridVolume(result)
        points = grid.to_kji(_inExam(result, click))
        if np.any(np.rint(points) < 0) or np.any(np.rint(points) >= grid.voxels.shape):
            raise InputError(_("The click lies outside the image."))
        around = _AROUND_MM / np.array(grid.spacing[::-1])
        low = np.maximum(np.floor(points.min(axis=0) - around), 0).astype(int)
        high = np.minimum(np.ceil(points.max(axis=0) + around) + 1, grid.voxels.shape).astype(int)
        box = tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
        start = (int(low[0]), int(low[1]), int(low[2]))
        voxels = prepared.voxels[box]
        before = []
        for each in earlier:
            for point in grid.to_kji(_inExam(result, each)):
                kji = np.rint(point).astype(int) - low
                if np.all(kji >= 0) and np.all(kji < voxels.shape):
                    before.append(Click((int(kji[0]), int(kji[1]), int(kji[2])), BY_KEY[each.key].label, each.adds))
        labels = drawnIn(result, start, voxels.shape)
        part = partOfGrid(grid, box, voxels)
        return cls(
            part, result.networkFindings(), labels, start, points - low, BY_KEY[click.key].label, click.adds, before
        )

    def answer(self) -> LabelChange:
        from KidneySegLib.segmentation.interactive.session import Session
        from KidneySegLib.structures import BY_LABEL
        from KidneySegLib.tasks.new_body import new_body
        from KidneySegLib.tasks.run import exam_again

        voxels = np.ascontiguousarray(self.part.voxels)
        image = exam_again(self.part.like(voxels), self.network).stored
        session = Session(image, self.labels, self.earlier)
        session.scribble(self.points, self.label, adds=self.adds)
        drawn = image.like(self.labels)
        body = new_body(drawn, session.labels, BY_LABEL[self.label], self.start) if self.adds else None
        return LabelChange(self.labels, session.labels, self.start, body)
