"""Slicer's module logics on one scene, joined as Slicer's application joins them. The order matters."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import slicer
import vtk

# Module name and class of its logic. Terminologies come before Segmentations, whose segments look their codes up; the
# Segmentations logic registers the converters, so it must be there before any segment.
_MODULES = {
    "Terminologies": "vtkSlicerTerminologiesModuleLogic",
    "SubjectHierarchy": "vtkSlicerSubjectHierarchyModuleLogic",
    "Units": "vtkSlicerUnitsLogic",
    "Volumes": "vtkSlicerVolumesLogic",
    "Segmentations": "vtkSlicerSegmentationsModuleLogic",
    "Models": "vtkSlicerModelsLogic",
    "Tables": "vtkSlicerTablesLogic",
    "Texts": "vtkSlicerTextsLogic",
    "Plots": "vtkSlicerPlotsLogic",
    "Markups": "vtkSlicerMarkupsLogic",
    "Transforms": "vtkSlicerTransformLogic",
    "CropVolume": "vtkSlicerCropVolumeLogic",
    "VolumeRendering": "vtkSlicerVolumeRenderingLogic",
}


def makeApplicationLogic(scene: Any, temporary: Path) -> Any:
    """Returns the application logic with its colours and views."""
    logic = slicer.vtkSlicerApplicationLogic()
    logic.SetMRMLScene(scene)
    logic.SetTemporaryPath(str(temporary))
    colors = logic.GetColorLogic()
    colors.SetMRMLScene(scene)
    colors.AddDefaultColorNodes()
    logic.SetModuleLogic("Colors", colors)  # label maps ask for it by this name
    logic.SetSliceLogics(vtk.vtkCollection())
    logic.SetViewLogics(vtk.vtkCollection())
    slicer.vtkMRMLSliceNode.AddDefaultSliceOrientationPresets(scene, True)
    crosshair = slicer.vtkMRMLCrosshairNode()
    crosshair.SetCrosshairName("default")
    scene.AddNode(crosshair)
    return logic


def addModuleLogics(scene: Any, applicationLogic: Any, share: Path) -> dict[str, Any]:
    """Returns the module logics by module name. `share` may be empty: the wheel carries no resources of modules."""
    logics = {"Colors": applicationLogic.GetColorLogic()}
    for name, className in _MODULES.items():
        logic = getattr(slicer, className)()
        if hasattr(logic, "SetModuleShareDirectory"):
            logic.SetModuleShareDirectory(str(share))
        logic.SetMRMLApplicationLogic(applicationLogic)
        # the wheel carries no terminology files, and their logic complains of each that is not in its folder
        vtk.vtkObject.SetGlobalWarningDisplay(name != "Terminologies")
        logic.SetMRMLScene(scene)
        vtk.vtkObject.GlobalWarningDisplayOn()
        applicationLogic.SetModuleLogic(name, logic)
        logics[name] = logic
    return logics


def addDataIO(scene: Any, applicationLogic: Any, cache: Path) -> tuple[Any, Any]:
    """Gives the scene its file input and output, without which no .mrb can be read; returns what must stay alive."""
    cache.mkdir(exist_ok=True)
    remote = slicer.vtkMRMLRemoteIOLogic()
    remote.GetCacheManager().SetRemoteCacheDirectory(str(cache))
    remote.SetMRMLScene(scene)
    data = slicer.vtkDataIOManagerLogic()
    data.SetMRMLApplicationLogic(applicationLogic)
    data.SetAndObserveDataIOManager(remote.GetDataIOManager())
    applicationLogic.SetMRMLSceneDataIO(scene, remote, data)
    remote.AddDataIOToScene()
    return remote, data
