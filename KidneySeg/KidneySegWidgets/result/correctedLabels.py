"""The label map of a segmentation as the reader left it, and as the network drew it."""

from __future__ import annotations

import numpy as np
import slicer
import slicer.util

from KidneySegWidgets.engine.engineLocation import ensureEngine
from KidneySegWidgets.result.resultNodes import ResultNodes
from KidneySegWidgets.result.segments import segmentsByStructure
from KidneySegWidgets.translation import tr as _


def currentLabels(result: ResultNodes) -> np.ndarray:
    """Returns the segmentation as labels (k, j, i), uint8, on the network labels' grid.

    Where segments overlap, the stone wins over the cyst, the cyst over the mass, the mass over the kidney.
    """
    ensureEngine()
    from KidneySegLib.structures import BY_KEY

    node, grid = result.segmentationNode, result.networkLabels
    groups = segmentsByStructure(node.GetSegmentation())
    identifiers = [(identifier, BY_KEY[key].label) for key, names in groups.items() for identifier in names]
    labels = np.zeros(slicer.util.arrayFromVolume(grid).shape, np.uint8)
    if not identifiers:
        return labels
    exported = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode", "KidneySeg export")
    try:
        exported.SetHideFromEditors(True)
        exported.SetAndObserveTransformNodeID(grid.GetTransformNodeID())
        names = [identifier for identifier, _label in identifiers]
        extent = slicer.vtkSegmentation.EXTENT_REFERENCE_GEOMETRY
        logic = slicer.modules.segmentations.logic()
        if not logic.ExportSegmentsToLabelmapNode(node, names, exported, grid, extent):
            raise RuntimeError(_("The segments cannot be read. Undo the last change in Segment Editor and try again."))
        values = slicer.util.arrayFromVolume(exported)
        # the exporter numbers segments in the order of the list
        labels[...] = np.array([0, *(label for _name, label in identifiers)], np.uint8)[values]
    finally:
        colours = exported.GetDisplayNode().GetColorNode() if exported.GetDisplayNode() else None
        slicer.mrmlScene.RemoveNode(exported)
        if colours is not None and colours.GetName().startswith("KidneySeg export"):
            slicer.mrmlScene.RemoveNode(colours)
    return labels


def networkLabels(result: ResultNodes) -> np.ndarray:
    """Returns the network's labels (k, j, i), uint8."""
    return slicer.util.arrayFromVolume(result.networkLabels).astype(np.uint8, copy=False)
