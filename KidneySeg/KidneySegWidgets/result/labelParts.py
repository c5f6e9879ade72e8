"""Label maps cut to what is drawn in them: quickly, so that Slicer does not stand still after a stroke."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import slicer
import slicer.util
import vtk
from vtk.util.numpy_support import vtk_to_numpy

from KidneySegWidgets.engine.engineLocation import ensureEngine
from KidneySegWidgets.result.correctedLabels import currentLabels
from KidneySegWidgets.result.resultNodes import ResultNodes
from KidneySegWidgets.result.segments import segmentsByStructure


@dataclass(frozen=True)
class LabelPart:
    """A part of a label map; outside of it there is nothing.

    Attributes:
        voxels: (k, j, i); uint8, values of the engine's structures, unless somebody says otherwise.
        start: its first voxel (k, j, i) in the whole grid.
    """

    voxels: np.ndarray
    start: tuple[int, int, int]

    def onGrid(self, shape: tuple[int, ...]) -> np.ndarray:
        """Returns the label map of the whole grid of a shape (k, j, i)."""
        whole = np.zeros(shape, self.voxels.dtype)
        whole[tuple(slice(a, a + n) for a, n in zip(self.start, self.voxels.shape, strict=True))] = self.voxels
        return whole

    @classmethod
    def of(cls, labels: np.ndarray, start: tuple[int, int, int] = (0, 0, 0)) -> LabelPart:
        """Cuts labels (k, j, i), which begin at `start`, to what is drawn; one voxel is left where nothing is."""
        box = filledBox(labels) or tuple(slice(0, 1) for _axis in range(3))
        k, j, i = (first + part.start for first, part in zip(start, box, strict=True))
        return cls(labels[box].astype(np.uint8), (k, j, i))


def filledBox(labels: np.ndarray) -> tuple[slice, ...] | None:
    """Returns the box (slices for k, j, i) of what is not 0, or None if all is."""
    rows = labels.reshape(len(labels), -1)
    if labels.flags.c_contiguous and rows.shape[1] * labels.itemsize % 8 == 0:
        rows = rows.view(np.uint64)  # eight voxels at a time
    filled = np.flatnonzero(rows.any(axis=1))
    if not len(filled):
        return None
    k = slice(int(filled[0]), int(filled[-1]) + 1)
    seen = np.bitwise_or.reduce(rows[k], axis=0).view(labels.dtype).reshape(labels.shape[1:])
    ends = (np.flatnonzero(seen.any(axis=axis)) for axis in (1, 0))
    return (k, *(slice(int(along[0]), int(along[-1]) + 1) for along in ends))


def drawnPart(result: ResultNodes, box: tuple[slice, ...] | None = None) -> LabelPart:
    """Returns what is drawn now, as `currentLabels` does, on the grid of the network's labels.

    Segments on another grid are resampled by Slicer, which takes longer.

    Args:
        result: whose segments.
        box: slices for k, j, i of the grid; what is drawn elsewhere is left out. None takes all.
    """
    ensureEngine()
    from KidneySegLib.structures import BY_KEY

    segmentation = result.segmentationNode.GetSegmentation()
    layers: dict[str, tuple[Any, dict[int, int]]] = {}
    for key, identifiers in segmentsByStructure(segmentation).items():
        for segment in map(segmentation.GetSegment, identifiers):
            layer = segment.GetRepresentation("Binary labelmap")
            if layer is not None and layer.GetPointData().GetScalars() is not None:
                _layer, meaning = layers.setdefault(layer.GetAddressAsString(""), (layer, {}))
                meaning[segment.GetLabelValue()] = BY_KEY[key].label
    parts = []
    for layer, meaning in layers.values():
        start = layerStart(layer, result)
        if start is None:
            return _within(box, currentLabels(result), (0, 0, 0))
        part = _within(box, layerVoxels(layer), start)
        parts.append(LabelPart(_translated(part.voxels, meaning), part.start))
    return _merged(parts)


def imageOf(drawn: LabelPart, grid: Any) -> Any:
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


def _within(box: tuple[slice, ...] | None, labels: np.ndarray, start: tuple[int, int, int]) -> LabelPart:
    """Returns what is drawn in a box of the grid by labels that begin at `start`."""
    if box is None:
        return LabelPart.of(labels, start)
    ends = zip(box, start, labels.shape, strict=True)
    k, j, i = (slice(max(part.start - first, 0), min(part.stop - first, size)) for part, first, size in ends)
    if min(part.stop - part.start for part in (k, j, i)) <= 0:
        return LabelPart(np.zeros((1, 1, 1), np.uint8), start)
    first = (start[0] + k.start, start[1] + j.start, start[2] + i.start)
    return LabelPart.of(np.ascontiguousarray(labels[k, j, i]), first)


def layerVoxels(layer: Any) -> np.ndarray:
    """Returns the voxels (k, j, i) of a layer, which several segments may share; what is written there is drawn."""
    return vtk_to_numpy(layer.GetPointData().GetScalars()).reshape(layer.GetDimensions()[::-1])


def layerStart(layer: Any, result: ResultNodes) -> tuple[int, int, int] | None:
    """Returns the voxel (k, j, i) of the grid at which a layer begins.

    None if it does not lie on the grid's voxels, or is of another type than label maps of the engine.
    """
    grid = result.networkLabels
    if layer.GetScalarType() != vtk.VTK_UNSIGNED_CHAR:
        return None
    if result.segmentationNode.GetTransformNodeID() != grid.GetTransformNodeID():
        return None
    toGrid, toWorld = vtk.vtkMatrix4x4(), vtk.vtkMatrix4x4()
    grid.GetRASToIJKMatrix(toGrid)
    layer.GetImageToWorldMatrix(toWorld)
    matrix = slicer.util.arrayFromVTKMatrix(toGrid) @ slicer.util.arrayFromVTKMatrix(toWorld)
    start = matrix[:3, 3] + np.array(layer.GetExtent()[::2])
    size = np.array(grid.GetImageData().GetDimensions())
    inside = np.all(np.rint(start) >= 0) and np.all(np.rint(start) + layer.GetDimensions() <= size)
    if not inside or np.abs(matrix[:3, :3] - np.eye(3)).max() > 1e-5 or np.abs(start - np.rint(start)).max() > 0.01:
        return None
    i, j, k = (int(n) for n in np.rint(start))
    return k, j, i


def _translated(voxels: np.ndarray, meaning: dict[int, int]) -> np.ndarray:
    """Returns the values of a layer's segments as those of the structures that they show; 0 of segments of none."""
    others = set(range(1, int(voxels.max()) + 1)) - meaning.keys()
    isSame = all(value == label for value, label in meaning.items())
    if isSame and not any((voxels == value).any() for value in others):  # a table takes several times as long
        return voxels
    table = np.zeros(256, np.uint8)
    for value, label in meaning.items():
        table[value] = label
    return table[voxels]


def _merged(parts: list[LabelPart]) -> LabelPart:
    """Puts parts over each other. Where they overlap the stone wins, then the cyst, the mass, the kidney."""
    if len(parts) <= 1:
        return parts[0] if parts else LabelPart(np.zeros((1, 1, 1), np.uint8), (0, 0, 0))
    low = np.min([part.start for part in parts], axis=0)
    high = np.max([np.add(part.start, part.voxels.shape) for part in parts], axis=0)
    labels = np.zeros(high - low, np.uint8)
    for part in parts:
        there = labels[tuple(slice(a, a + n) for a, n in zip(part.start - low, part.voxels.shape, strict=True))]
        np.maximum(there, part.voxels, out=there)
    k, j, i = (int(n) for n in low)
    return LabelPart(labels, (k, j, i))
