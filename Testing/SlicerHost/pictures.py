"""Pictures of slice and 3D views without a screen, drawn by Slicer's own displayable managers.

Ask `availability.missingForPictures()` first: without EGL or OSMesa VTK cannot draw here.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import slicer
import slicer.util
import vtk
from vtk.util.numpy_support import vtk_to_numpy

_SLICE_MANAGERS = ("vtkMRMLSegmentationsDisplayableManager2D", "vtkMRMLMarkupsDisplayableManager")
_VIEW_MANAGERS = (
    "vtkMRMLViewDisplayableManager",
    "vtkMRMLCameraDisplayableManager",
    "vtkMRMLModelDisplayableManager",
    "vtkMRMLSegmentationsDisplayableManager3D",
)


class _View:
    """A window off the screen with the displayable managers of one view node."""

    def __init__(self, managers: tuple[str, ...], node: Any, backdrop: Any = None) -> None:
        self.node = node
        self.renderer = vtk.vtkRenderer()
        if backdrop is not None:
            self.renderer.AddViewProp(backdrop)  # first, as in Slicer: what is drawn later is blended with it
        self.window = vtk.vtkRenderWindow()
        self.window.SetOffScreenRendering(1)
        self.window.SetMultiSamples(0)
        self.window.AddRenderer(self.renderer)
        # displayable managers listen to an interactor, even when nobody interacts
        self._interactor = vtk.vtkRenderWindowInteractor()
        self._interactor.SetRenderWindow(self.window)
        self._group = slicer.vtkMRMLDisplayableManagerGroup()
        self._group.SetRenderer(self.renderer)
        for name in managers:
            manager = getattr(slicer, name)()
            manager.SetMRMLApplicationLogic(slicer.app.applicationLogic())
            self._group.AddDisplayableManager(manager)
        self._group.SetMRMLDisplayableNode(node)
        for each in (self.renderer, self.window, self._interactor, self._group):
            each.Register(None)  # never deleted: managers that go before their scene, or after it, crash

    def take(self, path: Path | None) -> np.ndarray:
        """Draws and returns the picture as (row, column, RGB) uint8, the upper row first; writes it as PNG."""
        self.window.Render()
        reader = vtk.vtkWindowToImageFilter()
        reader.SetInput(self.window)
        reader.ReadFrontBufferOff()
        reader.Update()
        image = reader.GetOutput()
        if path is not None:
            writer = vtk.vtkPNGWriter()
            writer.SetFileName(str(path))
            writer.SetInputData(image)
            writer.Write()
        columns, rows, _depth = image.GetDimensions()
        return vtk_to_numpy(image.GetPointData().GetScalars()).reshape(rows, columns, -1)[::-1, :, :3].copy()


class _SliceView(_View):
    """A view whose background is the blended picture of a slice logic."""

    def __init__(self, widget: Any) -> None:
        self._mapper = vtk.vtkImageMapper()
        self._mapper.SetColorWindow(255)
        self._mapper.SetColorLevel(127.5)
        self._actor = vtk.vtkActor2D()
        self._actor.SetMapper(self._mapper)
        self._actor.GetProperty().SetDisplayLocationToBackground()
        super().__init__(_SLICE_MANAGERS, widget.mrmlSliceNode(), self._actor)

    def setImage(self, connection: Any) -> None:
        """Shows the output of a slice logic; None if it has no volume."""
        self._mapper.SetInputConnection(connection)
        self._actor.SetVisibility(connection is not None)


@cache
def _sliceView(name: str) -> _SliceView:
    return _SliceView(slicer.app.layoutManager().sliceWidget(name))


@cache
def _threeDView() -> _View:
    node = slicer.app.layoutManager().threeDWidget(0).mrmlViewNode()
    return _View(_VIEW_MANAGERS, node)


def panelPicture(path: Path) -> None:
    """Writes the main window with the module panel as PNG."""
    window = slicer.util.mainWindow()
    slicer.app.processEvents()
    if not window.grab().save(str(path)):
        raise OSError(f"{path} cannot be written")


def slicePicture(
    path: Path | None = None, view: str = "Red", offset: float | None = None, size: tuple[int, int] = (400, 400)
) -> np.ndarray:
    """Draws what a slice view shows: the volumes of its composite node, and the segments.

    Args:
        path: PNG to write.
        view: Name of the slice view: Red (axial), Yellow (sagittal), Green (coronal).
        offset: Position along the view's normal in mm (RAS); None keeps it.
        size: Width and height in pixels.

    Returns:
        The picture as (row, column, RGB) uint8, the upper row first.
    """
    widget = slicer.app.layoutManager().sliceWidget(view)
    logic, node = widget.sliceLogic(), widget.mrmlSliceNode()
    node.SetDimensions(*size, 1)
    logic.FitSliceToBackground()
    if offset is not None:
        logic.SetSliceOffset(offset)
    drawn = _sliceView(view)
    drawn.window.SetSize(*size)
    drawn.setImage(logic.GetImageDataConnection())
    return drawn.take(path)


def threeDPicture(
    path: Path | None = None, direction: tuple[float, float, float] = (0, 1, 0), size: tuple[int, int] = (400, 400)
) -> np.ndarray:
    """Draws the 3D view: models, and segments that have a closed surface.

    Args:
        path: PNG to write.
        direction: From the middle of what is drawn towards the camera, in RAS; (0, 1, 0) looks at the patient's front.
        size: Width and height in pixels.

    Returns:
        The picture as (row, column, RGB) uint8, the upper row first.
    """
    drawn = _threeDView()
    drawn.node.SetBoxVisible(False)
    drawn.node.SetAxisLabelsVisible(False)
    drawn.window.SetSize(*size)
    drawn.window.Render()
    camera = drawn.renderer.GetActiveCamera()
    camera.SetFocalPoint(0, 0, 0)
    camera.SetPosition(*direction)
    camera.SetViewUp(*((0, 0, 1) if abs(direction[2]) < 0.9 else (0, 1, 0)))
    drawn.renderer.ResetCamera()
    drawn.renderer.ResetCameraClippingRange()
    return drawn.take(path)
