"""A kidney on a coarse grid, with its hull and the depth of every place below its surface.

Blocks of about 2 mm are averaged: that takes most of the noise away and makes everything after it fast.
"""

from dataclasses import dataclass

import numpy as np

from KidneySegLib.geometry.blocks import block_means
from KidneySegLib.geometry.boxes import Box

BLOCK_MM = 2.0
# The sinus opens by 15 to 30 mm at the hilum; closing by half of that covers it.
SINUS_OPENING_MM = 15.0


@dataclass(frozen=True)
class CoarseKidney:
    """One kidney on blocks of the scan's grid; all arrays ``(k, j, i)``.

    Attributes:
        box: part of the scan's grid that the blocks cover.
        steps: voxels per block along k, j, i.
        spacing: of the blocks along k, j, i in mm.
        share: how much of each block is kidney (lesions and stones included), 0 to 1.
        hull: the kidney with its sinus.
        depth: distance to the surface of the hull in mm, 0 outside.
    """

    box: Box
    steps: tuple[int, int, int]
    spacing: tuple[float, float, float]
    share: np.ndarray
    hull: np.ndarray
    depth: np.ndarray

    def coarse(self, fine: np.ndarray) -> np.ndarray:
        """Returns an array on the scan's grid within ``box`` as means of blocks, float32."""
        return block_means(fine, self.steps)

    def fine(self, coarse: np.ndarray) -> np.ndarray:
        """Returns an array on the blocks as one on the scan's grid within ``box``."""
        for axis, step in enumerate(self.steps):
            coarse = np.repeat(coarse, step, axis=axis)
        k, j, i = (part.stop - part.start for part in self.box)
        return coarse[:k, :j, :i]


def coarse_kidney(mask: np.ndarray, box: Box, spacing: tuple[float, float, float]) -> CoarseKidney:
    """Brings one kidney to blocks.

    Args:
        mask: bool ``(k, j, i)`` on the scan's grid, within ``box``.
        box: the kidney's bounding box and a margin.
        spacing: mm along k, j, i.
    """
    steps = tuple(max(1, round(BLOCK_MM / axis)) for axis in spacing)
    sizes = tuple(step * axis for step, axis in zip(steps, spacing, strict=True))
    share = block_means(mask, steps)
    hull, margin = _closed(share >= 0.5, sizes)
    depth = _distance(~hull, sizes)
    inner = tuple(slice(before, size - after) for (before, after), size in zip(margin, hull.shape, strict=True))
    return CoarseKidney(box, steps, sizes, share, hull[inner], depth[inner])  # type: ignore[arg-type]


def _closed(mask: np.ndarray, spacing: tuple[float, ...]) -> tuple[np.ndarray, list[tuple[int, int]]]:
    """Returns ``mask`` closed with a ball, on an array that was enlarged by the returned margins.

    Beyond the array the kidney goes on as it ends there: where the image cuts it there is no surface.
    """
    margin = [(cells, cells) for cells in (int(np.ceil(SINUS_OPENING_MM / axis)) + 2 for axis in spacing)]
    mask = np.pad(mask, margin, mode="edge")
    if not mask.any():
        return mask, margin
    outside = _distance(mask, spacing) > SINUS_OPENING_MM
    return mask | (_distance(outside, spacing) > SINUS_OPENING_MM), margin


def _distance(mask: np.ndarray, spacing: tuple[float, ...]) -> np.ndarray:
    """Returns the distance in mm of every cell to the nearest one in ``mask``, inf where there is none."""
    import SimpleITK as sitk

    if not mask.any():
        return np.full(mask.shape, np.inf, np.float32)
    image = sitk.GetImageFromArray(mask.astype(np.uint8))
    image.SetSpacing(spacing[::-1])
    signed = sitk.SignedMaurerDistanceMap(image, insideIsPositive=False, squaredDistance=False, useImageSpacing=True)
    return np.maximum(sitk.GetArrayFromImage(signed), 0)
