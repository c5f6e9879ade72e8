"""Textures of real solid masses, to fill synthetic ones with.

Made textures look like nothing that a scanner shows; real masses are few. So the inside of every real mass of the
training exams is kept relative to its kidneys' parenchyma and laid, turned and scaled, into other forms.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy import ndimage
from torch.nn import functional

from KidneySegLib.datasets.labelled_exam import LabelledExam
from KidneySegLib.geometry.rotation import rotation
from KidneySegLib.hounsfield import UNENHANCED_KIDNEY

ENHANCED_BY_HU = 25.0
_LEAST_ML = 2.0
_SOLID = 3
# Of the mass, at least this deep below its border: what partial volume has not touched.
_SKIN_MM = 1.5


@dataclass(frozen=True, eq=False)
class RealTexture:
    """The inside of one real mass.

    Attributes:
        values: float32 ``(k, j, i)``: for enhanced scans the share of the parenchyma's enhancement, else HU above the
            mass's own median; beyond the mass its values go on.
        spacing: mm along k, j, i.
        enhanced: whether the scan was made with contrast medium.
    """

    values: np.ndarray
    spacing: tuple[float, float, float]
    enhanced: bool


def real_textures(exams: Sequence[LabelledExam]) -> tuple[RealTexture, ...]:
    """Returns the textures of all solid masses of the exams that are large enough."""
    found = []
    for exam in exams:
        kidney = exam.parenchyma > 0
        if not (exam.lesions == _SOLID).any() or not kidney.any():
            continue
        level = float(np.median(exam.hu[kidney]))
        pieces, count = ndimage.label(exam.lesions == _SOLID)
        for number, box in enumerate(ndimage.find_objects(pieces, count), start=1):
            mask = pieces[box] == number
            if mask.sum() * np.prod(exam.spacing) / 1000 >= _LEAST_ML:
                found.append(_texture(exam.hu[box].astype(np.float32), mask, exam.spacing, level))
    return tuple(found)


def _texture(hu: np.ndarray, mask: np.ndarray, spacing: tuple[float, float, float], level: float) -> RealTexture:
    depth = ndimage.distance_transform_edt(np.pad(mask, 1), sampling=spacing)[1:-1, 1:-1, 1:-1]
    inside = depth > min(_SKIN_MM, 0.5 * float(depth.max()))
    nearest = ndimage.distance_transform_edt(~inside, sampling=spacing, return_distances=False, return_indices=True)
    filled = hu[tuple(nearest)]
    enhancement = level - UNENHANCED_KIDNEY
    enhanced = enhancement > ENHANCED_BY_HU
    values = (filled - UNENHANCED_KIDNEY) / enhancement if enhanced else filled - np.median(hu[inside])
    return RealTexture(values.astype(np.float32), spacing, enhanced)


def lay(
    texture: RealTexture, shape: Sequence[int], spacing: tuple[float, float, float], rng: np.random.Generator
) -> torch.Tensor:
    """Returns the texture's values over ``shape`` (k, j, i), turned and scaled at random, mirrored at its ends."""
    matrix = rotation(rng.uniform(-180, 180, 3)) * rng.uniform(0.7, 1.6)
    size = np.array(texture.values.shape)
    axes = [(torch.arange(n, dtype=torch.float32) - (n - 1) / 2) * s for n, s in zip(shape, spacing, strict=True)]
    points = torch.stack(torch.meshgrid(*axes, indexing="ij"), dim=-1)
    voxels = points @ torch.from_numpy((matrix.T / np.array(texture.spacing)).astype(np.float32))
    voxels = voxels + torch.from_numpy((rng.uniform(0.3, 0.7, 3) * size).astype(np.float32))
    grid = (voxels * torch.from_numpy((2 / size).astype(np.float32)) - 1).flip(-1)[None]
    source = torch.from_numpy(texture.values)[None, None]
    return functional.grid_sample(source, grid, mode="bilinear", padding_mode="reflection", align_corners=False)[0, 0]
