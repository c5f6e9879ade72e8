"""Reads a label map that a reader may have corrected in another program, onto the grid of its image."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from KidneySegLib.errors import GeometryError, InputError
from KidneySegLib.reporting.terminology import structure_of_entry
from KidneySegLib.structures import BY_KEY, STRUCTURES
from KidneySegLib.volume import Volume, is_image_file, read_image

# Files hold the geometry in 32 bits; a label map further off than this share of a voxel belongs to another image.
TOLERANCE_VOXELS = 0.02
SEGMENTATION_SUFFIX = ".seg.nrrd"


def read_labels(path: Path, image: Volume) -> np.ndarray:
    """Reads a label map and puts it onto the grid of its image.

    It may be stored in another order of the axes, and cover only a part of the image, as Slicer's segmentation files
    do; what it does not cover is background. In a segmentation file (``.seg.nrrd``) structures are known by the
    segments' identifiers and terminology, because Slicer numbers segments anew; in any other file by their number.

    Args:
        path: NIfTI, NRRD or MetaImage.
        image: the image that it belongs to.

    Returns:
        Labels, uint8 ``(k, j, i)`` on the image's grid, values of ``structures``.

    Raises:
        InputError: it cannot be read, or holds numbers or segments that are none of the structures.
        GeometryError: it lies on another grid.
    """
    if not is_image_file(path):
        raise InputError("The label map must be a NIfTI, NRRD or MetaImage file. Choose such a file.")
    drawn = read_image(path)
    values = np.unique(drawn.voxels)
    if path.name.lower().endswith(SEGMENTATION_SUFFIX):
        numbers = _segment_numbers(path)
    else:
        numbers = {structure.label: structure.label for structure in STRUCTURES}
    strange = [f"{value:g}" for value in values if value and float(value) not in numbers]
    if strange:
        raise InputError(
            f"The label map holds {', '.join(strange[:5])}, which is no structure of KidneySeg. Use 1 right kidney, "
            "2 left kidney, 3 solid mass, 4 cyst, 5 stone."
        )
    labels = np.zeros(drawn.voxels.shape, np.uint8)
    for number, label in numbers.items():
        labels[drawn.voxels == number] = label
    return on_grid(drawn.like(labels), image)


def _segment_numbers(path: Path) -> Mapping[int, int]:
    """Returns the structure's label for each value of a Slicer segmentation file of one layer."""
    import SimpleITK as sitk

    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    reader.ReadImageInformation()
    names = [key for key in reader.GetMetaDataKeys() if key.startswith("Segment") and key.endswith("_ID")]
    numbers: dict[int, int] = {}
    for name in names:
        prefix = name.removesuffix("ID")
        key = _structure_key(_value(reader, name), _terminology(reader, prefix))
        if key is None:
            title = _value(reader, f"{prefix}Name")
            raise InputError(
                f"The segment '{title}' is no structure of KidneySeg. Remove it, or give it a terminology."
            )
        numbers[int(_value(reader, f"{prefix}LabelValue") or 1)] = BY_KEY[key].label
    return numbers


def _structure_key(identifier: str, entry: str) -> str | None:
    """Returns the structure of a segment: by its identifier, or by the terminology of one that a reader added."""
    structure = BY_KEY.get(identifier) or structure_of_entry(entry)
    return structure.key if structure is not None else None


def _value(reader: Any, key: str) -> str:
    return str(reader.GetMetaData(key)) if reader.HasMetaDataKey(key) else ""


def _terminology(reader: Any, prefix: str) -> str:
    """Returns the terminology entry among a segment's tags, ``key:value`` joined by ``|``."""
    tags = dict(tag.split(":", 1) for tag in _value(reader, f"{prefix}Tags").split("|") if ":" in tag)
    return tags.get("TerminologyEntry", "")


def on_grid(drawn: Volume, image: Volume) -> np.ndarray:
    """Puts labels onto the grid of an image.

    Args:
        drawn: labels, uint8; they may cover a part of the image only, in any order of the axes.
        image: the image.

    Returns:
        Labels, uint8 ``(k, j, i)`` on the image's grid; what was not covered is background.

    Raises:
        GeometryError: the voxels do not coincide.
    """
    order = image.axis_order()
    grid, part = image.reordered(order), drawn.canonical()
    start = grid.to_kji(np.array(part.origin))
    first = np.rint(start).astype(int)
    last = np.array(part.voxels.shape) - 1
    apart = max(np.abs(start - first).max(), np.abs(grid.to_kji(part.to_lps(last)) - first - last).max())
    if apart > TOLERANCE_VOXELS or np.any(first < 0) or np.any(first + last >= grid.voxels.shape):
        raise GeometryError(
            "The label map does not lie on the image's voxels. Give the image that it was drawn on, or resample it to "
            "the image's grid."
        )
    labels = np.zeros(grid.voxels.shape, np.uint8)
    labels[tuple(slice(a, a + n) for a, n in zip(first, part.voxels.shape, strict=True))] = part.voxels
    return np.ascontiguousarray(order.invert(labels))
