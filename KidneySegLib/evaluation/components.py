"""The single lesions and stones of a label map: bodies of voxels with their place and size.

In a reference they are what is connected, whatever the engine makes of it. Masses and cysts that were found are those
that the findings list, so that what is counted is what a user is shown: touching ones told apart, specks joined to
their neighbour or left out (``geometry.bodies``).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from KidneySegLib.geometry.bodies import find_bodies
from KidneySegLib.geometry.boxes import bounding_boxes
from KidneySegLib.geometry.diameters import maximum_axial_diameter, maximum_diameter
from KidneySegLib.volume import Volume

# Bodies that touch with a face, an edge or a corner are one.
CONNECTIVITY = 26

Size = Callable[[np.ndarray, np.ndarray], float]


@dataclass(frozen=True)
class Component:
    """One body.

    Attributes:
        voxels: number of voxels.
        volume_ml: their volume.
        size_mm: diameter, see the size that ``measure_components`` was given.
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


def number_connected(mask: np.ndarray) -> np.ndarray:
    """Returns the numbers of the connected bodies of ``mask``, bool ``(k, j, i)``: uint32, 0 where there is none.

    The largest is 1, of equal ones the lower comes first; the same order has ``number_reported``.
    """
    import cc3d

    return _largest_first(cc3d.connected_components(np.ascontiguousarray(mask), connectivity=CONNECTIVITY))


def number_reported(labels: np.ndarray, label: int, grid: Volume) -> np.ndarray:
    """Returns the numbers of the masses or cysts as the findings list them.

    Args:
        labels: label map, uint8 ``(k, j, i)``.
        label: value of the masses or cysts.
        grid: any volume on the labels' grid.
    """
    numbers = np.zeros(labels.shape, np.uint32)
    box = bounding_boxes(labels).get(label)
    if box is not None:
        for number, body in enumerate(find_bodies(grid, labels, label, box)[0], start=1):
            numbers[body.box][body.mask] = number
    return _largest_first(numbers)


def measure_components(numbers: np.ndarray, grid: Volume, size: Size, first_slice: int = 0) -> list[Component]:
    """Measures bodies.

    Args:
        numbers: from ``number_connected`` or ``number_reported``, canonical orientation.
        grid: any volume on their grid.
        size: ``axial_size`` or ``length``.
        first_slice: index of the grid's first slice within the whole exam.
    """
    import cc3d

    statistics = cc3d.statistics(numbers)
    components = []
    for number in range(1, len(statistics["voxel_counts"])):
        box = statistics["bounding_boxes"][number]
        body = numbers[box] == number
        voxels = int(statistics["voxel_counts"][number])
        x, y, z = map(float, grid.to_lps(statistics["centroids"][number]))
        components.append(
            Component(
                voxels=voxels,
                volume_ml=voxels * grid.voxel_volume / 1000,
                size_mm=size(body, grid.crop(box).ijk_to_lps),
                centroid_lps_mm=(x, y, z),
                slice_index=first_slice + box[0].start + int(np.count_nonzero(body, axis=(1, 2)).argmax()),
            )
        )
    return components


def _largest_first(numbers: np.ndarray) -> np.ndarray:
    voxels = np.bincount(numbers.ravel())
    order = 1 + np.argsort(-voxels[1:], kind="stable")
    renumbered = np.zeros(len(voxels), np.uint32)
    renumbered[order] = np.arange(1, len(voxels))
    return renumbered[numbers]
