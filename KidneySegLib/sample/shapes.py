"""Bodies given by their distance to a surface, and the points at which it is asked.

All lengths are millimetres in the patient (LPS: x to the left, y to the back, z to the head). A distance is negative
inside; it is exact or, for ellipsoids, good near the surface, which is where it is used (partial volume, walls).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

Vector = tuple[float, float, float]


@dataclass(frozen=True)
class Points:
    """A straight grid of points, kept as its three axes.

    Attributes:
        x: array ``(1, 1, i)`` in mm.
        y: array ``(1, j, 1)`` in mm.
        z: array ``(k, 1, 1)`` in mm.
    """

    x: np.ndarray
    y: np.ndarray
    z: np.ndarray

    @classmethod
    def grid(cls, x: np.ndarray, y: np.ndarray, z: np.ndarray) -> Points:
        """Takes the coordinates along the three axes (1D arrays, mm)."""
        axes = [np.asarray(axis, dtype=np.float32) for axis in (x, y, z)]
        return cls(axes[0][None, None, :], axes[1][None, :, None], axes[2][:, None, None])

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of points ``(k, j, i)``."""
        return self.z.size, self.y.size, self.x.size

    def window(self, low: np.ndarray, high: np.ndarray) -> tuple[slice, slice, slice]:
        """Returns slices ``(k, j, i)`` of the points between two corners (mm)."""
        slices = []
        for axis, first, last in zip((self.x, self.y, self.z), low, high, strict=True):
            values = axis.ravel()
            slices.append(slice(int(np.searchsorted(values, first)), int(np.searchsorted(values, last, side="right"))))
        return slices[2], slices[1], slices[0]

    def part(self, window: tuple[slice, slice, slice]) -> Points:
        """Returns the points in ``window`` (slices for k, j, i)."""
        return Points(self.x[:, :, window[2]], self.y[:, window[1]], self.z[window[0]])


class Shape(Protocol):
    """A body in the patient."""

    @property
    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """Two corners (mm) of a box that holds the body."""

    def distance(self, points: Points) -> np.ndarray:
        """Returns the distance to the surface in mm, negative inside, array ``(k, j, i)`` of float32."""


def unit(vector: Vector | np.ndarray) -> np.ndarray:
    """Returns the vector at length 1."""
    array = np.asarray(vector, dtype=np.float64)
    return array / np.linalg.norm(array)


def frame(long_axis: Vector, towards: Vector) -> np.ndarray:
    """Returns three unit vectors as rows: one near ``towards`` at a right angle to the second, ``long_axis``."""
    w = unit(long_axis)
    u = unit(np.asarray(towards) - w * np.dot(w, towards))
    return np.stack([u, np.cross(w, u), w])


def along(points: Points, axis: np.ndarray, centre: np.ndarray) -> np.ndarray:
    """Returns the coordinate of points along ``axis``, counted from ``centre``."""
    x, y, z = (np.float32(a) for a in axis)
    offset = np.float32(np.dot(axis, centre))
    return points.x * x + (points.y * y + (points.z * z - offset))


def ellipsoid_distance(coordinates: tuple[np.ndarray, ...], radii: tuple[float, ...]) -> np.ndarray:
    """Returns the distance to an ellipse or ellipsoid, first order: (k - 1) k / |grad|, where k is 1 on the surface."""
    scaled = [c * np.float32(1 / r) for c, r in zip(coordinates, radii, strict=True)]
    # the floors keep the quotient right at the very centre, where level and slope both vanish
    level = np.maximum(np.sqrt(sum((s * s for s in scaled[1:]), scaled[0] * scaled[0])), np.float32(1e-4))
    steep = [s * np.float32(1 / r) for s, r in zip(scaled, radii, strict=True)]
    slope = np.sqrt(sum((s * s for s in steep[1:]), steep[0] * steep[0]))
    return level * (level - 1) / np.maximum(slope, np.float32(1e-4 / min(radii)))


@dataclass(frozen=True)
class Ellipsoid:
    """An ellipsoid.

    Attributes:
        centre: mm.
        radii: half axes in mm.
        axes: unit vectors of the half axes as rows.
    """

    centre: Vector
    radii: Vector
    axes: np.ndarray | None = None

    @cached_property
    def rotation(self) -> np.ndarray:
        """Unit vectors of the half axes as rows."""
        return np.eye(3) if self.axes is None else self.axes

    @property
    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """Two corners (mm) of the box around the ellipsoid."""
        reach = np.sqrt(((self.rotation * np.array(self.radii)[:, None]) ** 2).sum(axis=0))
        return np.array(self.centre) - reach, np.array(self.centre) + reach

    def distance(self, points: Points) -> np.ndarray:
        """See `Shape`."""
        centre = np.array(self.centre)
        return ellipsoid_distance(tuple(along(points, axis, centre) for axis in self.rotation), self.radii)


