"""Items of the subject hierarchy come and go with their nodes, as Slicer's Qt plug-ins make them."""

from __future__ import annotations

from typing import Any

import slicer
import vtk

# class of nodes and the plug-in that owns their items; the first that fits
_OWNERS = {
    "vtkMRMLSegmentationNode": "Segmentations",
    "vtkMRMLLabelMapVolumeNode": "LabelMaps",
    "vtkMRMLVolumeNode": "Volumes",
    "vtkMRMLMarkupsNode": "Markups",
    "vtkMRMLModelNode": "Models",
    "vtkMRMLTableNode": "Tables",
    "vtkMRMLTextNode": "Texts",
    "vtkMRMLPlotChartNode": "Plots",
    "vtkMRMLTransformNode": "Transforms",
}


class SubjectHierarchyItems:
    """Keeps one item for every data node of the scene."""

    def __init__(self, scene: Any) -> None:
        self._scene = scene
        scene.AddObserver(scene.NodeAddedEvent, self._onNodeAdded)
        scene.AddObserver(scene.NodeAboutToBeRemovedEvent, self._onNodeRemoved)
        scene.AddObserver(scene.EndImportEvent, lambda _caller, _event: self._addMissing())

    def _hierarchy(self) -> Any:
        return slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(self._scene)

    def _addItem(self, node: Any) -> None:
        owner = next((plugin for kind, plugin in _OWNERS.items() if node.IsA(kind)), None)
        hierarchy = self._hierarchy()
        if owner is None or node.GetHideFromEditors() or hierarchy.GetItemByDataNode(node):
            return
        item = hierarchy.CreateItem(hierarchy.GetSceneItemID(), node)
        hierarchy.SetItemOwnerPluginName(item, owner)

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def _onNodeAdded(self, _caller: Any, _event: str, node: Any) -> None:
        # while a file is read, the items of the file are on their way
        if not self._scene.IsImporting():
            self._addItem(node)

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def _onNodeRemoved(self, _caller: Any, _event: str, node: Any) -> None:
        if self._scene.IsClosing() or not any(node.IsA(kind) for kind in _OWNERS):
            return
        hierarchy = self._hierarchy()
        item = hierarchy.GetItemByDataNode(node)
        if item:
            hierarchy.RemoveItem(item, False, False)

    def _addMissing(self) -> None:
        for number in range(self._scene.GetNumberOfNodes()):
            self._addItem(self._scene.GetNthNode(number))
