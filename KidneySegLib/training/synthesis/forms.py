"""Forms of lesions on a patch: from real shapes, and made ones."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

from KidneySegLib.geometry.boxes import Box, box_around
from KidneySegLib.geometry.rotation import rotation
from KidneySegLib.training.augmentation.contrast import smooth_noise
from KidneySegLib.training.augmentation.filters import box_mean
from KidneySegLib.training.synthesis.shapes import LesionShape
from KidneySegLib.training.synthesis.textures import Form


@dataclass(frozen=True)
class Placed:
    """A form at its place.

    Attributes:
        form: on the box alone.
        box: slices for k, j, i of the patch.
        centre: of the lesion in patch voxels ``(k, j, i)``.
    """

    form: Form
    box: Box
    centre: np.ndarray


def whole(shape: Sequence[int]) -> Box:
    """Returns the box of a whole patch."""
    k, j, i = (slice(0, n) for n in shape)
    return k, j, i


def offsets(box: Box, centre: np.ndarray, spacing: Sequence[float]) -> torch.Tensor:
    """Returns the vectors in mm from ``centre`` to the voxels of ``box``, ``(k, j, i, 3)``, last axis along k, j, i."""
    axes = [
        (torch.arange(b.start, b.stop, dtype=torch.float32) - float(c)) * s
        for b, c, s in zip(box, centre, spacing, strict=True)
    ]
    return torch.stack(torch.meshgrid(*axes, indexing="ij"), dim=-1)


def place_shape(
    shape: LesionShape,
    centre: np.ndarray,
    radius_mm: float,
    patch: Sequence[int],
    spacing: tuple[float, float, float],
    rng: np.random.Generator,
) -> Placed:
    """Puts a real shape, scaled to ``radius_mm`` and turned at random, with its middle at ``centre``."""
    scale = radius_mm / shape.radius_mm
    reach = scale * float(np.linalg.norm(np.array(shape.mask.shape) * shape.spacing)) / 2
    box = box_around(centre, reach, spacing, patch)
    turn = rotation(rng.uniform(-180, 180, 3))
    share = take(shape.mask[None], offsets(box, centre, spacing), turn * scale, shape.spacing)[0]
    return Placed(Form(_sharpen(share), radius_mm, spacing), box, centre)


def place_ball(
    centre: np.ndarray,
    radius_mm: float,
    patch: Sequence[int],
    spacing: tuple[float, float, float],
    rng: np.random.Generator,
) -> Placed:
    """Puts a bumpy, slightly stretched ball at ``centre``."""
    box = box_around(centre, 1.5 * radius_mm + spacing[0], spacing, patch)
    stretch = torch.tensor(np.exp(rng.uniform(-0.15, 0.15, 3)), dtype=torch.float32)
    vectors = offsets(box, centre, spacing) @ torch.from_numpy(rotation(rng.uniform(-180, 180, 3))).float()
    distance = (vectors / stretch).norm(dim=-1)
    bumps = rng.uniform(0, 0.12) * radius_mm * smooth_noise(distance.shape, max(3.0, radius_mm / spacing[0]), rng)
    share = ((radius_mm + bumps - distance) / spacing[0] + 0.5).clamp(0, 1)
    return Placed(Form(share, radius_mm, spacing), box, centre)


def take(
    masks: np.ndarray, vectors: torch.Tensor, matrix: np.ndarray, spacing: tuple[float, float, float]
) -> torch.Tensor:
    """Reads masks, turned and scaled about their middle, at places given in mm.

    Args:
        masks: ``(channels, k, j, i)``.
        vectors: places relative to the middle, mm, ``(k, j, i, 3)``.
        matrix: 3x3, from the masks' own mm to those of ``vectors``, axes k, j, i.
        spacing: of the masks.

    Returns:
        Shares 0..1, ``(channels, k, j, i)``.
    """
    inverse = np.linalg.inv(matrix) / np.array(spacing)[:, None]
    size = torch.tensor(masks.shape[1:], dtype=torch.float32)
    voxels = vectors @ torch.from_numpy(inverse.T).float()
    grid = (voxels * 2 / size).flip(-1)[None]
    source = torch.from_numpy(masks.astype(np.float32))[None]
    return functional.grid_sample(source, grid, mode="bilinear", padding_mode="zeros", align_corners=False)[0]


def _sharpen(share: torch.Tensor) -> torch.Tensor:
    """A border about a voxel wide, whatever the shape's own grid was."""
    return ((box_mean(share, 3) - 0.5) * 2.5 + 0.5).clamp(0, 1)
