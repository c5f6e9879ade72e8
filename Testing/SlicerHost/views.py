"""Stand-ins of the widgets around slice and 3D views; the logics and nodes behind them are Slicer's own."""

from __future__ import annotations

from typing import Any

import qt
import slicer

from SlicerHost.pythonqt.standins import standIn


@standIn
class qMRMLSliceView(qt.QWidget):
    """The picture of a slice; it is drawn only by `SlicerHost.pictures`."""

    def __init__(self, sliceNode: Any) -> None:
        super().__init__()
        self._sliceNode = sliceNode

    def mrmlSliceNode(self) -> Any:
        return self._sliceNode

    def forceRender(self) -> None:
        """Nothing is on a screen."""

    def scheduleRender(self) -> None:
        """Nothing is on a screen."""


@standIn
class qMRMLSliceControllerWidget(qt.QWidget):
    """The bar above a slice view."""

    def __init__(self, logic: Any) -> None:
        super().__init__()
        self._logic = logic

    def fitSliceToBackground(self) -> None:
        self._logic.FitSliceToBackground()


@standIn
class qMRMLSliceWidget(qt.QWidget):
    """One slice view with its controller and logic."""

    def __init__(self, sliceNode: Any, applicationLogic: Any) -> None:
        super().__init__()
        self._logic = slicer.vtkMRMLSliceLogic()
        self._logic.SetMRMLApplicationLogic(applicationLogic)
        self._logic.SetMRMLScene(slicer.mrmlScene)
        self._logic.SetSliceNode(sliceNode)
        applicationLogic.GetSliceLogics().AddItem(self._logic)
        sliceNode.SetDimensions(256, 256, 1)
        self._view = qMRMLSliceView(sliceNode)
        self._controller = qMRMLSliceControllerWidget(self._logic)

    def sliceLogic(self) -> Any:
        return self._logic

    def mrmlSliceNode(self) -> Any:
        return self._logic.GetSliceNode()

    def mrmlSliceCompositeNode(self) -> Any:
        return self._logic.GetSliceCompositeNode()

    def sliceView(self) -> qMRMLSliceView:
        return self._view

    def sliceController(self) -> qMRMLSliceControllerWidget:
        return self._controller

    def fitSliceToBackground(self) -> None:
        self._logic.FitSliceToBackground()


@standIn
class qMRMLThreeDView(qt.QWidget):
    """The picture of a 3D view; it is drawn only by `SlicerHost.pictures`, which places the camera itself."""

    def __init__(self, viewNode: Any) -> None:
        super().__init__()
        self._viewNode = viewNode

    def mrmlViewNode(self) -> Any:
        return self._viewNode

    def resetFocalPoint(self) -> None:
        """There is no camera on a screen."""

    def resetCamera(self) -> None:
        """There is no camera on a screen."""

    def forceRender(self) -> None:
        """Nothing is on a screen."""


@standIn
class qMRMLThreeDWidget(qt.QWidget):
    """One 3D view with its controller."""

    def __init__(self, viewNode: Any) -> None:
        super().__init__()
        self._view = qMRMLThreeDView(viewNode)
        self._controller = qt.QWidget()

    def threeDView(self) -> qMRMLThreeDView:
        return self._view

    def threeDController(self) -> qt.QWidget:
        return self._controller

    def mrmlViewNode(self) -> Any:
        return self._view.mrmlViewNode()
