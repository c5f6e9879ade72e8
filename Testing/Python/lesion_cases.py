"""Kidneys and lesions as analytic bodies in millimetres, drawn on any grid."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from KidneySegLib.volume import Volume


@dataclass(frozen=True)
class Shape:
    """A body in the patient.

    Attributes:
        inside: takes points (..., 3) in mm LPS to bool.
        centre: middle of a ball that holds it, mm LPS.
        reach: radius of that ball in mm.
    """

    inside: Callable[[NDArray], NDArray]
    centre: tuple
    reach: float

    def __call__(self, x: NDArray) -> NDArray:
        return self.inside(x)


KIDNEY_RADII = (25.0, 22.0, 55.0)
RIGHT, LEFT = (-60.0, 0.0, 0.0), (60.0, 0.0, 0.0)


def ellipsoid(centre: tuple, radii: tuple, turn: NDArray | None = None) -> Shape:
    """An ellipsoid with its axes turned by a rotation matrix."""

    def inside(x: NDArray) -> NDArray:
        at = (x - np.array(centre)) @ (np.eye(3) if turn is None else turn)
        return ((at / np.array(radii)) ** 2).sum(axis=-1) <= 1

    return Shape(inside, centre, max(radii))


def ball(centre: tuple, radius: float) -> Shape:
    return ellipsoid(centre, (radius, radius, radius))


def rod(start: tuple, end: tuple, radius: float) -> Shape:
    """A round-ended rod."""
    a, b = np.array(start), np.array(end)

    def inside(x: NDArray) -> NDArray:
        t = np.clip((x - a) @ (b - a) / ((b - a) @ (b - a)), 0, 1)
        return np.linalg.norm(x - a - t[..., None] * (b - a), axis=-1) <= radius

    return Shape(inside, tuple((a + b) / 2), float(np.linalg.norm(b - a)) / 2 + radius)


def block(centre: tuple, half: tuple) -> Shape:
    """A block along the patient's axes."""
    return Shape(lambda x: np.all(np.abs(x - centre) <= half, axis=-1), centre, float(np.linalg.norm(np.array(half))))


def either(*shapes: Shape) -> Shape:
    centre = np.mean([shape.centre for shape in shapes], axis=0)
    reach = max(np.linalg.norm(centre - shape.centre) + shape.reach for shape in shapes)
    return Shape(lambda x: np.any([shape(x) for shape in shapes], axis=0), tuple(centre), float(reach))


def grid(
    spacing: tuple[float, float, float] = (1.0, 1.0, 1.0),
    extent: tuple[float, float, float] = (206.0, 60.0, 126.0),
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
    for label, shape in bodies:
        centre, reach = volume.to_kji(np.array(shape.centre)), shape.reach / np.array(volume.spacing[::-1])
        box = tuple(slice(max(0, int(c - r)), max(0, int(c + r) + 2)) for c, r in zip(centre, reach, strict=True))
        part = labels[box]
        if part.size:
            part[shape(points(volume.crop(box)))] = label
    return labels


def kidneys() -> list[tuple[int, Shape]]:
    """Two ellipsoids of 50 x 44 x 110 mm."""
    return [(1, ellipsoid(RIGHT, KIDNEY_RADII)), (2, ellipsoid(LEFT, KIDNEY_RADII))]
