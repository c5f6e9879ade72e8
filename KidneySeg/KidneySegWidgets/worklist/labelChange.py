"""A change of what is drawn: a part of the label map before and after, and how it gets into the segments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import slicer
import slicer.util

from KidneySegWidgets.engine.engineLocation import ensureEngine
from KidneySegWidgets.exam.inputVolume import RAS_TO_LPS, shifted
from KidneySegWidgets.result.labelParts import LabelPart, drawnPart, filledBox, imageOf
from KidneySegWidgets.result.place import examMatrix
from KidneySegWidgets.result.resultNodes import ResultNodes
from KidneySegWidgets.result.segments import addInOrder, newSegment, segmentsByStructure
from KidneySegWidgets.worklist.layerDrawing import drawInLayers


@dataclass(frozen=True)
class LabelChange:
    """Labels of a part of the grid.

    Attributes:
        before: (k, j, i), uint8, values of the engine's structures.
        after: the same, changed.
        start: first voxel (k, j, i) of both in the whole grid.
        newBody: the engine's NewBody of what was added; None where nothing was, or nobody asked.
    """

    before: np.ndarray
    after: np.ndarray
    start: tuple[int, int, int]
    newBody: Any = None

    @property
    def lost(self) -> set[int]:
        """Labels of the structures that lose voxels."""
        return {int(label) for label in np.unique(self.before[self.before != self.after]) if label}

    def draw(self, result: ResultNodes) -> None:
        """Draws what changes; all else stays as it is drawn now."""
        box = filledBox(self.before != self.after)
        if box is None:
            return
        k, j, i = (first + part.start for first, part in zip(self.start, box, strict=True))
        before, after = self.before[box], self.after[box]
        if not drawInLayers(result, before, after, (k, j, i)):
            _drawByLogic(result, before, after, (k, j, i))

    def undone(self, result: ResultNodes) -> LabelChange:
        """Returns the change that takes this one back, where nobody has drawn over it since."""
        now = drawnIn(result, self.start, self.before.shape)
        mine = (now == self.after) & (self.before != self.after)
        return LabelChange(now, np.where(mine, self.before, now), self.start)


def drawnIn(result: ResultNodes, start: tuple[int, ...], shape: tuple[int, ...]) -> np.ndarray:
    """Returns what is drawn now in a part of the grid, labels (k, j, i)."""
    box = tuple(slice(first, first + n) for first, n in zip(start, shape, strict=True))
    part, labels = drawnPart(result, box), np.zeros(shape, np.uint8)
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
    """Returns the engine's Volume of the network's labels, which is the grid of all that is drawn; a view.

    It lies where the exam lay when it was segmented, as the findings do (`result.place`).
    """
    ensureEngine()
    from KidneySegLib.volume import Volume

    return Volume(slicer.util.arrayFromVolume(result.networkLabels), RAS_TO_LPS @ examMatrix(result))


def partOfGrid(grid: Any, box: tuple[slice, ...], voxels: np.ndarray) -> Any:
    """Returns the engine's Volume of voxels (k, j, i) that lie in a box of a grid."""
    from KidneySegLib.volume import Volume

    start = tuple(part.start for part in box)
    return Volume(voxels, shifted(np.array(grid.ijk_to_lps), start))  # type: ignore[arg-type]


def _segmentIds(result: ResultNodes, label: int) -> list[str]:
    from KidneySegLib.structures import BY_LABEL

    return segmentsByStructure(result.segmentationNode.GetSegmentation()).get(BY_LABEL[label].key, [])


def _drawByLogic(result: ResultNodes, before: np.ndarray, after: np.ndarray, start: tuple[int, int, int]) -> None:
    """Lets Slicer draw: surfaces follow, layers on other grids are resampled, new structures get segments."""
    changed = before != after
    for label in np.unique(before[changed]):
        if label:
            _remove(result, int(label), changed & (before == label), start)
    for label in np.unique(after[changed]):
        if label:
            _add(result, int(label), changed & (after == label), start)


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
    from KidneySegLib.structures import BY_LABEL

    key, certain = BY_LABEL[label].key, result.networkFindings().sides_certain
    return addInOrder(result.segmentationNode.GetSegmentation(), newSegment(key, certain), key)
