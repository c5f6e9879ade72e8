"""The voxels of the network's candidates, which no segment shows: a hidden label map that is saved with the scene."""

from __future__ import annotations

from typing import Any

import numpy as np
import slicer
import slicer.util
import vtk

from KidneySegWidgets.engine.engineLocation import ensureEngine
from KidneySegWidgets.exam.inputVolume import PreparedVolume, shifted
from KidneySegWidgets.result.labelParts import LabelPart
from KidneySegWidgets.result.resultNodes import ResultNodes


def makeCandidateNode(segmentation: Any, prepared: PreparedVolume) -> Any:
    """Returns a label map node with the candidates of the engine's Segmentation, numbered from 1 in their order.

    It covers no more of the volume's grid than they do. None if there are none.

    Raises:
        GeometryError: they do not lie on the volume.
    """
    if not segmentation.candidates:
        return None
    ensureEngine()
    from KidneySegLib.measuring.instance_map import candidate_map
    from KidneySegLib.result_files.labels.reading import on_grid
    from KidneySegLib.volume import Volume

    numbers, image = candidate_map(segmentation), Volume(prepared.voxels, prepared.ijkToLps)
    corners = np.array([(0, 0, 0), np.array(numbers.voxels.shape) - 1])
    indices = np.rint(image.to_kji(numbers.to_lps(corners))).astype(int)
    low, high = indices.min(axis=0), indices.max(axis=0) + 1
    k, j, i = (slice(max(int(a), 0), int(b)) for a, b in zip(low, high, strict=True))
    voxels = on_grid(numbers, image.crop((k, j, i)))
    start = (prepared.start[0] + k.start, prepared.start[1] + j.start, prepared.start[2] + i.start)
    matrix, kind = shifted(prepared.nodeMatrix, start), "vtkMRMLLabelMapVolumeNode"
    node = slicer.util.addVolumeFromArray(voxels, matrix, "KidneySeg candidates", kind)
    node.SetAndObserveTransformNodeID(prepared.transform.GetID() if prepared.transform is not None else None)
    return node


def candidateNumbers(result: ResultNodes) -> LabelPart | None:
    """Returns which voxel of the grid belongs to which of the network's candidates, from 1; None if there are none."""
    node, grid = result.networkCandidates, result.networkLabels
    if node is None or grid is None or node.GetImageData() is None:
        return None
    toGrid, toRas = vtk.vtkMatrix4x4(), vtk.vtkMatrix4x4()
    grid.GetRASToIJKMatrix(toGrid)
    node.GetIJKToRASMatrix(toRas)
    first = (slicer.util.arrayFromVTKMatrix(toGrid) @ slicer.util.arrayFromVTKMatrix(toRas))[:3, 3]
    i, j, k = (int(index) for index in np.rint(first))
    return LabelPart(slicer.util.arrayFromVolume(node), (k, j, i))


def candidateMask(result: ResultNodes, identifier: str) -> LabelPart | None:
    """Returns the voxels of one candidate, bool (k, j, i), and where they begin; None if they are not known."""
    numbers = candidateNumbers(result)
    names = [each.id for each in result.networkFindings().candidates]
    if numbers is None or identifier not in names:
        return None
    mask = LabelPart.of(numbers.voxels == names.index(identifier) + 1, numbers.start)
    return LabelPart(mask.voxels.astype(bool), mask.start) if mask.voxels.any() else None
