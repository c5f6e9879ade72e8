"""What a run needs, and whether it can start: the only thing that panel and logic tell each other about a run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import slicer
import vtk

from KidneySegWidgets.engine.engineLocation import ensureEngine
from KidneySegWidgets.exam.modality import modalityOf
from KidneySegWidgets.exam.viewImage import TASK as VIEW_TASK
from KidneySegWidgets.run.taskTexts import taskExams, taskTitle
from KidneySegWidgets.translation import tr as _

AUTOMATIC = "auto"
# Pictures of CT, and images whose makers did not say what they are, are for the reader to judge.
_PERHAPS_CT = ("", "CT", "OT", "SC")
_PERHAPS_ULTRASOUND = ("", "US", "OT", "SC")


def engineTasks() -> tuple[Any, ...]:
    """Returns the engine's tasks in the order of its list."""
    ensureEngine()
    from KidneySegLib.tasks.registry import all_tasks

    return all_tasks()


def engineTask(name: str, volume: Any) -> Any:
    """Returns a task by its name, or for *Automatic* the one that accepts a volume.

    It is the first of the list while there is no volume, and None where there is no such task.
    """
    tasks = engineTasks()
    if name in (task.name for task in tasks):
        return next(task for task in tasks if task.name == name)
    if volume is None:
        return tasks[0]
    accepting = [task for task in tasks if task.accepts(probeOf(volume))]
    return accepting[0] if len(accepting) == 1 else None


def probeOf(volume: Any) -> Any:
    """Returns the engine's InputProbe of a volume node."""
    from KidneySegLib.readers.probe import InputProbe

    return InputProbe(Path(), kind="image", slices=axialSlices(volume), modality=modalityOf(volume))


@dataclass(frozen=True)
class RunParameters:
    """One run as the user asked for it.

    Attributes:
        volume: the volume node; None if none is chosen.
        task: the engine's task, never *Automatic*; None if none fits the volume.
        bundle: name of the model bundle; empty if none is installed for the task.
        device: `auto`, `cpu`, `cuda`, `cuda:N` or `mps`.
        roi: markups ROI node that limits the run; None takes the whole volume.
        modelsFolder: folder with own bundles; empty if there is none.
        pixelMm: size of a pixel that the user gives for an ultrasound image; 0 takes what the image says.
    """

    volume: Any
    task: Any = None
    bundle: str = ""
    device: str = "auto"
    roi: Any = None
    modelsFolder: str = ""
    pixelMm: float = 0.0

    def isValid(self) -> tuple[bool, str]:
        """Returns whether the run can start, and if not, why and what to do."""
        reason = self._volumeReason() or self._taskReason() or self._roiReason()
        return not reason, reason

    def _volumeReason(self) -> str:
        if self.volume is None:
            return _("Choose a volume, or load a CT.")
        image = self.volume.GetImageData()
        if image is None or 0 in image.GetDimensions():
            return _("The volume has no voxels. Choose another one.")
        isView = self.task is not None and self.task.name == VIEW_TASK
        if image.GetNumberOfScalarComponents() != 1 and not isView:
            return _("The volume has several values per voxel (a colour image). Choose a CT.")
        matrix = vtk.vtkMatrix4x4()
        self.volume.GetIJKToRASMatrix(matrix)
        if abs(matrix.Determinant()) < 1e-9:
            return _("The voxels of the volume have no size. Load the series again.")
        return ""

    def _taskReason(self) -> str:
        modality = modalityOf(self.volume)
        if self.task is not None and self.task.name == VIEW_TASK:
            if modality not in _PERHAPS_ULTRASOUND:
                return _("This image is no ultrasound image (its modality is {modality}).").format(modality=modality)
            return self._bundleReason()
        if modality == "US":
            return _("This is an ultrasound image. Choose the task Ultrasound, or Automatic.")
        if modality not in _PERHAPS_CT:
            return _("This image is no CT (its modality is {modality}). Choose a CT.").format(modality=modality)
        if self.task is None:
            return _("No task fits this volume by itself. Choose the task, or load another image.")
        if not self.task.accepts(probeOf(self.volume)):
            sentence = _("The task '{task}' takes {exam}. Choose the task Automatic, or load another image.")
            return sentence.format(task=taskTitle(self.task), exam=taskExams(self.task))
        return self._bundleReason()

    def _bundleReason(self) -> str:
        if self.bundle:
            return ""
        return _("No model for this task is installed. Name the folder of your models in the settings below.")

    def _roiReason(self) -> str:
        if self.roi is None:
            return ""
        if self.task is not None and self.task.name == VIEW_TASK:
            return _("An ultrasound image is taken as a whole. Choose no region.")
        roi, volume = np.zeros(6), np.zeros(6)
        self.roi.GetRASBounds(roi)
        self.volume.GetRASBounds(volume)
        apart = any(roi[2 * a] > volume[2 * a + 1] or roi[2 * a + 1] < volume[2 * a] for a in range(3))
        if apart or roi[0] > roi[1]:
            return _("The region lies outside the volume. Move it, or choose no region.")
        return ""


def axialSlices(volume: Any) -> int:
    """Returns how many slices a volume has towards the head; 0 if it has no voxels."""
    image = volume.GetImageData()
    if image is None:
        return 0
    matrix = vtk.vtkMatrix4x4()
    volume.GetIJKToRASDirectionMatrix(matrix)
    return int(image.GetDimensions()[int(np.argmax([abs(matrix.GetElement(2, axis)) for axis in range(3)]))])


def lastVolume() -> Any:
    """Returns the image that was loaded last, or None.

    Label maps are none, and colour pictures only if they are ultrasound; a CT may hold both.
    """
    nodes = slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")
    images = [node for node in nodes if _isImage(node) and not node.GetHideFromEditors()]
    return images[-1] if images else None


def _isImage(node: Any) -> bool:
    if node.GetClassName() == "vtkMRMLVectorVolumeNode":
        return modalityOf(node) == "US"
    return bool(node.GetClassName() == "vtkMRMLScalarVolumeNode")
