"""Outlines are drawn on their own exam only, also when the reader puts another volume into a view by hand."""

from __future__ import annotations

from typing import Any

import slicer
import slicer.util

from KidneySegWidgets.result.resultNodes import ResultNodes

# Of a display node that was hidden in all slice views here, and so may be shown again here.
_HIDDEN = "KidneySeg.HiddenInSlices"


def backgrounds() -> tuple[str, ...]:
    """Returns the identifiers of the volumes that the slice views show."""
    views = slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode")
    return tuple(view.GetBackgroundVolumeID() or "" for view in views)


def drawOnOwnExam(result: ResultNodes) -> None:
    """Draws segments and diameter in those slice views only that show the result's exam, and in all 3D views.

    Other volumes of the same study, such as another contrast phase, are the same exam; so is what the reader has put
    into one folder with it. Not so of ultrasound: each image shows a plane of its own, wherever that lies. Where all
    slice views show the exam, nothing is limited.
    """
    allowed, others, isPlaced = [], 0, _isInPatient(result)
    for name in slicer.app.layoutManager().sliceViewNames():
        logic = slicer.app.layoutManager().sliceWidget(name).sliceLogic()
        if _isOfExam(logic.GetSliceCompositeNode().GetBackgroundVolumeID(), result.volume, isPlaced):
            allowed.append(logic.GetSliceNode().GetID())
        else:
            others += 1
    threeD = [node.GetID() for node in slicer.util.getNodesByClass("vtkMRMLViewNode")]
    for node in (result.segmentationNode, *result.lines):
        display = node.GetDisplayNode()
        if display is not None:
            _limit(display, allowed, threeD if others else None)


def _limit(display: Any, allowed: list[str], threeD: list[str] | None) -> None:
    """Limits a display node to slice views and 3D views; None of the latter means to no views at all."""
    hide = threeD is not None and not allowed
    if hide and display.GetVisibility2D():
        display.SetVisibility2D(False)
        display.SetAttribute(_HIDDEN, "1")
    elif not hide and display.GetAttribute(_HIDDEN) == "1":
        display.SetVisibility2D(True)
        display.SetAttribute(_HIDDEN, None)
    wanted = [*allowed, *threeD] if threeD is not None and allowed else []
    if sorted(display.GetViewNodeIDs()) != sorted(wanted):
        display.RemoveAllViewNodeIDs()
        for identifier in wanted:
            display.AddViewNodeID(identifier)


def _isInPatient(result: ResultNodes) -> bool:
    """Returns whether what is drawn has a place in the patient, so that it lies right on other volumes, too."""
    try:
        return bool(result.networkFindings().in_patient)
    except Exception:  # findings of another version; the section Result says so
        return False


def _isOfExam(volumeId: str | None, exam: Any, isPlaced: bool) -> bool:
    """Returns whether a view shows an exam, or another volume of its study; a view without any shows nothing wrong."""
    if not volumeId or exam is None:
        return not volumeId
    if volumeId == exam.GetID() or not isPlaced:
        return bool(volumeId == exam.GetID())
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    items = [hierarchy.GetItemByDataNode(node) for node in (slicer.mrmlScene.GetNodeByID(volumeId), exam) if node]
    if len(items) < 2 or not all(items):
        return False
    one, other = (hierarchy.GetItemParent(item) for item in items)
    return bool(one == other and one != hierarchy.GetSceneItemID())
