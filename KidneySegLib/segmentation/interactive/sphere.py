"""Directions around a point, spread evenly, and functions on them: one distance for each direction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

COUNT = 256
# Every direction is bound to so many around it.
NEIGHBOURS = 6
# A change between neighbours is followed for so many steps in one pass.
WINDOW = 4
# Cells of the table from which distances in any direction are read: along the polar angle and around the axis.
POLAR, AROUND = 48, 96


@dataclass(frozen=True)
class Sphere:
    """Directions and how they lie to each other.

    Attributes:
        directions: unit vectors ``(COUNT, 3)`` in mm along k, j, i.
        neighbours: indices of the nearest directions, ``(COUNT, NEIGHBOURS)``.
        back: the place of a direction among the neighbours of its neighbour, -1 if it is none, ``(COUNT, NEIGHBOURS)``.
        cells: the four nearest directions of each cell of the table, ``(POLAR, AROUND, 4)``.
        weights: their weights, which add up to 1, ``(POLAR, AROUND, 4)``.
    """

    directions: np.ndarray
    neighbours: np.ndarray
    back: np.ndarray
    cells: np.ndarray
    weights: np.ndarray

    def nearest(self, direction: np.ndarray, count: int) -> np.ndarray:
        """Returns the indices of the directions nearest to one, a vector ``(3,)`` of any length but 0."""
        return np.argsort(self.directions @ -direction, kind="stable")[:count]

    def towards(self, distances: np.ndarray, offsets: Sequence[np.ndarray]) -> np.ndarray:
        """Returns the distance in the direction of points.

        Args:
            distances: one of each direction, ``(COUNT,)``.
            offsets: mm along k, j, i from the centre to the points, three arrays that broadcast.
        """
        z, y, x = offsets
        polar = np.arctan2(np.hypot(y, x), z) * (POLAR / np.pi)
        around = np.arctan2(y, x) * (AROUND / (2 * np.pi)) % AROUND
        table = (distances[self.cells] * self.weights).sum(axis=2).astype(np.float32)
        cell = np.minimum(polar.astype(np.intp), POLAR - 1) * AROUND + np.minimum(around.astype(np.intp), AROUND - 1)
        return table.ravel()[cell]

    def smooth_choice(self, cost: np.ndarray, stiffness: float, passes: int) -> np.ndarray:
        """Chooses one step for each direction: cheap ones, and alike for neighbours.

        Min-sum belief propagation on the graph of neighbours; a change by n steps between neighbours costs
        ``stiffness * n ** 2``.

        Args:
            cost: float32 ``(COUNT, steps)``.
            stiffness: see above.
            passes: of messages between neighbours.

        Returns:
            The step of each direction, float ``(COUNT,)``, between steps where the cost says so.
        """
        steps = cost.shape[1]
        penalty = (stiffness * np.arange(-WINDOW, WINDOW + 1) ** 2).astype(np.float32)
        messages = np.zeros((COUNT, NEIGHBOURS, steps), np.float32)
        known = (self.back >= 0)[..., None]
        back = np.maximum(self.back, 0)
        for number in range(passes):
            sent = (cost + messages.sum(axis=1))[self.neighbours] - np.where(known, messages[self.neighbours, back], 0)
            wide = np.pad(sent, ((0, 0), (0, 0), (WINDOW, WINDOW)), constant_values=np.inf)
            new = wide[..., :steps] + penalty[0]
            for shift in range(1, 2 * WINDOW + 1):
                np.minimum(new, wide[..., shift : shift + steps] + penalty[shift], out=new)
            new -= new.min(axis=2, keepdims=True)
            messages = (messages + new) / 2 if number else new
        total = cost + messages.sum(axis=1)
        best = total.argmin(axis=1)
        inner = np.clip(best, 1, steps - 2)
        before, at, after = (total[np.arange(COUNT), inner + shift] for shift in (-1, 0, 1))
        bend = before - 2 * at + after
        part = np.where((best == inner) & (bend > 1e-6), (before - after) / 2 / np.maximum(bend, 1e-6), 0)
        return best + np.clip(part, -0.5, 0.5)


@cache
def sphere() -> Sphere:
    """Returns the directions: a Fibonacci lattice."""
    from scipy.spatial import cKDTree

    height = 1 - (2 * np.arange(COUNT) + 1) / COUNT
    turn = np.pi * (1 + np.sqrt(5)) * (np.arange(COUNT) + 0.5)
    directions = _vectors(np.arccos(height), turn)
    tree = cKDTree(directions)
    neighbours = tree.query(directions, NEIGHBOURS + 1)[1][:, 1:]
    mutual = neighbours[neighbours] == np.arange(COUNT)[:, None, None]
    back = np.where(mutual.any(axis=2), mutual.argmax(axis=2), -1)
    polar, around = np.meshgrid(
        (np.arange(POLAR) + 0.5) * np.pi / POLAR, (np.arange(AROUND) + 0.5) * 2 * np.pi / AROUND, indexing="ij"
    )
    apart, cells = tree.query(_vectors(polar, around), 4)
    weights = 1 / (apart + 0.03) ** 2
    return Sphere(directions, neighbours, back, cells, weights / weights.sum(axis=2, keepdims=True))


def _vectors(polar: np.ndarray, around: np.ndarray) -> np.ndarray:
    """Returns unit vectors ``(..., 3)`` along k, j, i."""
    return np.stack([np.cos(polar), np.sin(polar) * np.sin(around), np.sin(polar) * np.cos(around)], axis=-1)
