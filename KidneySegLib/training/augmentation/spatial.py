"""Spatial augmentation: one random affine and elastic map from a patch into an exam, sampled once."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

from KidneySegLib.datasets.exams import Exam

# Coarse control points of the elastic field lie this many millimetres apart.
_ELASTIC_SPACING_MM = 36.0


@dataclass(frozen=True)
class SpatialRanges:
    """How far geometry is varied.

    Attributes:
        rotation: degrees about each axis, both ways.
        scale: common factor of size, from 1/scale to scale.
        stretch: extra factor per axis.
        elastic: standard deviation of the elastic displacement in mm, at most.
    """

    rotation: float = 20.0
    scale: float = 1.35
    stretch: float = 1.12
    elastic: float = 5.0


@dataclass
class Sampled:
    """An exam's maps on a patch; float tensors ``(k, j, i)``.

    Attributes:
        hu: HU, -1024 outside the exam.
        organ: share of the voxel that is kidney, 0..1.
        mass: share that is solid mass, 0..1.
        cyst: share that is cyst, 0..1.
        parenchyma: share that contrast medium enhances, 0..1.
        depth: mm below the kidney's surface.
        regions: numbers of the tissue regions (whole numbers).
    """

    hu: torch.Tensor
    organ: torch.Tensor
    mass: torch.Tensor
    cyst: torch.Tensor
    parenchyma: torch.Tensor
    depth: torch.Tensor
    regions: torch.Tensor


def rotation(degrees: np.ndarray) -> np.ndarray:
    """Returns the rotation matrix about axes 0, 1, 2 in this order."""
    matrix = np.eye(3)
    for axis, angle in enumerate(np.radians(degrees)):
        first, second = [a for a in range(3) if a != axis]
        turn = np.eye(3)
        turn[first, first] = turn[second, second] = math.cos(angle)
        turn[first, second], turn[second, first] = -math.sin(angle), math.sin(angle)
        matrix = turn @ matrix
    return matrix


def sample(
    exam: Exam,
    centre: np.ndarray,
    patch: tuple[int, int, int],
    spacing: tuple[float, float, float],
    *,
    mirror: bool,
    ranges: SpatialRanges | None,
    rng: np.random.Generator,
) -> Sampled:
    """Samples a patch around ``centre``.

    Args:
        exam: where from.
        centre: of the patch, in store voxels ``(k, j, i)``.
        patch: voxels along k, j, i.
        spacing: of the patch in mm along k, j, i.
        mirror: whether patient left and right are exchanged.
        ranges: how much geometry varies; None samples straight.
        rng: source of all randomness.

    Returns:
        The exam's maps on the patch.
    """
    matrix = np.diag([1.0, 1.0, -1.0 if mirror else 1.0])
    shift = None
    if ranges is not None:
        size = ranges.scale ** rng.uniform(-1, 1) * ranges.stretch ** rng.uniform(-1, 1, 3)
        # Most patients lie straight: angles are drawn from a normal law within the range.
        angles = np.clip(rng.normal(0, ranges.rotation / 2, 3), -ranges.rotation, ranges.rotation)
        matrix = matrix @ rotation(angles) @ np.diag(1 / size)
        if rng.random() < 0.6:
            shift = _elastic(patch, spacing, rng.uniform(0, ranges.elastic), rng)
    axes = [torch.arange(n, dtype=torch.float32).sub((n - 1) / 2).mul(s) for n, s in zip(patch, spacing, strict=True)]
    points = torch.stack(torch.meshgrid(*axes, indexing="ij"), dim=-1)
    if shift is not None:
        points = points + shift
    to_store = torch.from_numpy((matrix.T / np.array(exam.spacing)).astype(np.float32))
    voxels = points @ to_store + torch.from_numpy(centre.astype(np.float32))
    return _take(exam, voxels)


def _elastic(
    patch: tuple[int, int, int], spacing: tuple[float, float, float], amplitude: float, rng: np.random.Generator
) -> torch.Tensor:
    """Returns smooth displacements in mm, ``(k, j, i, 3)``, last axis along k, j, i."""
    coarse = [max(4, math.ceil(n * s / _ELASTIC_SPACING_MM) + 2) for n, s in zip(patch, spacing, strict=True)]
    noise = torch.from_numpy(rng.normal(0, amplitude, (1, 3, *coarse)).astype(np.float32))
    # Two rounds of interpolation are smooth enough and much cheaper than a full-size Gaussian.
    middle = functional.interpolate(noise, size=[2 * c for c in coarse], mode="trilinear", align_corners=False)
    middle = functional.avg_pool3d(middle, 3, stride=1, padding=1, count_include_pad=False)
    fine = functional.interpolate(middle, size=list(patch), mode="trilinear", align_corners=False)
    return fine[0].permute(1, 2, 3, 0)


def _take(exam: Exam, voxels: torch.Tensor) -> Sampled:
    """Reads the exam's maps at continuous store voxels ``(k, j, i, 3)``; only the needed part is converted."""
    lower = voxels.reshape(-1, 3).amin(0).floor().int().tolist()
    upper = voxels.reshape(-1, 3).amax(0).ceil().int().tolist()
    box = tuple(
        slice(min(max(low, 0), n - 1), max(min(up + 1, n), min(max(low, 0), n - 1) + 1))
        for low, up, n in zip(lower, upper, exam.hu.shape, strict=True)
    )
    size = torch.tensor([b.stop - b.start for b in box], dtype=torch.float32)
    start = torch.tensor([b.start for b in box], dtype=torch.float32)
    grid = ((voxels - start + 0.5) * (2 / size) - 1).flip(-1)[None]

    def crop(array: np.ndarray, offset: float = 0.0) -> torch.Tensor:
        return torch.from_numpy(array[box].astype(np.float32)).add_(offset)[None]

    # Zero padding stands for air outside the exam, hence the offset of 1024 HU.
    maps = [crop(exam.hu, 1024), crop(exam.organ), crop(exam.parenchyma), crop(exam.depth)]
    diseased = bool(exam.lesions[box].any())
    if diseased:
        maps += [crop(exam.lesions == value) for value in (3, 4)]
    smooth = torch.stack(maps, dim=1)
    values = functional.grid_sample(smooth, grid, mode="bilinear", padding_mode="zeros", align_corners=False)[0]
    regions = functional.grid_sample(
        crop(exam.regions)[None], grid, mode="nearest", padding_mode="zeros", align_corners=False
    )[0, 0]
    hu, organ, parenchyma, depth = values[:4]
    mass, cyst = (values[4], values[5]) if diseased else (torch.zeros_like(hu), torch.zeros_like(hu))
    return Sampled(hu - 1024, organ, mass, cyst, parenchyma, depth, regions)
