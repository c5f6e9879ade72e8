"""Segments and the engine's structures: identifier, name, colour, terminology, and who drew them."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import slicer
import vtk

from KidneySegWidgets.engine.engineLocation import ensureEngine

AUTOMATIC, SEMIAUTOMATIC = "AUTOMATIC", "SEMIAUTOMATIC"
_ALGORITHM = "KidneySeg"
# Slicer fills a DICOM SEG from these tags.
_TYPE_TAG, _NAME_TAG = "DICOM.SegmentAlgorithmType", "DICOM.SegmentAlgorithmName"


def styleSegment(segment: Any, key: str, algorithm: str, sidesCertain: bool = True) -> None:
    """Gives a segment name, colour and terminology of its structure; the network drew it.

    Where the anatomy contradicts the image's header neither name nor terminology claims a side.
    """
    ensureEngine()
    from KidneySegLib.result_files.labels.segment_names import shown_name
    from KidneySegLib.result_files.labels.terminology import terminology_entry
    from KidneySegLib.structures import BY_KEY

    structure = BY_KEY[key]
    segment.SetName(shown_name(structure, sides_certain=sidesCertain))
    segment.SetColor(*(value / 255 for value in structure.colour))
    segment.SetTag(segment.GetTerminologyEntryTagName(), terminology_entry(structure, sides_certain=sidesCertain))
    segment.SetTag(_NAME_TAG, algorithm)
    markSegment(segment, AUTOMATIC)


def newSegment(key: str, sidesCertain: bool) -> Any:
    """Returns a segment of a structure that this version of the engine draws; it is in no segmentation yet."""
    ensureEngine()
    from KidneySegLib import __version__

    segment = slicer.vtkSegment()
    styleSegment(segment, key, f"{_ALGORITHM} {__version__}", sidesCertain)
    return segment


def addInOrder(segmentation: Any, segment: Any, key: str) -> str:
    """Adds a segment where the order of structures wants it, so that lists look alike; returns its identifier."""
    ensureEngine()
    from KidneySegLib.structures import BY_KEY

    identifier = str(segmentation.GenerateUniqueSegmentID(key))
    later = [
        segmentation.GetSegmentIndex(name)
        for other, names in segmentsByStructure(segmentation).items()
        for name in names
        if BY_KEY[other].label > BY_KEY[key].label
    ]
    segmentation.AddSegment(segment, identifier)
    if later:
        segmentation.SetSegmentIndex(identifier, min(later))
    return identifier


def isOurs(segment: Any) -> bool:
    """Returns whether a segment was made here, and not by the reader."""
    return segmentTag(segment, _NAME_TAG).startswith(_ALGORITHM)


def markSegment(segment: Any, algorithmType: str) -> None:
    """Says who drew the segment: AUTOMATIC, or SEMIAUTOMATIC after a reader's correction."""
    segment.SetTag(_TYPE_TAG, algorithmType)


def algorithmType(segment: Any) -> str:
    """Returns who drew the segment; empty if nobody said."""
    return segmentTag(segment, _TYPE_TAG)


def segmentTag(segment: Any, name: str) -> str:
    """Returns a tag; empty if the segment has none of this name."""
    value = vtk.reference("")
    return str(value.get()) if segment.GetTag(name, value) else ""


def structureKey(segmentId: str, segment: Any) -> str | None:
    """Returns the structure that a segment shows, or None if it is none of ours.

    Name and terminology decide, as the reader sees them; where these contradict each other, the identifier.
    """
    entry = segmentTag(segment, segment.GetTerminologyEntryTagName())
    return _structureKey(segmentId, segment.GetName() or "", entry)


@lru_cache(maxsize=256)
def _structureKey(segmentId: str, name: str, entry: str) -> str | None:
    """Asked of each segment at each stroke."""
    ensureEngine()
    from KidneySegLib.errors import InputError
    from KidneySegLib.result_files.labels.segment_names import structure_of_segment
    from KidneySegLib.structures import BY_KEY

    try:
        structure = structure_of_segment(segmentId, name, entry)
    except InputError:
        structure = BY_KEY.get(segmentId)
    return structure.key if structure is not None else None


def drawnState(segmentation: Any) -> list[tuple[str, str | None, int, int]]:
    """Returns identifier, structure key, time and value of each segment's voxels: it tells a stroke from a new name."""
    state = []
    for identifier in segmentation.GetSegmentIDs():
        segment = segmentation.GetSegment(identifier)
        layer = segment.GetRepresentation("Binary labelmap")
        time = layer.GetMTime() if layer is not None else 0
        state.append((identifier, structureKey(identifier, segment), time, segment.GetLabelValue()))
    return state


def segmentsByStructure(segmentation: Any) -> dict[str, list[str]]:
    """Returns identifiers of segments by structure key, in the order of label values; foreign ones are left out."""
    ensureEngine()
    from KidneySegLib.structures import BY_KEY

    found: dict[str, list[str]] = {key: [] for key in BY_KEY}
    for identifier in segmentation.GetSegmentIDs():
        key = structureKey(identifier, segmentation.GetSegment(identifier))
        if key is not None:
            found[key].append(identifier)
    return found
