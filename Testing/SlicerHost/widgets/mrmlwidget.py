"""Slicer's plain widgets that know the scene."""

from __future__ import annotations

from typing import Any

import qt
from PySide6.QtCore import Signal

from SlicerHost.pythonqt.standins import standIn
from SlicerHost.widgets.numbers import ctkSliderWidget
from SlicerHost.widgets.sceneaware import SceneAware


@standIn
class qMRMLWidget(SceneAware, qt.QWidget):
    """A widget with a scene; `.ui` files connect mrmlSceneChanged to the setMRMLScene of their widgets."""

    mrmlSceneChanged = Signal(object)
    cppSignals = {"mrmlSceneChanged(vtkMRMLScene*)": "mrmlSceneChanged"}

    def setMRMLScene(self, scene: Any) -> None:
        if scene is not self.mrmlScene():
            super().setMRMLScene(scene)
            self.mrmlSceneChanged.emit(scene)


@standIn
class qSlicerWidget(qMRMLWidget):
    """The same for widgets of modules."""


@standIn
class qMRMLSliderWidget(SceneAware, ctkSliderWidget):
    """A slider that takes its unit from the scene in Slicer."""
