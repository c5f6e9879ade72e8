"""Kidneys and lesions as analytic bodies in millimetres, drawn on any grid."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from KidneySegLib.volume import Volume

Shape = Callable[[NDArray], NDArray]  # points (..., 3) in mm LPS to bool

KIDNEY_RADII = (25.0, 22.0, 55.0)
RIGHT, LEFT = (-60.0, 0.0, 0.0), (60.0, 0.0, 0.0)


def ellipsoid(centre: tuple, radii: tuple, turn: NDArray | None = None) -> Shape:
    """An ellipsoid with its axes turned by a rotation matrix."""

    def inside(x: NDArray) -> NDArray:
        at = (x - np.array(centre)) @ (np.eye(3) if turn is None else turn)
        return ((at / np.array(radii)) ** 2).sum(axis=-1) <= 1

    return inside


def ball(centre: tuple, radius: float) -> Shape:
    return ellipsoid(centre, (radius, radius, radius))


def rod(start: tuple, end: tuple, radius: float) -> Shape:
    """A round-ended rod."""
    a, b = np.array(start), np.array(end)

    def inside(x: NDArray) -> NDArray:
        t = np.clip((x - a) @ (b - a) / ((b - a) @ (b - a)), 0, 1)
        return np.linalg.norm(x - a - t[..., None] * (b - a), axis=-1) <= radius

    return inside


def either(*shapes: Shape) -> Shape:
    return lambda x: np.any([shape(x) for shape in shapes], axis=0)


def grid(
    spacing: tuple[float, float, float] = (1.0, 1.0, 1.0),
    extent: tuple[float, float, float] = (220.0, 100.0, 150.0),
    turn: tuple[float, float, float] = (0.0, 0.0, 0.0),
) -> Volume:
    """Air-free image around the origin: spacing and extent along i, j, k in mm, turned by degrees about x, y, z."""
    size = np.ceil(np.array(extent) / spacing).astype(int)
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_euler("xyz", turn, degrees=True).as_matrix() * spacing
    matrix[:3, 3] = -matrix[:3, :3] @ ((size - 1) / 2)
    return Volume(np.full(size[::-1], 30, np.int16), matrix)


def points(volume: Volume) -> NDArray:
    return volume.to_lps(np.stack(np.indices(volume.voxels.shape), axis=-1))


def draw(volume: Volume, bodies: list[tuple[int, Shape]]) -> NDArray:
    """Returns a label map, uint8 ``(k, j, i)``; later bodies overwrite earlier ones."""
    labels = np.zeros(volume.voxels.shape, np.uint8)
    x = points(volume)
    for label, shape in bodies:
        labels[shape(x)] = label
    return labels


def kidneys() -> list[tuple[int, Shape]]:
    """Two ellipsoids of 50 x 44 x 110 mm."""
    return [(1, ellipsoid(RIGHT, KIDNEY_RADII)), (2, ellipsoid(LEFT, KIDNEY_RADII))]
