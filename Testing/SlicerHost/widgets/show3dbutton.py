"""qMRMLSegmentationShow3DButton: makes the surfaces of a segmentation, and takes them away."""

from __future__ import annotations

from typing import Any

import qt

from SlicerHost.pythonqt.standins import standIn
from SlicerHost.widgets.observing import Observers
from SlicerHost.widgets.sceneaware import SceneAware


@standIn
class qMRMLSegmentationShow3DButton(SceneAware, qt.QPushButton):
    """A button that stays down while there are surfaces. Its menu of smoothing is not here."""

    def __init__(self, parent: qt.QWidget | None = None) -> None:
        super().__init__("Show 3D", parent)
        self.setCheckable(True)
        self._node: Any = None
        self._observers = Observers()
        self.toggled.connect(self._onToggled)
        self.setEnabled(False)

    def segmentationNode(self) -> Any:
        return self._node

    def setSegmentationNode(self, node: Any) -> None:
        if node is not None and not node.IsA("vtkMRMLSegmentationNode"):
            raise TypeError(f"a {node.GetClassName()} is no segmentation")
        self._observers.clear()
        self._node = node
        if node is not None:
            kind = type(node.GetSegmentation())
            events = [kind.ContainedRepresentationNamesModified]
            self._observers.add(node.GetSegmentation(), events, self._show)
        self.setEnabled(node is not None)
        self._show()

    def _has(self) -> bool:
        return self._node is not None and self._node.GetSegmentation().ContainsRepresentation("Closed surface")

    def _show(self, _caller: Any = None, _event: str = "") -> None:
        self.blockSignals(True)
        self.setChecked(self._has())
        self.blockSignals(False)

    def _onToggled(self, wanted: bool) -> None:
        if self._node is None or wanted == self._has():
            return
        if wanted:
            self._node.CreateClosedSurfaceRepresentation()
        else:
            self._node.RemoveClosedSurfaceRepresentation()
