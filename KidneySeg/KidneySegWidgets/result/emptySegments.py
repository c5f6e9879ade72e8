"""Segments of which nothing is left: lists do not show them, and what the worklist has emptied goes."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from KidneySegWidgets.engine.engineLocation import ensureEngine
from KidneySegWidgets.result.labelParts import layerVoxels
from KidneySegWidgets.result.resultNodes import ResultNodes
from KidneySegWidgets.result.segments import isOurs, segmentsByStructure

_BINARY = "Binary labelmap"


def emptySegments(result: ResultNodes, filled: Collection[str] = ()) -> list[str]:
    """Returns the identifiers of segments without any voxel; only those of structures of ours are looked at.

    Args:
        result: whose segments.
        filled: keys of structures of which something is drawn: the only segment of one needs no look.
    """
    segmentation = result.segmentationNode.GetSegmentation()
    if segmentation.GetSourceRepresentationName() != _BINARY:
        return []  # somebody has made surfaces the master: they have no voxels
    groups = segmentsByStructure(segmentation)
    wanted = (names for key, names in groups.items() if key not in filled or len(names) > 1)
    return [name for names in wanted for name in names if _isEmpty(segmentation.GetSegment(name))]


def removeEmptySegments(result: ResultNodes, labels: Collection[int]) -> None:
    """Removes empty segments of these structures; what the reader has made stays, as that will be drawn in."""
    ensureEngine()
    from KidneySegLib.structures import BY_KEY

    segmentation = result.segmentationNode.GetSegmentation()
    for identifier in emptySegments(result, [key for key in BY_KEY if BY_KEY[key].label not in labels]):
        if isOurs(segmentation.GetSegment(identifier)):
            segmentation.RemoveSegment(identifier)


def _isEmpty(segment: Any) -> bool:
    layer = segment.GetRepresentation(_BINARY)
    if layer is None or layer.GetPointData().GetScalars() is None:
        return True
    value = segment.GetLabelValue()
    return not any((plane == value).any() for plane in layerVoxels(layer))  # most are found in the first planes
