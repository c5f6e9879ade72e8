"""Slicer's segmentation files (``.seg.nrrd``): segments by layer and value, and what they show.

Source: Slicer user guide, "Segmentations", file format. Since Slicer 4.11 segments that do not overlap share a layer
and each has its own value; before, each segment was a layer of ones. Layers stand along a list axis.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from KidneySegLib.errors import InputError
from KidneySegLib.flags import Flag
from KidneySegLib.result_files.labels.segment_names import structure_of_segment
from KidneySegLib.structures import Structure

SEGMENTATION_SUFFIX = ".seg.nrrd"


@dataclass(frozen=True)
class FileSegment:
    """A segment as its file describes it.

    Attributes:
        title: its name.
        structure: what it shows; None if it is none of ours.
        layer: number of its layer.
        value: of its voxels there.
    """

    title: str
    structure: Structure | None
    layer: int
    value: int


def segments_of(header: dict[str, str], layers: int) -> list[FileSegment]:
    """Returns the segments in the order of the file.

    Args:
        header: key-value pairs of the file.
        layers: number of its layers.

    Raises:
        InputError: the header is damaged, or name and terminology of a segment contradict each other.
    """
    prefixes = [key.removesuffix("ID") for key in header if key.startswith("Segment") and key.endswith("_ID")]
    found = []
    try:
        for place, prefix in enumerate(sorted(prefixes, key=lambda prefix: int(prefix[7:-1]))):
            tags = dict(tag.split(":", 1) for tag in header.get(f"{prefix}Tags", "").split("|") if ":" in tag)
            title = header.get(f"{prefix}Name", "")
            entry = tags.get("TerminologyEntry", "")
            found.append(
                FileSegment(
                    title,
                    structure_of_segment(header[f"{prefix}ID"], title, entry),
                    # files of Slicer before 4.11 name neither: each segment is a layer of ones
                    int(header.get(f"{prefix}Layer", place if layers > 1 else 0)),
                    int(header.get(f"{prefix}LabelValue", 1)),
                )
            )
    except ValueError as error:
        raise _damaged() from error
    if any(not 0 <= segment.layer < layers for segment in found):
        raise _damaged()
    return found


def merge_layers(layers: Sequence[np.ndarray], segments: Sequence[FileSegment]) -> tuple[np.ndarray, list[Flag]]:
    """Makes one label map of all segments.

    Where segments overlap, the structure with the higher label stands: stone before cyst, cyst before solid mass, solid
    mass before kidney, left kidney before right.

    Args:
        layers: arrays ``(k, j, i)`` of whole numbers.
        segments: of ``segments_of``.

    Returns:
        Labels, uint8 ``(k, j, i)``, values of ``structures``, and what a reader should know of them.

    Raises:
        InputError: a segment that holds voxels is none of our structures, or voxels belong to no segment.
    """
    labels = np.zeros(layers[0].shape, np.uint8)
    overlap = np.zeros(labels.shape, bool)
    both_kidneys = False
    for segment in sorted(segments, key=lambda item: item.structure.label if item.structure else 0):
        inside = layers[segment.layer] == segment.value
        if not inside.any():
            continue
        if segment.structure is None:
            title = " ".join(segment.title.split())[:60]
            raise InputError(
                "The segment '{segment}' is not a structure of KidneySeg. Remove it, or call it Right kidney, "
                "Left kidney, Solid mass, Cyst or Stone.",
                segment=title,
            )
        taken = (labels[inside] > 0) & (labels[inside] != segment.structure.label)
        overlap[inside] |= taken
        both_kidneys |= segment.structure.side is not None and bool(taken.any())
        labels[inside] = segment.structure.label
    _check_values(layers, segments)
    return labels, _overlap_flags(int(np.count_nonzero(overlap)), both_kidneys)


def _check_values(layers: Sequence[np.ndarray], segments: Sequence[FileSegment]) -> None:
    for number, layer in enumerate(layers):
        known = [0, *(segment.value for segment in segments if segment.layer == number)]
        strange = sorted(set(np.unique(layer).tolist()) - set(known))
        if strange:
            raise InputError(
                "The segmentation holds voxels with the value {value:g}, which belong to no segment. Save it "
                "again in Slicer.",
                value=strange[0],
            )


def _overlap_flags(voxels: int, both_kidneys: bool) -> list[Flag]:
    if not voxels:
        return []
    flags = [Flag.of("overlapping_segments", voxels=voxels)]
    if both_kidneys:
        flags.append(Flag.of("overlapping_kidneys"))
    return flags


def _damaged() -> InputError:
    return InputError("The header of the segmentation file is damaged. Save it again in Slicer.")
