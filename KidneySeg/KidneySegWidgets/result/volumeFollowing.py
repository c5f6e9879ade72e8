"""Watches the volume of the shown result: where it goes, its outlines and lines go, too, or a sentence says why not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import qt
import slicer

from KidneySegWidgets.exam.inputVolume import placeOf
from KidneySegWidgets.result.place import followVolume
from KidneySegWidgets.result.resultNodes import ResultNodes


class VolumeFollowing:
    """Follows one volume. Slicer tells a move in several steps, so that it is looked at once they are all done."""

    def __init__(self, onMoved: Callable[[], None]) -> None:
        """`onMoved` is told that the volume lies elsewhere than before."""
        self._onMoved = onMoved
        self._result: ResultNodes | None = None
        self._place: Any = None
        self._observed: list[tuple[Any, int]] = []
        self._timer = qt.QTimer()
        self._timer.setSingleShot(True)
        self._timer.setInterval(0)
        self._timer.connect("timeout()", self._follow)

    def setResult(self, result: ResultNodes | None) -> None:
        """Follows the volume of another result; None follows none."""
        self._timer.stop()
        for observed, tag in self._observed:
            observed.RemoveObserver(tag)
        self._observed, self._result = [], result
        volume = result.volume if result is not None else None
        if volume is not None:
            self._place = placeOf(volume)
            for event in (slicer.vtkMRMLTransformableNode.TransformModifiedEvent, "ModifiedEvent"):
                self._observed.append((volume, volume.AddObserver(event, self._onModified)))

    def _onModified(self, _volume: Any, _event: str) -> None:
        self._timer.start()

    def _follow(self) -> None:
        result = self._result
        if result is None or result.volume is None or result.volume.GetImageData() is None:
            return
        place = placeOf(result.volume)
        if place != self._place:
            self._place = place
            followVolume(result)
            self._onMoved()
