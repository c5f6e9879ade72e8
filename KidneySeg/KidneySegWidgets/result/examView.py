"""Shows one result on its own exam: the slice views get its volume, and the other results are hidden."""

from __future__ import annotations

from typing import Any

import slicer
import slicer.util

from KidneySegWidgets.engine.engineLocation import ensureEngine
from KidneySegWidgets.result.lesionView import hideLine
from KidneySegWidgets.result.resultNodes import ResultNodes

# Of a volume node: the module has set its window once, and does not do so again.
_WINDOW_SET = "KidneySeg.WindowSet"


def showExam(result: ResultNodes) -> None:
    """Makes all slice views show the result's own volume, and of all results only this one.

    Views that all show the volume already keep their place and zoom. Otherwise they are fitted to it, and lose the
    volumes that lay over the earlier one. Where it was removed they show none: outlines never lie on another exam.
    """
    for node in slicer.util.getNodesByClass("vtkMRMLSegmentationNode"):
        if ResultNodes.isResult(node) and node is not result.segmentationNode:
            hideResult(ResultNodes(node))
    result.segmentationNode.SetDisplayVisibility(True)
    volume = result.volume
    if volume is not None:
        _setWindow(volume, result)
    wanted = volume.GetID() if volume is not None else None
    views = slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode")
    if any(view.GetBackgroundVolumeID() != wanted for view in views):
        slicer.util.setSliceViewerLayers(background=wanted, foreground=None, label=None, fit=volume is not None)
    for node in slicer.util.getNodesByClass("vtkMRMLSliceNode"):
        node.Modified()  # of a scene that was read again views draw the segments only once a slice changes


def hideResult(result: ResultNodes) -> None:
    """Takes segments and diameter of a result out of all views."""
    result.segmentationNode.SetDisplayVisibility(False)
    hideLine(result)


def _setWindow(volume: Any, result: ResultNodes) -> None:
    """Gives the volume the window of the report's pictures: soft tissue, brighter where contrast fills the kidneys.

    A window that the reader or the file has set stays: Slicer's automatic window is off then.
    """
    volume.CreateDefaultDisplayNodes()
    display = volume.GetDisplayNode()
    if volume.GetAttribute(_WINDOW_SET) == "1" or not display.GetAutoWindowLevel() or not result.hasFindings:
        return
    ensureEngine()
    from KidneySegLib.errors import InputError
    from KidneySegLib.pictures.overview import display_window
    from KidneySegLib.tasks.run import assumed_intercept

    try:
        findings = result.findings()
        offset = assumed_intercept(result.networkFindings())
    except InputError:  # written by another version; the panel says so
        return
    if not findings.in_patient:
        return
    lowest, highest = volume.GetImageData().GetScalarRange()
    low, high = display_window(findings, (lowest + offset, highest + offset))
    display.SetAutoWindowLevel(False)
    display.SetWindowLevelMinMax(low - offset, high - offset)
    volume.SetAttribute(_WINDOW_SET, "1")
