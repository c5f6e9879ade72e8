"""Where an exam lay when it was segmented, and where it lies now.

Findings are in mm of the world as it was then. A volume that is turned or shifted since, by a transform or for good,
takes its outlines, lines and clicks with it. What is scaled, sheared or bent has no right measures any more, and a
sentence says so.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import slicer
import slicer.util
import vtk

from KidneySegWidgets.exam.inputVolume import PreparedVolume, shifted
from KidneySegWidgets.exam.straightGrid import latticeInWorld, toVtkMatrix
from KidneySegWidgets.result.resultNodes import ResultNodes
from KidneySegWidgets.translation import tr as _

_PLACE, _BENT = "KidneySeg.Place", "KidneySeg.BentPlace"
# More is another place; a saved scene moves the last corner of a grid by rounding alone.
SAME_PLACE_MM = 0.1
_RIGID = 1e-4


def rememberPlace(result: ResultNodes, prepared: PreparedVolume) -> None:
    """Keeps where the volume lies that was segmented; it is saved with the scene."""
    whole = shifted(prepared.ijkToRas, (-prepared.start[0], -prepared.start[1], -prepared.start[2]))
    result.segmentationNode.SetAttribute(_PLACE, json.dumps(whole.tolist()))
    if prepared.resampled:
        result.segmentationNode.SetAttribute(_BENT, json.dumps(latticeInWorld(result.volume).tolist()))


def examMatrix(result: ResultNodes) -> np.ndarray:
    """Returns the matrix (4, 4) from indices of the result's grid to mm RAS in which the findings are."""
    kept = result.segmentationNode.GetAttribute(_PLACE)
    return np.array(json.loads(kept)) if kept and not result.isView else worldMatrix(result.networkLabels)


def toExam(result: ResultNodes, points: np.ndarray) -> np.ndarray:
    """Returns points (n, 3) in mm RAS of the world as mm RAS in which the findings are."""
    return _moved(points, np.linalg.inv(_motion(result)))


def fromExam(result: ResultNodes, point: np.ndarray) -> np.ndarray:
    """Returns where a point (3,) of the findings, in mm RAS, lies in the world now."""
    return _moved(point[None], _motion(result))[0]


def worldMatrix(node: Any) -> np.ndarray:
    """Returns the matrix (4, 4) from indices of a volume node to mm RAS of the world; its transform must be linear."""
    toLocal = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(toLocal)
    return _parentMatrix(node) @ slicer.util.arrayFromVTKMatrix(toLocal)


def placeComplaint(result: ResultNodes) -> str:
    """Returns a sentence if the volume has moved in a way that outlines cannot follow; empty if not."""
    volume, kept = result.volume, result.segmentationNode.GetAttribute(_BENT)
    if volume is None or result.networkLabels is None or volume.GetImageData() is None:
        return ""  # others say that
    moved = _("The volume was moved after it was segmented. Move it back, or segment it again.")
    if kept:
        apart = np.abs(np.array(json.loads(kept)) - latticeInWorld(volume)).max()
        return moved if apart > SAME_PLACE_MM else ""
    if result.isView:
        return ""
    transform = volume.GetParentTransformNode()
    if (transform is None or transform.IsTransformToWorldLinear()) and _isRigid(_ofVolume(result)):
        return ""
    return _(
        "The volume was scaled, sheared or bent after it was segmented, so that no measure is right any more. Undo "
        "that, or segment it again."
    )


def followVolume(result: ResultNodes) -> bool:
    """Lets labels, candidates and segments follow the volume; returns whether anything had to move."""
    volume, labels = result.volume, result.networkLabels
    if volume is None or labels is None or volume.GetImageData() is None or placeComplaint(result):
        return False
    if result.segmentationNode.GetAttribute(_BENT) or not _isLinear(volume) or not _isLinear(labels):
        return False
    if volume.GetImageData().GetDimensions() != labels.GetImageData().GetDimensions():
        return False
    old, new = worldMatrix(labels), worldMatrix(volume)
    if _apart(old, new, labels) < 1e-3 and labels.GetTransformNodeID() == volume.GetTransformNodeID():
        return False
    motion = new @ np.linalg.inv(old)
    segmentsToo = not _follows(result.segmentationNode, old, new, volume)
    for node in (labels, result.networkCandidates):
        if node is not None:
            local = np.linalg.inv(_parentMatrix(volume)) @ motion @ worldMatrix(node)
            node.SetIJKToRASMatrix(toVtkMatrix(local))
            node.SetAndObserveTransformNodeID(volume.GetTransformNodeID())
    if segmentsToo:
        node = result.segmentationNode
        local = np.linalg.inv(_parentMatrix(volume)) @ motion @ _parentMatrix(node)
        if np.abs(local - np.eye(4)).max() > 1e-6:
            node.ApplyTransformMatrix(toVtkMatrix(local))
        node.SetAndObserveTransformNodeID(volume.GetTransformNodeID())
    return True


def _follows(segmentation: Any, old: np.ndarray, new: np.ndarray, volume: Any) -> bool:
    """Returns whether the reader has moved the segments with the volume already."""
    layers = (
        segmentation.GetSegmentation().GetNthSegment(n).GetRepresentation("Binary labelmap")
        for n in range(segmentation.GetSegmentation().GetNumberOfSegments())
    )
    layer = next((each for each in layers if each is not None), None)
    if layer is not None:
        local = vtk.vtkMatrix4x4()
        layer.GetImageToWorldMatrix(local)
        drawn = _parentMatrix(segmentation) @ slicer.util.arrayFromVTKMatrix(local)
        if np.allclose(drawn, old, atol=1e-3):
            return False
        if np.allclose(drawn, new, atol=1e-3):
            return True
    return bool(segmentation.GetTransformNodeID() == volume.GetTransformNodeID())


def _motion(result: ResultNodes) -> np.ndarray:
    return worldMatrix(result.networkLabels) @ np.linalg.inv(examMatrix(result))


def _ofVolume(result: ResultNodes) -> np.ndarray:
    return worldMatrix(result.volume) @ np.linalg.inv(examMatrix(result))


def _isRigid(matrix: np.ndarray) -> bool:
    turn = matrix[:3, :3]
    return bool(np.abs(turn @ turn.T - np.eye(3)).max() < _RIGID and np.linalg.det(turn) > 0)


def _isLinear(node: Any) -> bool:
    transform = node.GetParentTransformNode()
    return transform is None or bool(transform.IsTransformToWorldLinear())


def _parentMatrix(node: Any) -> np.ndarray:
    matrix, transform = vtk.vtkMatrix4x4(), node.GetParentTransformNode()
    if transform is not None:
        transform.GetMatrixTransformToWorld(matrix)
    return slicer.util.arrayFromVTKMatrix(matrix)


def _apart(one: np.ndarray, other: np.ndarray, node: Any) -> float:
    """Returns how far the last corner of a node's grid lies from itself by two matrices, mm at most."""
    return float(np.max(np.abs(one - other)[:3] @ (*node.GetImageData().GetDimensions(), 1)))


def _moved(points: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    return np.asarray(points, float) @ matrix[:3, :3].T + matrix[:3, 3]
