"""Segment Editor's effects written in Python: loaded, registered, and driven by mouse events on a slice view.

As in Slicer the file's name is that of the class and ends in `Effect`, its folder's name becomes the module's, and what
an effect returns for an event must be a bool. Masks, editing areas and closed surfaces are not there.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import qt
import slicer
from PySide6.QtCore import Property

from SlicerHost.pythonqt.standins import standIn


@standIn
class qSlicerSegmentEditorScriptedEffect(qt.QObject):
    """The C++ side of an effect."""

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self._self: Any = None
        self._values: dict[str, Any] = {"name": "", "title": "", "perSegment": True, "requireSegments": True}
        self._history = slicer.vtkSegmentationHistory()
        self._widgets: list[Any] = []

    def _property(name: str, kind: type) -> Any:  # type: ignore[misc]  # noqa: N805
        def get(effect: Any) -> Any:
            return effect._values[name]

        def write(effect: Any, value: Any) -> None:
            effect._values[name] = value

        return Property(kind, get, write)

    name = _property("name", str)
    title = _property("title", str)
    perSegment = _property("perSegment", bool)
    requireSegments = _property("requireSegments", bool)

    def setPythonSource(self, path: str) -> bool:
        """Loads the file and makes its class."""
        file = Path(path)
        assert file.stem.endswith("Effect"), "the class is looked for under the file's name"
        spec = importlib.util.spec_from_file_location(file.parent.name, file)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[file.parent.name] = module
        spec.loader.exec_module(module)
        self._self = getattr(module, file.stem)(self)
        return True

    # PythonQt has a method of this name, too
    def self(this) -> Any:  # noqa: N805
        return this._self

    def parameterSetNode(self) -> Any:
        return slicer.mrmlScene.GetSingletonNode("SegmentEditor", "vtkMRMLSegmentEditorNode")

    def addOptionsWidget(self, widget: Any) -> None:
        self._widgets.append(widget)

    def optionsWidgets(self) -> list[Any]:
        """The host's own: what stands below the effect's buttons."""
        return list(self._widgets)

    def confirmCurrentSegmentVisible(self) -> bool:
        return True

    def saveStateForUndo(self) -> None:
        segmentation = self.parameterSetNode().GetSegmentationNode().GetSegmentation()
        self._history.SetSegmentation(segmentation)
        self._history.SaveState()

    def undo(self) -> None:
        """The host's own: the editor's Undo button."""
        assert self._history.RestorePreviousState()

    def xyToRas(self, xy: Any, viewWidget: Any) -> Any:
        ras = viewWidget.sliceLogic().GetSliceNode().GetXYToRAS().MultiplyPoint((xy.x(), xy.y(), 0.0, 1.0))
        return qt.QVector3D(*ras[:3])

    def processInteractionEvents(self, interactor: Any, eventId: int, viewWidget: Any) -> bool:
        taken = self._self.processInteractionEvents(interactor, eventId, viewWidget)
        assert isinstance(taken, bool), "Slicer expects a bool"
        return taken


@standIn
class qSlicerSegmentEditorEffectFactory(qt.QObject):
    """The list of effects."""

    _registered: list[Any] = []  # noqa: RUF012  (the one list of the application)

    @staticmethod
    def instance() -> type:
        return qSlicerSegmentEditorEffectFactory

    @classmethod
    def registerEffect(cls, effect: Any) -> bool:
        if effect.name in (known.name for known in cls._registered):
            return False
        cls._registered.append(effect)
        return True

    @classmethod
    def registeredEffects(cls) -> list[Any]:
        return list(cls._registered)
