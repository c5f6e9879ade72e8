"""Draws a change into the voxels that segments share. Slicer's logic for it looks at the whole layer each time."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from KidneySegWidgets.engine.engineLocation import ensureEngine
from KidneySegWidgets.result.labelParts import LabelPart, imageOf, layerStart, layerVoxels
from KidneySegWidgets.result.resultNodes import ResultNodes
from KidneySegWidgets.result.segments import addInOrder, newSegment, segmentsByStructure

_BINARY = "Binary labelmap"


def drawInLayers(result: ResultNodes, before: np.ndarray, after: np.ndarray, start: tuple[int, int, int]) -> bool:
    """Draws what differs between two label maps (k, j, i) of a part of the grid that begins at `start`.

    Returns:
        False, with nothing drawn, where only Slicer's logic can do it: segments have surfaces, which must follow, or
        lie on another grid.
    """
    drawing = _Drawing(result, start)
    changed = before != after
    gone, new = ({int(label) for label in np.unique(labels[changed]) if label} for labels in (before, after))
    if not drawing.canDraw(gone, new):
        return False
    drawing.reach(before.shape)
    drawing.addSegments(sorted(new))
    for label in gone:
        drawing.erase(label, changed & (before == label))
    for label in new:
        drawing.paint(label, changed & (after == label))
    drawing.tell()
    return True


class _Drawing:
    """One change of the layers of a result's segments."""

    def __init__(self, result: ResultNodes, start: tuple[int, int, int]) -> None:
        ensureEngine()
        from KidneySegLib.structures import BY_KEY

        self._result, self._start = result, start
        self._segmentation = result.segmentationNode.GetSegmentation()
        self._segments = {
            BY_KEY[key].label: [self._segmentation.GetSegment(name) for name in names]
            for key, names in segmentsByStructure(self._segmentation).items()
        }
        self._touched: list[Any] = []

    def canDraw(self, gone: set[int], new: set[int]) -> bool:
        """Returns whether all segments of these labels lie on the grid and have nothing but voxels."""
        kept: list[str] = []
        self._segmentation.GetContainedRepresentationNames(kept)
        if kept != [_BINARY]:
            return False
        self._touched = [segment for label in gone | new for segment in self._segments[label]]
        if not self._touched:  # new ones share the voxels of others
            self._touched = [segment for segments in self._segments.values() for segment in segments][:1]
        plain = bool(self._touched) and all(self._isPlain(segment) for segment in self._touched)
        return plain and not self._areSharedWithOthers()

    def reach(self, shape: tuple[int, ...]) -> None:
        """Makes the layers large enough for a part of the grid, which begins at the start."""
        low, high = np.array(self._start), np.add(self._start, shape)
        for layer in self._layers():
            start, voxels = np.array(layerStart(layer, self._result)), layerVoxels(layer)
            first, end = np.minimum(low, start), np.maximum(high, start + voxels.shape)
            if (first < start).any() or (end > start + voxels.shape).any():
                larger = np.zeros(end - first, np.uint8)
                larger[_box(start - first, voxels.shape)] = voxels
                k, j, i = (int(index) for index in first)
                layer.DeepCopy(imageOf(LabelPart(larger, (k, j, i)), self._result.networkLabels))

    def addSegments(self, labels: Iterable[int]) -> None:
        """Makes segments of structures that have none."""
        from KidneySegLib.structures import BY_LABEL

        layer = self._touched[0].GetRepresentation(_BINARY)
        for label in labels:
            if not self._segments[label]:
                key, certain = BY_LABEL[label].key, self._result.networkFindings().sides_certain
                segment = newSegment(key, certain)
                segment.SetLabelValue(self._freeValue(layer, label))
                segment.AddRepresentation(_BINARY, layer)
                identifier = addInOrder(self._segmentation, segment, key)
                self._segments[label] = [self._segmentation.GetSegment(identifier)]

    def _freeValue(self, layer: Any, wanted: int) -> int:
        """Returns a value that no voxel of a layer has, and no segment in it: the wanted one, or else a larger one."""
        inLayer = (each for segments in self._segments.values() for each in segments)
        taken = {each.GetLabelValue() for each in inLayer if each.GetRepresentation(_BINARY) is layer}
        voxels = layerVoxels(layer)
        free = (value for value in (wanted, *range(wanted + 1, 256)) if value not in taken)
        return next(value for value in free if not (voxels == value).any())

    def erase(self, label: int, mask: np.ndarray) -> None:
        for segment in self._segments[label]:
            voxels = self._voxels(segment, mask.shape)
            voxels[mask & (voxels == segment.GetLabelValue())] = 0

    def paint(self, label: int, mask: np.ndarray) -> None:
        segment = self._segments[label][0]
        self._voxels(segment, mask.shape)[mask] = segment.GetLabelValue()

    def tell(self) -> None:
        """Lets views and observers follow, as after a stroke."""
        for layer in self._layers():
            layer.GetPointData().GetScalars().Modified()
            layer.Modified()  # the segmentation tells it as a change of segments

    def _isPlain(self, segment: Any) -> bool:
        layer = segment.GetRepresentation(_BINARY)
        if layer is None or layer.GetPointData().GetScalars() is None:
            return False
        return layerStart(layer, self._result) is not None

    def _areSharedWithOthers(self) -> bool:
        """Returns whether segments that are no structures of ours lie in the same layers: they must lose nothing."""
        layers = [layer.GetAddressAsString("") for layer in self._layers()]
        known = {segment.GetAddressAsString("") for segments in self._segments.values() for segment in segments}
        others = (self._segmentation.GetNthSegment(n) for n in range(self._segmentation.GetNumberOfSegments()))
        foreign = (other.GetRepresentation(_BINARY) for other in others if other.GetAddressAsString("") not in known)
        return any(layer is not None and layer.GetAddressAsString("") in layers for layer in foreign)

    def _layers(self) -> list[Any]:
        layers = (segment.GetRepresentation(_BINARY) for segment in self._touched)
        return list({layer.GetAddressAsString(""): layer for layer in layers}.values())

    def _voxels(self, segment: Any, shape: tuple[int, ...]) -> np.ndarray:
        layer = segment.GetRepresentation(_BINARY)
        start = np.array(layerStart(layer, self._result))
        return layerVoxels(layer)[_box(self._start - start, shape)]


def _box(start: np.ndarray, shape: tuple[int, ...]) -> tuple[slice, ...]:
    return tuple(slice(int(a), int(a) + n) for a, n in zip(start, shape, strict=True))
