"""qSlicerLayoutManager: which views there are, by Slicer's own layout logic."""

from __future__ import annotations

from typing import Any

import qt
import slicer
from PySide6.QtCore import Property, Signal

from SlicerHost.pythonqt.standins import standIn
from SlicerHost.views import qMRMLSliceWidget, qMRMLThreeDWidget


@standIn
class qSlicerLayoutManager(qt.QObject):
    """The slice and 3D views of the current layout. Table and plot views are not stood in for."""

    layoutChanged = Signal(int)

    def __init__(self, applicationLogic: Any) -> None:
        super().__init__()
        self._applicationLogic = applicationLogic
        self._logic = slicer.vtkMRMLLayoutLogic()
        self._logic.SetMRMLScene(slicer.mrmlScene)
        self._slices: dict[str, qMRMLSliceWidget] = {}
        self._threeD: dict[str, qMRMLThreeDWidget] = {}
        self.setLayout(slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView)

    def layoutLogic(self) -> Any:
        return self._logic

    def _getLayout(self) -> int:
        return int(self._logic.GetLayoutNode().GetViewArrangement())

    def setLayout(self, layout: int) -> None:
        self._logic.GetLayoutNode().SetViewArrangement(layout)
        for node in self._viewNodes():
            name = node.GetLayoutName()
            if node.IsA("vtkMRMLSliceNode") and name not in self._slices:
                self._slices[name] = qMRMLSliceWidget(node, self._applicationLogic)
            elif node.IsA("vtkMRMLViewNode") and name not in self._threeD:
                self._threeD[name] = qMRMLThreeDWidget(node)
        self.layoutChanged.emit(layout)

    layout = Property(int, _getLayout, setLayout)

    def _viewNodes(self) -> list[Any]:
        nodes = self._logic.GetViewNodes()
        return [nodes.GetItemAsObject(number) for number in range(nodes.GetNumberOfItems())]

    def sliceViewNames(self) -> list[str]:
        return [node.GetLayoutName() for node in self._viewNodes() if node.IsA("vtkMRMLSliceNode")]

    def sliceWidget(self, name: str) -> qMRMLSliceWidget | None:
        return self._slices.get(name)

    def mrmlSliceLogics(self) -> Any:
        return self._applicationLogic.GetSliceLogics()

    def resetSliceViews(self) -> None:
        for widget in self._slices.values():
            widget.fitSliceToBackground()

    def _threeDNames(self) -> list[str]:
        return [node.GetLayoutName() for node in self._viewNodes() if node.IsA("vtkMRMLViewNode")]

    def _getThreeDViewCount(self) -> int:
        return len(self._threeDNames())

    threeDViewCount = Property(int, _getThreeDViewCount)
    tableViewCount = Property(int, lambda _self: 0)
    plotViewCount = Property(int, lambda _self: 0)

    def threeDWidget(self, which: int | str) -> qMRMLThreeDWidget | None:
        names = self._threeDNames()
        if isinstance(which, int):
            return self._threeD[names[which]] if which < len(names) else None
        return self._threeD.get(which)

    def resetThreeDViews(self) -> None:
        for widget in self._threeD.values():
            widget.threeDView().resetFocalPoint()
