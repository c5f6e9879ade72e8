"""What the panel remembers in the scene."""

from __future__ import annotations

from typing import Any

from slicer import vtkMRMLMarkupsROINode, vtkMRMLScalarVolumeNode, vtkMRMLSegmentationNode
from slicer.parameterNodeWrapper import SlicerParameterNamePropertyName, parameterNodeWrapper

from KidneySegWidgets.run.runParameters import AUTOMATIC


@parameterNodeWrapper
class KidneySegParameterNode:
    """Saved with the scene.

    Attributes:
        inputVolume: volume to be segmented.
        region: region of interest; None takes the whole volume.
        task: the engine's name of what is to be done; anything else is for *Automatic*.
        bundle: model bundle by name; empty takes the first one for the task.
        device: where the networks run; empty takes the default of the settings.
        result: segmentation whose table is shown.
        recomputeAutomatically: measure again after each change of the segmentation.
    """

    inputVolume: vtkMRMLScalarVolumeNode
    region: vtkMRMLMarkupsROINode
    task: str = AUTOMATIC
    bundle: str = ""
    device: str = ""
    result: vtkMRMLSegmentationNode
    recomputeAutomatically: bool = True


def connectWidgets(node: Any, ui: Any) -> int:
    """Connects the widgets that name a parameter (in the .ui file) and returns the tag that `disconnectGui` takes.

    Slicer's `connectGui` connects them, too, but returns no tag. Its connections stay, and when those of the next scene
    fill the list of tasks anew, the old ones write each entry in passing into the parameter node.
    """
    named = {widget.property(SlicerParameterNamePropertyName): widget for widget in vars(ui).values()}
    return int(node.connectParametersToGui({name: widget for name, widget in named.items() if name}))
