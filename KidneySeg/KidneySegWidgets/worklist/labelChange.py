"""A change of what is drawn: a part of the label map before and after, and how it gets into the segments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import slicer
import slicer.util
import vtk

from KidneySegWidgets.engine.engineLocation import ensureEngine
from KidneySegWidgets.exam.inputVolume import RAS_TO_LPS, shifted
from KidneySegWidgets.result.labelParts import LabelPart, drawnPart, imageOf
from KidneySegWidgets.result.resultNodes import ResultNodes
from KidneySegWidgets.result.segments import segmentsByStructure, styleSegment


@dataclass(frozen=True)
class LabelChange:
    """Labels of a part of the grid.

    Attributes:
        before: (k, j, i), uint8, values of the engine's structures.
        after: the same, changed.
        start: first voxel (k, j, i) of both in the whole grid.
    """

    before: np.ndarray
    after: np.ndarray
    start: tuple[int, int, int]

    def draw(self, result: ResultNodes) -> None:
        """Draws what changes; all else stays as it is drawn now."""
        changed = self.before != self.after
        for label in np.unique(self.before[changed]):
            if label:
                _remove(result, int(label), changed & (self.before == label), self.start)
        for label in np.unique(self.after[changed]):
            if label:
                _add(result, int(label), changed & (self.after == label), self.start)

    def undone(self, result: ResultNodes) -> LabelChange:
        """Returns the change that takes this one back, where nobody has drawn over it since."""
        now = drawnIn(result, self.start, self.before.shape)
        mine = (now == self.after) & (self.before != self.after)
        return LabelChange(now, np.where(mine, self.before, now), self.start)


def drawnIn(result: ResultNodes, start: tuple[int, ...], shape: tuple[int, ...]) -> np.ndarray:
    """Returns what is drawn now in a part of the grid, labels (k, j, i)."""
    part, labels = drawnPart(result), np.zeros(shape, np.uint8)
    low = np.maximum(start, part.start)
    high = np.minimum(np.add(start, shape), np.add(part.start, part.voxels.shape))
    if np.all(low < high):
        here, there = (
            tuple(slice(a - first, b - first) for a, b, first in zip(low, high, origin, strict=True))
            for origin in (start, part.start)
        )
        labels[here] = part.voxels[there]
    return labels


def gridVolume(result: ResultNodes) -> Any:
    """Returns the engine's Volume of the network's labels, which is the grid of all that is drawn; a view."""
    ensureEngine()
    from KidneySegLib.volume import Volume

    node = result.networkLabels
    toLocal, toWorld = vtk.vtkMatrix4x4(), vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(toLocal)
    if node.GetParentTransformNode() is not None:  # a linear one: others were straightened
        node.GetParentTransformNode().GetMatrixTransformToWorld(toWorld)
    world = slicer.util.arrayFromVTKMatrix(toWorld) @ slicer.util.arrayFromVTKMatrix(toLocal)
    return Volume(slicer.util.arrayFromVolume(node), RAS_TO_LPS @ world)


def partOfGrid(grid: Any, box: tuple[slice, ...], voxels: np.ndarray) -> Any:
    """Returns the engine's Volume of voxels (k, j, i) that lie in a box of a grid."""
    from KidneySegLib.volume import Volume

    start = tuple(part.start for part in box)
    return Volume(voxels, shifted(np.array(grid.ijk_to_lps), start))  # type: ignore[arg-type]


def _segmentIds(result: ResultNodes, label: int) -> list[str]:
    from KidneySegLib.structures import BY_LABEL

    return segmentsByStructure(result.segmentationNode.GetSegmentation()).get(BY_LABEL[label].key, [])


def _remove(result: ResultNodes, label: int, mask: np.ndarray, start: tuple[int, int, int]) -> None:
    logic = slicer.vtkSlicerSegmentationsModuleLogic
    image = imageOf(LabelPart((~mask).astype(np.uint8), start), result.networkLabels)
    for identifier in _segmentIds(result, label):
        logic.SetBinaryLabelmapToSegment(
            image, result.segmentationNode, identifier, logic.MODE_MERGE_MIN, image.GetExtent()
        )


def _add(result: ResultNodes, label: int, mask: np.ndarray, start: tuple[int, int, int]) -> None:
    logic = slicer.vtkSlicerSegmentationsModuleLogic
    image = imageOf(LabelPart(mask.astype(np.uint8), start), result.networkLabels)
    identifier = (_segmentIds(result, label) or [_newSegment(result, label)])[0]
    logic.SetBinaryLabelmapToSegment(
        image, result.segmentationNode, identifier, logic.MODE_MERGE_MASK, image.GetExtent()
    )


def _newSegment(result: ResultNodes, label: int) -> str:
    from KidneySegLib import __version__
    from KidneySegLib.structures import BY_LABEL

    segment = slicer.vtkSegment()
    certain = result.networkFindings().sides_certain
    styleSegment(segment, BY_LABEL[label].key, f"KidneySeg {__version__}", certain)
    segmentation = result.segmentationNode.GetSegmentation()
    identifier = segmentation.GenerateUniqueSegmentID(BY_LABEL[label].key)
    segmentation.AddSegment(segment, identifier)
    return str(identifier)
