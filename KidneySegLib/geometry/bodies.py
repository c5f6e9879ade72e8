"""Bodies of one structure: from the voxels of a label to lesions that are counted.

Voxels that touch at a face, an edge or a corner belong together; then bodies that only touch are told apart by their
shape (``separation``). What is smaller than a sphere of ``SPECK_MM`` is a speck: it is counted as part of a body within
``SPECK_GAP_MM``, or else left out and only its number told.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from KidneySegLib.geometry.boxes import Box
from KidneySegLib.geometry.separation import separate
from KidneySegLib.volume import Volume

SPECK_MM = 3.0
SPECK_GAP_MM = 2.0


@dataclass(frozen=True)
class Body:
    """One body of voxels.

    Attributes:
        mask: bool ``(k, j, i)``, its bounding box.
        offset: first voxel ``(k, j, i)`` of the mask within the volume.
    """

    mask: np.ndarray
    offset: tuple[int, int, int]

    @property
    def box(self) -> Box:
        """Its place in the volume, slices for k, j, i."""
        k, j, i = (slice(start, start + size) for start, size in zip(self.offset, self.mask.shape, strict=True))
        return k, j, i

    def is_same(self, other: Body) -> bool:
        """Whether it has the same voxels as another body of the same grid, both cut to their bounding boxes."""
        return self.offset == other.offset and np.array_equal(self.mask, other.mask)

    def voxels(self) -> np.ndarray:
        """Returns the indices of its voxels within the volume, ``(n, 3)`` in ``(k, j, i)``."""
        return np.argwhere(self.mask) + self.offset

    def surface(self) -> np.ndarray:
        """Returns the indices of its voxels that have a face on the outside, ``(n, 3)`` in ``(k, j, i)``."""
        return surface(self.mask) + self.offset


def find_bodies(grid: Volume, labels: np.ndarray, label: int, box: Box) -> tuple[list[Body], list[Body]]:
    """Finds the bodies of one label.

    Args:
        grid: a volume on the labels' grid.
        labels: label map, uint8 ``(k, j, i)``.
        label: the structure's value.
        box: the label's bounding box, slices for k, j, i.

    Returns:
        The bodies, and the specks that were left out.
    """
    import cc3d

    pieces = cc3d.connected_components(np.ascontiguousarray(labels[box] == label), connectivity=26)
    start = (box[0].start, box[1].start, box[2].start)
    specks = _join_specks(pieces, grid, start)
    bodies = []
    extents = cc3d.statistics(pieces)["bounding_boxes"]
    for piece in np.unique(pieces[pieces > 0]):
        extent = extents[piece]
        offset = tuple(first + part.start for first, part in zip(start, extent, strict=True))
        for part in separate(pieces[extent] == piece, grid.spacing):
            bodies.append(_trimmed(part, offset))
    return bodies, specks


def connected_bodies(labels: np.ndarray, label: int, box: Box) -> list[Body]:
    """Returns the groups of a label's voxels that touch at a face, an edge or a corner.

    Args:
        labels: label map, uint8 ``(k, j, i)``.
        label: the structure's value.
        box: the label's bounding box, slices for k, j, i.
    """
    import cc3d

    parts = cc3d.connected_components(np.ascontiguousarray(labels[box] == label), connectivity=26)
    bodies = []
    for number, extent in enumerate(cc3d.statistics(parts)["bounding_boxes"][1:], start=1):
        k, j, i = (outer.start + inner.start for outer, inner in zip(box, extent, strict=True))
        bodies.append(Body(parts[extent] == number, (k, j, i)))
    return bodies


def surface(mask: np.ndarray) -> np.ndarray:
    """Returns the indices of the voxels of ``mask`` that have a face on the outside, ``(n, 3)`` in ``(k, j, i)``."""
    padded = np.pad(mask, 1)
    inner = padded.copy()
    for axis in range(3):
        inner &= np.roll(padded, 1, axis) & np.roll(padded, -1, axis)
    return np.argwhere(padded & ~inner) - 1


def _join_specks(pieces: np.ndarray, grid: Volume, start: tuple[int, int, int]) -> list[Body]:
    """Numbers specks in ``pieces`` (changed in place) like the body beside them, or 0; returns those that got 0.

    ``start`` is the first voxel of ``pieces`` within the grid.
    """
    from scipy.spatial import cKDTree

    sizes = np.bincount(pieces.ravel()) * grid.voxel_volume
    small = np.pi / 6 * SPECK_MM**3
    specks = [piece for piece in range(1, sizes.size) if sizes[piece] < small]
    if not specks:
        return []
    large = surface(np.isin(pieces, [piece for piece in range(1, sizes.size) if sizes[piece] >= small]))
    tree = cKDTree(grid.to_lps(large)) if len(large) else None
    left_out = []
    for speck in specks:
        voxels = np.argwhere(pieces == speck)
        distances, nearest = tree.query(grid.to_lps(voxels)) if tree else (np.array([np.inf]), np.array([0]))
        at = int(distances.argmin())
        joined = tree is not None and distances[at] <= SPECK_GAP_MM + max(grid.spacing)
        pieces[tuple(voxels.T)] = pieces[tuple(large[nearest[at]])] if joined else 0
        if not joined:
            low, high = voxels.min(axis=0), voxels.max(axis=0) + 1
            mask = np.zeros(high - low, bool)
            mask[tuple((voxels - low).T)] = True
            k, j, i = (int(n) for n in low + start)
            left_out.append(Body(mask, (k, j, i)))
    return left_out


def _trimmed(mask: np.ndarray, offset: tuple[int, int, int]) -> Body:
    """Returns the body cut to its bounding box."""
    filled = [np.flatnonzero(mask.any(axis=tuple(a for a in range(3) if a != axis))) for axis in range(3)]
    extent = tuple(slice(int(f[0]), int(f[-1]) + 1) for f in filled)
    k, j, i = (start + part.start for start, part in zip(offset, extent, strict=True))
    return Body(mask[extent], (k, j, i))