@dataclass(frozen=True)
class Tube:
    """A round tube along a line through points, with a radius at each.

    Attributes:
        path: array ``(n, 3)`` in mm.
        radii: array ``(n,)`` in mm.
    """

    path: np.ndarray
    radii: np.ndarray

    @property
    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """Two corners (mm) of the box around the tube."""
        reach = self.radii[:, None]
        return (self.path - reach).min(axis=0), (self.path + reach).max(axis=0)

    def distance(self, points: Points) -> np.ndarray:
        """See `Shape`. More than 4 mm outside the tube the distance is only known to be large."""
        far = np.float32(4.0)
        nearest = np.full(points.shape, far, dtype=np.float32)
        for start, end, r0, r1 in zip(self.path, self.path[1:], self.radii, self.radii[1:], strict=False):
            reach = max(r0, r1) + far
            window = points.window(np.minimum(start, end) - reach, np.maximum(start, end) + reach)
            part = points.part(window)
            if 0 in part.shape:
                continue
            np.minimum(nearest[window], _capsule_distance(part, start, end, r0, r1), out=nearest[window])
        return nearest


def _capsule_distance(points: Points, start: np.ndarray, end: np.ndarray, r0: float, r1: float) -> np.ndarray:
    step = end - start
    length = max(float(np.linalg.norm(step)), 1e-6)
    run = np.clip(along(points, step / length**2, start), 0, 1)
    square = np.zeros(points.shape, dtype=np.float32)
    for axis, coordinate in enumerate((points.x, points.y, points.z)):
        offset = coordinate - np.float32(start[axis]) - run * np.float32(step[axis])
        square += offset * offset
    return np.sqrt(square) - (np.float32(r0) + run * np.float32(r1 - r0))


def curve(points: list[Vector] | np.ndarray, radii: list[float] | float, step: float = 6.0) -> Tube:
    """Returns a tube along a smooth (Catmull-Rom) line through ``points``, cut into pieces of about ``step`` mm."""
    knots = np.asarray(points, dtype=np.float64)
    widths = np.broadcast_to(np.asarray(radii, dtype=np.float64), (len(knots),))
    table = np.column_stack([knots, widths])
    padded = np.vstack([2 * table[0] - table[1], table, 2 * table[-1] - table[-2]])
    rows = []
    for i in range(len(knots) - 1):
        pieces = max(int(np.linalg.norm(knots[i + 1] - knots[i]) / step), 1)
        t = np.arange(pieces)[:, None] / pieces
        p0, p1, p2, p3 = padded[i : i + 4]
        rows.append(
            0.5 * (2 * p1 + (p2 - p0) * t + (2 * p0 - 5 * p1 + 4 * p2 - p3) * t**2 + (3 * p1 - p0 - 3 * p2 + p3) * t**3)
        )
    rows.append(table[-1:])
    line = np.vstack(rows)
    return Tube(line[:, :3], line[:, 3])


@dataclass(frozen=True)
class Joined:
    """Several bodies as one, their joints filled with a fillet.

    Attributes:
        parts: the bodies.
        fillet: width of the fillet in mm.
    """

    parts: tuple[Shape, ...]
    fillet: float = 8.0

    @property
    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """Two corners (mm) of the box around all parts."""
        corners = [part.bounds for part in self.parts]
        return np.min([c[0] for c in corners], axis=0), np.max([c[1] for c in corners], axis=0)

    def distance(self, points: Points) -> np.ndarray:
        """See `Shape`."""
        total = self.parts[0].distance(points)
        for part in self.parts[1:]:
            total = -_smooth_maximum(-total, -part.distance(points), self.fillet)
        return total


@dataclass(frozen=True)
class Trimmed:
    """A body held inside others and cut out by others, edges rounded.

    Attributes:
        body: the body.
        inside: it keeps ``margin`` mm inside these.
        without: these are cut out of it.
        margin: mm.
        rounding: radius of the new edges in mm.
    """

    body: Shape
    inside: tuple[Shape, ...] = ()
    without: tuple[Shape, ...] = ()
    margin: float = 0.0
    rounding: float = 3.0

    @property
    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """Two corners (mm) of the box around the body."""
        return self.body.bounds

    def distance(self, points: Points) -> np.ndarray:
        """See `Shape`."""
        total = self.body.distance(points)
        for other in self.inside:
            total = _smooth_maximum(total, other.distance(points) + np.float32(self.margin), self.rounding)
        for other in self.without:
            total = _smooth_maximum(total, -other.distance(points), self.rounding)
        return total


def _smooth_maximum(a: np.ndarray, b: np.ndarray, width: float) -> np.ndarray:
    """Returns the maximum, raised by at most a quarter of ``width`` where both are nearly equal."""
    blend = np.maximum(np.float32(width) - np.abs(a - b), 0)
    return np.maximum(a, b) + blend * blend * np.float32(0.25 / width)
