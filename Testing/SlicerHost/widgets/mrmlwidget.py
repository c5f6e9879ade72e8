"""Slicer's plain widgets that know the scene."""

from __future__ import annotations

from typing import Any

import qt
from PySide6.QtCore import Signal

from SlicerHost.pythonqt.standins import standIn
from SlicerHost.widgets.numbers import ctkSliderWidget


@standIn
class qMRMLWidget(qt.QWidget):
    """A widget with a scene; `.ui` files connect mrmlSceneChanged to the setMRMLScene of their widgets."""

    mrmlSceneChanged = Signal(object)
    cppSignals = {"mrmlSceneChanged(vtkMRMLScene*)": "mrmlSceneChanged"}

    def __init__(self, parent: qt.QWidget | None = None) -> None:
        super().__init__(parent)
        self._scene: Any = None

    def mrmlScene(self) -> Any:
        return self._scene

    def setMRMLScene(self, scene: Any) -> None:
        if scene is not self._scene:
            self._scene = scene
            self.mrmlSceneChanged.emit(scene)


@standIn
class qSlicerWidget(qMRMLWidget):
    """The same for widgets of modules."""


@standIn
class qMRMLSliderWidget(ctkSliderWidget):
    """A slider that takes its unit from the scene in Slicer."""

    def __init__(self, parent: qt.QWidget | None = None) -> None:
        super().__init__(parent)
        self._scene: Any = None

    def mrmlScene(self) -> Any:
        return self._scene

    def setMRMLScene(self, scene: Any) -> None:
        self._scene = scene
