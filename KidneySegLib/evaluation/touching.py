"""Stones of slices: how many were touched, as Pérez Martínez et al. (2026) count them."""

from __future__ import annotations

from dataclasses import astuple, dataclass

import numpy as np


@dataclass(frozen=True)
class TouchedStones:
    """Agreement on the stones of one slice, or of several together.

    Attributes:
        both: pixels that are stone in both.
        found: pixels found.
        reference: pixels of the reference.
        stones: connected stones of the reference.
        hit: how many of these were touched by what was found.
        false: connected stones found that touch none of the reference.
    """

    both: int
    found: int
    reference: int
    stones: int
    hit: int
    false: int

    def __add__(self, other: TouchedStones) -> TouchedStones:
        """Takes two together."""
        return TouchedStones(*(a + b for a, b in zip(astuple(self), astuple(other), strict=True)))

    @property
    def dice(self) -> float | None:
        """Dice coefficient; None if there is no stone in either map."""
        pixels = self.found + self.reference
        return 2 * self.both / pixels if pixels else None


def touched_stones(found: np.ndarray, reference: np.ndarray) -> TouchedStones:
    """Compares two bool masks ``(k, j, i)``; voxels that touch at a corner belong to one stone."""
    import cc3d

    both = found & reference
    bodies, stones = cc3d.connected_components(reference, connectivity=26, return_N=True)
    hit = np.unique(bodies[both]).size
    bodies, count = cc3d.connected_components(found, connectivity=26, return_N=True)
    false = count - np.unique(bodies[both]).size
    return TouchedStones(int(both.sum()), int(found.sum()), int(reference.sum()), int(stones), int(hit), int(false))
