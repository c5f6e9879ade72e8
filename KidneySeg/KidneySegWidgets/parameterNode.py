"""What the panel remembers in the scene."""

from __future__ import annotations

from slicer import vtkMRMLMarkupsROINode, vtkMRMLScalarVolumeNode, vtkMRMLSegmentationNode
from slicer.parameterNodeWrapper import parameterNodeWrapper

from KidneySegWidgets.runParameters import Task


@parameterNodeWrapper
class KidneySegParameterNode:
    """Saved with the scene.

    Attributes:
        inputVolume: volume to be segmented.
        region: region of interest; None takes the whole volume.
        task: what is to be done.
        bundle: model bundle by name; empty takes the first one for the task.
        device: where the networks run; empty takes the default of the settings.
        result: segmentation whose table is shown.
        recomputeAutomatically: measure again after each change of the segmentation.
    """

    inputVolume: vtkMRMLScalarVolumeNode
    region: vtkMRMLMarkupsROINode
    task: Task = Task.AUTOMATIC
    bundle: str = ""
    device: str = ""
    result: vtkMRMLSegmentationNode
    recomputeAutomatically: bool = True
