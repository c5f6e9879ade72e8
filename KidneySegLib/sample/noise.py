"""Smooth random fields in patient space: uneven borders and the texture of tissue."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from KidneySegLib.sample.shapes import Points, Shape

# Standard deviation of a cubic B-spline field with unit-variance coefficients, averaged over a cell: 151/315 is the
# mean of the basis functions' summed squares along one axis.
_FIELD_DEVIATION = (151 / 315) ** 1.5


@dataclass(frozen=True)
class SmoothField:
    """A cubic B-spline field with random coefficients: mean 0, variance about 1, smooth over ``grain`` mm.

    The value at a point of the patient does not depend on the grid at which it is asked.

    Attributes:
        coefficients: array over z, y, x.
        low: place of the first coefficient, mm (x, y, z).
        grain: distance between coefficients in mm.
    """

    coefficients: np.ndarray
    low: np.ndarray
    grain: float

    @classmethod
    def random(cls, rng: np.random.Generator, grain: float, bounds: tuple[np.ndarray, np.ndarray]) -> SmoothField:
        """Draws a field that covers the box ``bounds`` (two corners in mm)."""
        low = bounds[0] - 2 * grain
        count = np.ceil((bounds[1] - low) / grain).astype(int) + 3
        values = rng.standard_normal(tuple(count[::-1]), dtype=np.float32) / np.float32(_FIELD_DEVIATION)
        return cls(values, low, grain)

    def __call__(self, points: Points) -> np.ndarray:
        """Returns the field at ``points``, array ``(k, j, i)`` of float32."""
        weights, windows = [], []
        for axis, coordinate in enumerate((points.x, points.y, points.z)):
            basis, window = self._basis(coordinate.ravel(), axis)
            weights.append(basis)
            windows.append(window)
        values = self.coefficients[windows[2], windows[1], windows[0]]
        values = np.tensordot(weights[2], values, axes=1)
        values = np.matmul(weights[1], values)
        return np.matmul(values, weights[0].T)

    def _basis(self, coordinate: np.ndarray, axis: int) -> tuple[np.ndarray, slice]:
        count = self.coefficients.shape[2 - axis]
        place = np.clip((coordinate - self.low[axis]) / self.grain, 1, count - 3)
        cell = np.minimum(np.floor(place).astype(int), count - 3)
        t = (place - cell).astype(np.float32)
        first = int(cell.min()) - 1
        basis = np.zeros((coordinate.size, int(cell.max()) + 3 - first), dtype=np.float32)
        rows = np.arange(coordinate.size)
        pieces = ((1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, -3 * t**3 + 3 * t**2 + 3 * t + 1, t**3)
        for offset, piece in enumerate(pieces):
            basis[rows, cell - 1 - first + offset] = piece / 6
        return basis, slice(first, first + basis.shape[1])


@dataclass(frozen=True)
class Uneven:
    """A body whose surface is pushed in and out by a random field.

    Attributes:
        body: the body.
        field: the field.
        amplitude: standard deviation of the push in mm.
    """

    body: Shape
    field: SmoothField
    amplitude: float

    @property
    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """Two corners (mm) of a box around the body at its largest."""
        low, high = self.body.bounds
        return low - 3 * self.amplitude, high + 3 * self.amplitude

    def distance(self, points: Points) -> np.ndarray:
        """See `Shape`."""
        return self.body.distance(points) + np.float32(self.amplitude) * self.field(points)
