"""Paints layers of tissue, one over the other, into a CT and a label map."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from KidneySegLib.sample.noise import SmoothField
from KidneySegLib.sample.shapes import Points, Shape

AIR = -1000.0
# Heights within a slice at which a fine layer is asked for its distance.
HEIGHTS = 4


class Fill(Protocol):
    """What a body is made of."""

    def __call__(self, points: Points, distance: np.ndarray) -> np.ndarray | float:
        """Returns HU at ``points``; ``distance`` (k, j, i) is that to the body's surface in mm."""


@dataclass(frozen=True)
class Even:
    """The same HU everywhere."""

    hu: float

    def __call__(self, points: Points, distance: np.ndarray) -> float:
        """See `Fill`."""
        return self.hu


@dataclass(frozen=True)
class Textured:
    """HU that vary smoothly with a standard deviation of ``amplitude``."""

    hu: float
    amplitude: float
    field: SmoothField

    def __call__(self, points: Points, distance: np.ndarray) -> np.ndarray:
        """See `Fill`."""
        return np.float32(self.hu) + np.float32(self.amplitude) * self.field(points)


@dataclass(frozen=True)
class Shells:
    """Layers from the surface inwards, each starting at a depth in mm: an organ's wall, a bone's cortex."""

    layers: tuple[tuple[float, Fill], ...]

    def __call__(self, points: Points, distance: np.ndarray) -> np.ndarray:
        """See `Fill`."""
        result = np.broadcast_to(np.asarray(self.layers[0][1](points, distance), dtype=np.float32), distance.shape)
        for depth, fill in self.layers[1:]:
            share = coverage(distance + np.float32(depth))
            result = result + share * (fill(points, distance) - result)
        return result


@dataclass(frozen=True)
class Supine:
    """Gas over fluid, as in a hollow organ of a patient who lies on the back; ``level`` is the fluid's y in mm."""

    gas: Fill
    fluid: Fill
    level: float

    def __call__(self, points: Points, distance: np.ndarray) -> np.ndarray:
        """See `Fill`."""
        gas = coverage(points.y - np.float32(self.level))
        fluid = self.fluid(points, distance)
        return fluid + gas * (self.gas(points, distance) - fluid)


@dataclass(frozen=True)
class Stool:
    """Stool: soft matter full of gas bubbles."""

    coarse: SmoothField
    fine: SmoothField

    def __call__(self, points: Points, distance: np.ndarray) -> np.ndarray:
        """See `Fill`."""
        pattern = self.coarse(points) + self.fine(points)
        return np.clip(30 - 300 * (pattern - np.float32(0.9)), -850, 50)


@dataclass(frozen=True)
class Layer:
    """A body painted over all that was painted before.

    Attributes:
        shape: its place.
        fill: its HU; None to change labels only.
        label: label value inside; None to leave the labels as they are.
        fine: whether the thickness of slices is taken into account, by averaging over several heights in each.
    """

    shape: Shape
    fill: Fill | None
    label: int | None = None
    fine: bool = False


def coverage(distance: np.ndarray) -> np.ndarray:
    """Returns the share (0..1) of a voxel of 1 mm that lies inside, from its centre's distance in mm."""
    return np.clip(np.float32(0.5) - distance, 0, 1)


def render(layers: Sequence[Layer], points: Points, thickness: float) -> tuple[np.ndarray, np.ndarray]:
    """Paints the layers in their order.

    Args:
        layers: what to paint.
        points: voxel centres.
        thickness: of the slices in mm.

    Returns:
        HU as float32 and labels as uint8, arrays ``(k, j, i)`` on ``points``.
    """
    image = np.full(points.shape, AIR, dtype=np.float32)
    labels = np.zeros(points.shape, dtype=np.uint8)
    for layer in layers:
        low, high = layer.shape.bounds
        window = points.window(low - 1 - thickness / 2, high + 1 + thickness / 2)
        part = points.part(window)
        if 0 in part.shape:
            continue
        distance = layer.shape.distance(part)
        if layer.label is not None:
            labels[window][distance < 0] = layer.label
        if layer.fill is not None:
            share = _slice_coverage(layer.shape, part, thickness) if layer.fine else coverage(distance)
            image[window] += share * (layer.fill(part, distance) - image[window])
    return image, labels


def _slice_coverage(shape: Shape, points: Points, thickness: float) -> np.ndarray:
    """Returns the share of each voxel inside ``shape``, averaged over the thickness of the slice."""
    heights = ((np.arange(HEIGHTS) + 0.5) / HEIGHTS - 0.5) * thickness
    z = (points.z.reshape(-1, 1) + heights.astype(np.float32)).reshape(-1, 1, 1)
    shares = coverage(shape.distance(Points(points.x, points.y, z)))
    return shares.reshape(len(points.z), HEIGHTS, *shares.shape[1:]).mean(axis=1)
