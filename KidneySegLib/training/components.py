"""The single lesions and stones of a label map: connected bodies of voxels with their place and size."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from KidneySegLib.analysis.diameters import maximum_axial_diameter, maximum_diameter
from KidneySegLib.volume import Volume

# Bodies that touch with a face, an edge or a corner are one.
CONNECTIVITY = 26

Size = Callable[[np.ndarray, np.ndarray], float]


@dataclass(frozen=True)
class Component:
    """One connected body.

    Attributes:
        voxels: number of voxels.
        volume_ml: their volume.
        size_mm: diameter, see the size that ``find_components`` was given.
        centroid_lps_mm: centre of gravity, (x, y, z).
        slice_index: the axial slice with its largest cross-section, counted from 0 at the feet.
    """

    voxels: int
    volume_ml: float
    size_mm: float
    centroid_lps_mm: tuple[float, float, float]
    slice_index: int


def axial_size(mask: np.ndarray, ijk_to_lps: np.ndarray) -> float:
    """Returns the maximum diameter within one axial slice in mm: the size of a mass or cyst in a radiologist's report.

    Args:
        mask: bool ``(k, j, i)`` in canonical orientation.
        ijk_to_lps: 4x4 matrix of the grid.
    """
    return maximum_axial_diameter(mask, ijk_to_lps, slice_axis=0).longest.length


def length(mask: np.ndarray, ijk_to_lps: np.ndarray) -> float:
    """Returns the maximum diameter in any direction in mm: the size of a stone; arguments as of ``axial_size``."""
    return maximum_diameter(mask, ijk_to_lps).length


def find_components(
    mask: np.ndarray, grid: Volume, size: Size, first_slice: int = 0
) -> tuple[np.ndarray, list[Component]]:
    """Takes a mask apart.

    Args:
        mask: bool ``(k, j, i)`` in canonical orientation.
        grid: any volume on the mask's grid.
        size: ``axial_size`` or ``length``.
        first_slice: index of the grid's first slice within the whole exam.

    Returns:
        Numbers of the bodies ``(k, j, i)``, 0 where there is none, and the bodies in that order from 1 on: the largest
        first, of equal ones the lower.
    """
    import cc3d

    raw, count = cc3d.connected_components(np.ascontiguousarray(mask), connectivity=CONNECTIVITY, return_N=True)
    if count == 0:
        return np.zeros(mask.shape, np.uint16), []
    statistics = cc3d.statistics(raw)
    order = 1 + np.argsort(-statistics["voxel_counts"][1:].astype(np.int64), kind="stable")
    renumbered = np.zeros(count + 1, np.uint32)
    renumbered[order] = np.arange(1, count + 1)
    found = []
    for number in order:
        box = statistics["bounding_boxes"][number]
        body = raw[box] == number
        voxels = int(statistics["voxel_counts"][number])
        x, y, z = map(float, grid.to_lps(statistics["centroids"][number]))
        areas = np.count_nonzero(body, axis=(1, 2))
        found.append(
            Component(
                voxels=voxels,
                volume_ml=voxels * grid.voxel_volume / 1000,
                size_mm=size(body, grid.crop(box).ijk_to_lps),
                centroid_lps_mm=(x, y, z),
                slice_index=first_slice + box[0].start + int(areas.argmax()),
            )
        )
    return renumbered[raw], found
