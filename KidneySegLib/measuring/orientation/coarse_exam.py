"""An exam on a grid of about 4 mm, on which large anatomy is looked at cheaply.

All arrays are ``(k, j, i)`` in canonical order: k to what the header calls head, j to its back, i to its left.
"""

from dataclasses import dataclass

import numpy as np

from KidneySegLib.hounsfield import BLURRED_BODY, BONE_MEAN, FAT_SEEN, SOFT_TISSUE
from KidneySegLib.volume import Volume

COARSE_MM = 4.0
# Voxels are picked at this distance (along k, j, i), then averaged: noise goes, and long thin scans stay cheap.
PICK_MM = (4.0, 2.0, 2.0)

# Gaps between abdominal wall and organs that are filled with fat or gas.
GAP_MM = 16.0
# Clothes, table and skin folds are thinner.
THIN_MM = 8.0


@dataclass(frozen=True, eq=False)
class CoarseExam:
    """The exam on a coarse grid.

    Attributes:
        hu: mean HU of each cell, float32.
        spacing: mm along k, j, i.
        known: cells that hold a kidney or a lesion that was outlined; they are neither bone nor liver.
        kidneys: cells of label 1 and of label 2.
        body: the trunk without table and arms that lie apart.
        fat_visible: whether fat can be told from air.
        lowest: lowest HU in the image.
        highest: highest HU in the image.
    """

    hu: np.ndarray
    spacing: tuple[float, float, float]
    known: np.ndarray
    kidneys: tuple[np.ndarray, np.ndarray]
    body: np.ndarray
    fat_visible: bool
    lowest: float
    highest: float

    @property
    def bone(self) -> np.ndarray:
        """Cells of the body as dense as bone, without what was outlined."""
        # an export with a display window ends below the density of compact bone
        return (self.hu > min(BONE_MEAN, 0.85 * self.highest)) & self.body & ~self.known


def coarse_exam(canonical: Volume, labels: np.ndarray) -> CoarseExam:
    """Brings an exam onto a grid of about 4 mm.

    Args:
        canonical: the image in HU in canonical order.
        labels: label map ``(k, j, i)`` on the same grid.
    """
    picks = [max(1, int(mm / s)) for mm, s in zip(PICK_MM, canonical.spacing[::-1], strict=True)]
    picked = tuple(slice(None, None, step) for step in picks)
    fine = [step * s for step, s in zip(picks, canonical.spacing[::-1], strict=True)]
    voxels = canonical.voxels[picked]
    blocks = [min(n, max(1, round(COARSE_MM / s))) for n, s in zip(voxels.shape, fine, strict=True)]
    hu = _block_means(voxels, blocks)
    # organs are many cells large: the first voxel of a block tells its label
    outlined = labels[picked][tuple(slice(0, n * size, size) for n, size in zip(hu.shape, blocks, strict=True))]
    spacing = (fine[0] * blocks[0], fine[1] * blocks[1], fine[2] * blocks[2])
    lowest, highest = float(voxels.min()), float(voxels.max())
    return CoarseExam(
        hu=hu,
        spacing=spacing,
        known=outlined > 0,
        kidneys=(outlined == 1, outlined == 2),
        body=_body(hu, spacing, lowest),
        fat_visible=lowest < FAT_SEEN,
        lowest=lowest,
        highest=highest,
    )


def _block_means(array: np.ndarray, size: list[int]) -> np.ndarray:
    """Returns the means of blocks as float32; what fills no block at the ends is left out."""
    counts = [n // s for n, s in zip(array.shape, size, strict=True)]
    result = array[tuple(slice(0, c * s) for c, s in zip(counts, size, strict=True))].astype(np.float32)
    for axis in (2, 1, 0):
        shape = (*result.shape[:axis], counts[axis], size[axis], *result.shape[axis + 1 :])
        result = result.reshape(shape).mean(axis=axis + 1)
    return result


def _body(hu: np.ndarray, spacing: tuple[float, float, float], lowest: float) -> np.ndarray:
    """Returns the trunk: what is denser than air, without thin things, its gaps closed slice by slice."""
    import cc3d
    from scipy.ndimage import binary_fill_holes, binary_opening

    # where the window was cut off above fat the skin cannot be told from air, only muscle and organs
    threshold = SOFT_TISSUE if lowest >= FAT_SEEN else max(BLURRED_BODY, lowest + 25)
    width = [1, *(max(1, 2 * round(THIN_MM / s / 2) + 1) for s in spacing[1:])]
    solid = binary_opening(hu > threshold, np.ones(width, bool))
    closed = np.stack([binary_fill_holes(_closed(plane, spacing[1:])) for plane in solid])
    pieces = cc3d.connected_components(closed, connectivity=6)
    sizes = np.bincount(pieces.ravel())
    sizes[0] = 0
    return np.asarray(pieces == sizes.argmax()) if sizes.any() else closed


def _closed(plane: np.ndarray, spacing: tuple[float, ...]) -> np.ndarray:
    """Returns a slice's mask with gaps narrower than twice ``GAP_MM`` closed."""
    from scipy.ndimage import distance_transform_edt

    if not plane.any():
        return plane
    margin = int(GAP_MM / min(spacing)) + 1
    padded = np.pad(plane, margin)
    grown = distance_transform_edt(~padded, sampling=spacing) <= GAP_MM
    shrunk = distance_transform_edt(grown, sampling=spacing) > GAP_MM
    return plane | shrunk[margin:-margin, margin:-margin]
