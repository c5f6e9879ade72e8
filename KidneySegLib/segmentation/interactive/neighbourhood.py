"""What lies around a click, on a grid that is coarse enough to answer at once.

Nodes are blocks of whole voxels, about cubes; a node's value is their mean, which also lowers the noise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from KidneySegLib.geometry.blocks import block_means
from KidneySegLib.geometry.boxes import Box, box_around
from KidneySegLib.volume import Volume

# Edges of a node: not finer than 1 mm, and so that the ball has no more nodes than this.
FINEST_MM = 1.0
MOST_NODES = 45_000


@dataclass(frozen=True)
class Neighbourhood:
    """The box around a ball.

    Attributes:
        box: its part of the volume, slices for k, j, i.
        factors: voxels of a node along k, j, i; the last node of an axis may reach beyond the box.
        spacing: mm between nodes along k, j, i.
        values: mean HU of every node, float32 ``(k, j, i)``.
        distance: mm from the click to the centre of every node.
        radius: of the ball in mm.
    """

    box: Box
    factors: tuple[int, int, int]
    spacing: tuple[float, float, float]
    values: np.ndarray
    distance: np.ndarray
    radius: float

    @classmethod
    def around(cls, volume: Volume, centre: np.ndarray, radius_mm: float) -> Neighbourhood:
        """Cuts out the box of a ball.

        Args:
            volume: in HU, axes at right angles.
            centre: of the ball, voxel indices ``(k, j, i)``.
            radius_mm: of the ball.
        """
        spacing = np.array(volume.spacing[::-1])
        edge = max(FINEST_MM, radius_mm * (4 / 3 * np.pi / MOST_NODES) ** (1 / 3))
        factors = np.maximum(1, np.rint(edge / spacing)).astype(int)
        box = box_around(centre, radius_mm, spacing.tolist(), volume.voxels.shape)
        values = block_means(volume.voxels[box], factors)
        squares = (np.square(axis) for axis in _offsets(values.shape, factors.tolist(), box, centre, spacing))
        distance = np.sqrt(sum(squares, start=np.float64(0))).astype(np.float32)
        a, b, c = (int(factor) for factor in factors)
        x, y, z = (float(edge) for edge in spacing * factors)
        return cls(box, (a, b, c), (x, y, z), values, distance, radius_mm)

    @property
    def width(self) -> float:
        """The longest edge of a node in mm."""
        return max(self.spacing)

    def node_of(self, kji: tuple[int, int, int]) -> tuple[int, int, int] | None:
        """Returns the node that holds a voxel ``(k, j, i)`` of the volume, or None if it lies outside the box."""
        if any(not part.start <= at < part.stop for part, at in zip(self.box, kji, strict=True)):
            return None
        k, j, i = ((at - part.start) // f for at, part, f in zip(kji, self.box, self.factors, strict=True))
        return k, j, i

    def offsets(self, volume: Volume, centre: np.ndarray) -> list[np.ndarray]:
        """Returns mm along k, j, i from a place of the volume to the centres of the nodes, three arrays that broadcast.

        Args:
            volume: that the ball was cut from.
            centre: continuous voxel indices ``(k, j, i)``.
        """
        offsets = _offsets(self.values.shape, self.factors, self.box, centre, np.array(volume.spacing[::-1]))
        return [axis.astype(np.float32) for axis in offsets]

    def centres(self, labels: np.ndarray) -> np.ndarray:
        """Returns the label at the centre of every node, from labels ``(k, j, i)`` of the box."""
        middles = [
            np.minimum(np.arange(size) * factor + factor // 2, full - 1)
            for size, factor, full in zip(self.values.shape, self.factors, labels.shape, strict=True)
        ]
        return labels[np.ix_(*middles)]

    def nodes(self, mask: np.ndarray) -> np.ndarray:
        """Returns the nodes, bool ``(k, j, i)``, of which at least half lies in ``mask``, bool, of the box."""
        return block_means(mask, self.factors) >= 0.5

    def on_voxels(self, share: np.ndarray, threshold: float) -> np.ndarray:
        """Returns the voxels of the box, bool ``(k, j, i)``, at which a share of the nodes is above a threshold.

        Between the nodes' centres the share is linear. Only the part that can be above the threshold is looked at.
        """
        mask = np.zeros([part.stop - part.start for part in self.box], bool)
        high = np.argwhere(share > threshold)
        if not len(high):
            return mask
        low = np.maximum(0, high.min(axis=0) - 1)
        nodes = tuple(slice(int(a), int(b) + 2) for a, b in zip(low, high.max(axis=0), strict=True))
        part = share[nodes].astype(np.float32)
        voxels = []
        for axis, (first, factor, size) in enumerate(zip(low, self.factors, mask.shape, strict=True)):
            start, stop = int(first) * factor, min(size, (int(first) + part.shape[axis]) * factor)
            voxels.append(slice(start, stop))
            if factor > 1:
                part = _linear(part, axis, stop - start, factor)
        mask[tuple(voxels)] = part > threshold
        return mask


def _offsets(
    shape: Sequence[int], factors: Sequence[int], box: Box, centre: np.ndarray, spacing: np.ndarray
) -> tuple[np.ndarray, ...]:
    """Returns mm along k, j, i from a centre (voxel indices) to the middles of blocks of voxels of a box."""
    axes = [
        ((np.arange(size) + 0.5) * factor - 0.5 + part.start - at) * step
        for size, factor, part, at, step in zip(shape, factors, box, centre, spacing, strict=True)
    ]
    return np.meshgrid(*axes, indexing="ij", sparse=True)


def _linear(nodes: np.ndarray, axis: int, size: int, factor: int) -> np.ndarray:
    """Interpolates along one axis from block centres to voxels; beyond the outer centres the value stays."""
    place = np.clip((np.arange(size) + 0.5) / factor - 0.5, 0, nodes.shape[axis] - 1)
    low = np.minimum(place.astype(int), max(0, nodes.shape[axis] - 2))
    high = np.minimum(low + 1, nodes.shape[axis] - 1)
    part = (place - low).astype(np.float32).reshape([-1 if a == axis else 1 for a in range(3)])
    return np.take(nodes, low, axis) * (1 - part) + np.take(nodes, high, axis) * part
