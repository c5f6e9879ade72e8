"""From the engine's result folder into the scene."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import slicer
import slicer.util
import vtk
from slicer.i18n import tr as _
from vtk.util.numpy_support import vtk_to_numpy

from KidneySegWidgets.engine.engineLocation import ensureEngine
from KidneySegWidgets.exam.inputVolume import PreparedVolume
from KidneySegWidgets.exam.straightGrid import toVtkMatrix
from KidneySegWidgets.result.findingsTable import fillTable
from KidneySegWidgets.result.labelParts import LabelPart
from KidneySegWidgets.result.resultNodes import ResultNodes
from KidneySegWidgets.result.segments import styleSegment

# Millimetres by which a corner of the label map may lie off the volume's: files hold the geometry in 32 bits.
_TOLERANCE_MM = 0.05


def importResult(folder: Path, prepared: PreparedVolume, volume: Any) -> ResultNodes:
    """Makes segmentation, table and findings of a complete result folder.

    Args:
        folder: what the engine wrote.
        prepared: what the engine was given.
        volume: the node that it was made from.

    Raises:
        RuntimeError: the folder is not complete, or does not belong to the volume.
        InputError: the findings cannot be read.
    """
    findings = _readFindings(folder, prepared)
    labels = _loadLabels(folder / "labels.nii.gz", prepared)
    result = ResultNodes.create(volume)
    result.setNetworkLabels(labels)
    result.setFindings(findings)
    result.setNetworkFindings(findings)
    drawLabels(result)
    fillTable(result.table, findings)
    return result


def drawLabels(result: ResultNodes) -> None:
    """Fills the segmentation with what the network drew, as one layer for all segments."""
    labels, node = result.networkLabels, result.segmentationNode
    ensureEngine()
    from KidneySegLib import __version__
    from KidneySegLib.structures import STRUCTURES

    certain = result.networkFindings().sides_certain
    node.GetSegmentation().RemoveAllSegments()
    node.SetAndObserveTransformNodeID(labels.GetTransformNodeID())
    node.SetReferenceImageGeometryParameterFromVolumeNode(labels)
    drawn = LabelPart.of(slicer.util.arrayFromVolume(labels))
    layer = _layer(drawn, labels)
    for structure in STRUCTURES:
        if (drawn.voxels == structure.label).any():
            segment = slicer.vtkSegment()
            styleSegment(segment, structure.key, f"KidneySeg {__version__}", certain)
            segment.SetLabelValue(structure.label)
            segment.AddRepresentation("Binary labelmap", layer)
            node.GetSegmentation().AddSegment(segment, structure.key)


def _layer(drawn: LabelPart, grid: Any) -> Any:
    """Returns a part of a label map as an image on the grid of a volume node: segments share it, each by its value.

    It is how Slicer reads a file of segments. Its logic for label maps numbers segments anew, by their order.
    """
    matrix = vtk.vtkMatrix4x4()
    grid.GetIJKToRASMatrix(matrix)
    layer = slicer.vtkOrientedImageData()
    ends = zip(drawn.start[::-1], drawn.voxels.shape[::-1], strict=True)
    layer.SetExtent(*(int(index) for start, size in ends for index in (start, start + size - 1)))
    layer.AllocateScalars(vtk.VTK_UNSIGNED_CHAR, 1)
    vtk_to_numpy(layer.GetPointData().GetScalars())[:] = drawn.voxels.ravel()
    layer.SetGeometryFromImageToWorldMatrix(matrix)
    return layer


def _readFindings(folder: Path, prepared: PreparedVolume) -> Any:
    ensureEngine()
    from KidneySegLib.findings import Findings
    from KidneySegLib.flags import Flag

    path = folder / "findings.json"
    if not path.is_file():
        raise RuntimeError(_("The run ended without a complete result. Look at the log and run it again."))
    findings = Findings.from_json(json.dumps(_inWholeGrid(json.loads(path.read_text(encoding="utf-8")), prepared)))
    remarks = []
    if prepared.voxels.shape != prepared.wholeSize:
        remarks.append(Flag.of("region_chosen"))
    if prepared.resampled:
        remarks.append(Flag.of("straightened"))
    return replace(findings, flags=(*remarks, *findings.flags))


def _inWholeGrid(values: dict[str, Any], prepared: PreparedVolume) -> dict[str, Any]:
    """Counts axial slices in the whole volume where only a region was given to the engine."""
    axes = prepared.ijkToRas[:3, :3] / np.linalg.norm(prepared.ijkToRas[:3, :3], axis=0)
    axis = 2 - int(np.abs(axes[2]).argmax())
    for group in ("kidneys", "lesions", "stones"):
        for finding in values.get(group, []):
            finding["axial_slice"] += prepared.start[axis]
    return values


def _loadLabels(path: Path, prepared: PreparedVolume) -> Any:
    """Returns a label map node on the volume's whole grid and under its transform."""
    node = slicer.modules.volumes.logic().AddArchetypeVolume(str(path), "KidneySeg labels", 1)
    if node is None:
        raise RuntimeError(_("The label map of the result cannot be read. Run it again."))
    try:
        labels = _inOrder(node, prepared)
    except Exception:
        slicer.mrmlScene.RemoveNode(node)
        raise
    whole = np.zeros(prepared.wholeSize, np.uint8)
    box = tuple(slice(a, a + n) for a, n in zip(prepared.start, labels.shape, strict=True))
    whole[box] = labels
    # the file goes with the temporary folder; the node must not point at it when the scene is saved
    storage = node.GetStorageNode()
    if storage is not None:
        slicer.mrmlScene.RemoveNode(storage)
    slicer.util.updateVolumeFromArray(node, whole)
    node.SetIJKToRASMatrix(toVtkMatrix(prepared.nodeMatrix))
    node.SetAndObserveTransformNodeID(prepared.transform.GetID() if prepared.transform is not None else None)
    return node


def _inOrder(node: Any, prepared: PreparedVolume) -> np.ndarray:
    """Returns the label map's voxels (k, j, i) in the order of the volume.

    Slicer turns the last axis round when it reads a left-handed grid.

    Raises:
        RuntimeError: the label map is of another size or in another place; it would be drawn where it does not belong.
    """
    vtkMatrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(vtkMatrix)
    matrix, labels = slicer.util.arrayFromVTKMatrix(vtkMatrix), slicer.util.arrayFromVolume(node)
    for axis in range(3):
        if matrix[:3, axis] @ prepared.ijkToRas[:3, axis] < 0:
            matrix[:3, 3] += matrix[:3, axis] * (labels.shape[2 - axis] - 1)
            matrix[:3, axis] *= -1
            labels = np.flip(labels, 2 - axis)
    corners = np.array([[i, j, k, 1.0] for k in (0, 1) for j in (0, 1) for i in (0, 1)])
    corners[:, :3] *= np.array(labels.shape[::-1]) - 1
    apart = corners @ (matrix - prepared.ijkToRas).T
    if labels.shape != prepared.voxels.shape or np.abs(apart).max() > _TOLERANCE_MM:
        raise RuntimeError(_("The result does not lie on the volume that was given. Run it again and report this."))
    return labels
