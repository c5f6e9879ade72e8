"""The Segment Editor module as far as other modules hand over to it: which nodes it edits. Effects are not there."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import qt
import slicer
from PySide6.QtCore import Property

from SlicerHost.modulemanager import qSlicerLoadableModule
from SlicerHost.pythonqt.standins import standIn
from SlicerHost.widgets.mrmlwidget import qSlicerWidget


@standIn
class qMRMLSegmentEditorWidget(qSlicerWidget):
    """Knows its parameter node, the segmentation, the source volume and the segment that is edited."""

    def __init__(self, parent: qt.QWidget | None = None) -> None:
        super().__init__(parent)
        self._node: Any = None

    def mrmlSegmentEditorNode(self) -> Any:
        return self._node

    def setMRMLSegmentEditorNode(self, node: Any) -> None:
        self._node = node

    def _editorNode(self) -> Any:
        if self._node is None:
            raise RuntimeError("setMRMLSegmentEditorNode() comes first")
        return self._node

    def segmentationNode(self) -> Any:
        return self._editorNode().GetSegmentationNode()

    def setSegmentationNode(self, node: Any) -> None:
        self._editorNode().SetAndObserveSegmentationNode(node)

    def sourceVolumeNode(self) -> Any:
        return self._editorNode().GetSourceVolumeNode()

    def setSourceVolumeNode(self, node: Any) -> None:
        self._editorNode().SetAndObserveSourceVolumeNode(node)

    def currentSegmentID(self) -> str:
        return str(self._editorNode().GetSelectedSegmentID() or "")

    def setCurrentSegmentID(self, identifier: str) -> None:
        self._editorNode().SetSelectedSegmentID(identifier)


@standIn
class qSlicerSegmentEditorModuleWidget(qSlicerWidget):
    """The module's widget; in Slicer a scripted one, so that `self().editor` is the editor."""

    def __init__(self) -> None:
        super().__init__()
        self._editor = qMRMLSegmentEditorWidget(self)
        self._entered = False

    isEntered = Property(bool, lambda self: self._entered)

    # PythonQt has a method of this name, too
    def self(this) -> Any:  # noqa: N805
        return SimpleNamespace(editor=this._editor, parent=this)

    def enter(self) -> None:
        """Takes the scene's parameter node, as Slicer's module does."""
        self._entered = True
        scene = slicer.mrmlScene
        node = scene.GetSingletonNode("SegmentEditor", "vtkMRMLSegmentEditorNode")
        if node is None:
            node = scene.CreateNodeByClass("vtkMRMLSegmentEditorNode")
            node.UnRegister(None)  # the Python object holds it now
            node.SetSingletonTag("SegmentEditor")
            node = scene.AddNode(node)
        self._editor.setMRMLScene(scene)
        self._editor.setMRMLSegmentEditorNode(node)

    def exit(self) -> None:
        self._entered = False


@standIn
class qSlicerSegmentEditorModule(qSlicerLoadableModule):
    """The module."""

    def __init__(self) -> None:
        super().__init__("SegmentEditor", None)
        self._widget: qSlicerSegmentEditorModuleWidget | None = None

    def widgetRepresentation(self) -> qSlicerSegmentEditorModuleWidget:
        if self._widget is None:
            self._widget = qSlicerSegmentEditorModuleWidget()
            self._widget.enter()
            slicer.modules.SegmentEditorWidget = self._widget.self()
        return self._widget


def makeSegmentEditorModule() -> qSlicerSegmentEditorModule:
    """Returns the module; its widget is made when it is asked for."""
    return qSlicerSegmentEditorModule()
