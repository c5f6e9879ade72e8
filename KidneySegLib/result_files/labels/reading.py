"""Reads a label map that a reader may have corrected in another program, onto the grid of its image."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from KidneySegLib.errors import GeometryError, InputError
from KidneySegLib.flags import Flag
from KidneySegLib.result_files.labels.numbering import from_numbers
from KidneySegLib.result_files.labels.segment_files import SEGMENTATION_SUFFIX, merge_layers, segments_of
from KidneySegLib.structures import STRUCTURES, UNSIDED_KIDNEY, Numbering, Structure
from KidneySegLib.volume import Volume, is_image_file, read_image, read_layers

# Files hold the geometry in 32 bits; a label map further off than this share of a voxel belongs to another image.
TOLERANCE_VOXELS = 0.02


@dataclass(frozen=True)
class Drawing:
    """A label map that was read.

    Attributes:
        labels: uint8 ``(k, j, i)`` on the image's grid, values of ``structures``.
        flags: what a reader should know of it.
    """

    labels: np.ndarray
    flags: list[Flag]


def read_labels(
    path: Path,
    image: Volume,
    numbering: Numbering = Numbering.KIDNEYSEG,
    structures: Collection[Structure] = STRUCTURES,
) -> Drawing:
    """Reads a label map and puts it onto the grid of its image.

    It may be stored in another order of the axes, cover only a part of the image, as Slicer's segmentation files do, or
    reach beyond it where it is empty; what it does not cover is background. In a segmentation file (``.seg.nrrd``)
    structures are known by the segments' names and terminology, because Slicer numbers segments anew; in any other
    file by their number.

    Args:
        path: NIfTI, NRRD or MetaImage.
        image: the image that it belongs to.
        numbering: whose numbers it has; a segmentation file tells that itself.
        structures: what may be drawn.

    Raises:
        InputError: it cannot be read, or holds numbers or segments that are none of the structures.
        GeometryError: it lies on another grid, or something is drawn outside the image.
    """
    if not is_image_file(path):
        raise InputError("The label map must be a NIfTI, NRRD or MetaImage file. Choose such a file.")
    if path.name.lower().endswith(SEGMENTATION_SUFFIX):
        if numbering is not Numbering.KIDNEYSEG:
            raise InputError("A .seg.nrrd file names its segments itself. Leave out --numbering.")
        layers, header = read_layers(path)
        labels, flags = merge_layers([layer.voxels for layer in layers], segments_of(header, len(layers)))
        return Drawing(_checked(on_grid(layers[0].like(labels), image), structures), flags)
    drawn = read_image(path)
    if not np.isfinite(drawn.voxels).all() or np.any(drawn.voxels != np.rint(drawn.voxels)):
        raise InputError("The label map holds values that are not whole numbers. Choose a label map, not an image.")
    labels, flags = from_numbers(on_grid(drawn, image), image, numbering)
    return Drawing(_checked(labels, structures), flags)


def _checked(labels: np.ndarray, structures: Collection[Structure]) -> np.ndarray:
    """Returns labels, none of which is a kidney without a side where a kidney has one.

    Raises:
        InputError: one is.
    """
    if UNSIDED_KIDNEY not in structures and np.any(labels == UNSIDED_KIDNEY.label):
        raise InputError(
            "The label map holds a kidney without a side. Make it the right kidney (1) or the left one (2)."
        )
    return labels


def on_grid(drawn: Volume, image: Volume) -> np.ndarray:
    """Puts labels onto the grid of an image.

    Args:
        drawn: labels; they may cover a part of the image only, in any order of the axes, and reach beyond it where they
            are 0.
        image: the image.

    Returns:
        Labels of the same type, ``(k, j, i)`` on the image's grid; what was not covered is background.

    Raises:
        GeometryError: the voxels do not coincide, or labels lie outside the image.
    """
    order = image.axis_order()
    grid, part = image.reordered(order), drawn.canonical()
    labels = np.zeros(grid.voxels.shape, part.voxels.dtype)
    start = grid.to_kji(np.array(part.origin))
    first = np.rint(start).astype(int)
    last = np.array(part.voxels.shape) - 1
    apart = max(np.abs(start - first).max(), np.abs(grid.to_kji(part.to_lps(last)) - first - last).max())
    if apart > TOLERANCE_VOXELS:
        raise GeometryError(
            "The label map does not lie on the image's voxels. Give the image that it was drawn on, or resample it to "
            "the image's grid."
        )
    low = np.maximum(first, 0)
    high = np.minimum(first + part.voxels.shape, grid.voxels.shape)
    inside = tuple(slice(a, b) for a, b in zip(low - first, np.maximum(low, high) - first, strict=True))
    covered = part.voxels[inside]
    if np.count_nonzero(part.voxels) != np.count_nonzero(covered):
        raise GeometryError(
            "A part of the label map lies outside the image. Give the image that it was drawn on, or remove that part."
        )
    if covered.size:
        labels[tuple(slice(a, a + n) for a, n in zip(low, covered.shape, strict=True))] = covered
    return np.ascontiguousarray(order.invert(labels))
