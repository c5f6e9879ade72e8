"""A click: where, which structure, more of it or less."""

from dataclasses import dataclass

import numpy as np

from KidneySegLib.errors import InputError
from KidneySegLib.geometry.boxes import padded
from KidneySegLib.hounsfield import BODY
from KidneySegLib.volume import Volume


@dataclass(frozen=True)
class Click:
    """One click of a reader.

    Attributes:
        kji: voxel ``(k, j, i)`` that was clicked.
        label: value of the structure in the label map.
        adds: whether the structure is missing there; otherwise it is too much there.
    """

    kji: tuple[int, int, int]
    label: int
    adds: bool


def is_air(volume: Volume, kji: tuple[int, int, int]) -> bool:
    """Whether there is air at a voxel ``(k, j, i)`` of an image in HU, noise taken out by its neighbours."""
    k, j, i = kji
    box = padded((slice(k, k + 1), slice(j, j + 1), slice(i, i + 1)), (1, 1, 1), volume.voxels.shape)
    return bool(volume.voxels[box].mean() < BODY)


def voxel_at(kji: np.ndarray, shape: tuple[int, ...]) -> tuple[int, int, int]:
    """Returns the voxel ``(k, j, i)`` that holds a point.

    Args:
        kji: continuous voxel indices ``(k, j, i)``; a voxel reaches half its size around its index.
        shape: of the image.

    Raises:
        InputError: the point is not finite, or lies outside the image.
    """
    point = np.asarray(kji, dtype=np.float64)
    if not np.isfinite(point).all():
        raise InputError("A click's place must be three numbers. Give it in millimetres (LPS) or in voxels.")
    nearest = np.floor(point + 0.5)
    if (nearest < 0).any() or (nearest >= shape).any():
        raise InputError(
            "A click lies outside the image. Places are millimetres to the patient's left, back and head (LPS), as in "
            "the result's tables; with --voxels they are the indices i, j, k."
        )
    k, j, i = (int(index) for index in nearest)
    return k, j, i
