"""Spatial augmentation: one random affine and elastic map from a patch into an exam, sampled once."""

import math

import numpy as np
import torch
from torch.nn import functional

from KidneySegLib.bundles.declaration import Share
from KidneySegLib.datasets.labelled_exam import LabelledExam
from KidneySegLib.geometry.rotation import rotation
from KidneySegLib.hounsfield import OUTSIDE
from KidneySegLib.training.augmentation.filters import neighbour_mean
from KidneySegLib.training.augmentation.patch import Patch
from KidneySegLib.training.declared import Declared, Factor, NotNegative

# Coarse control points of the elastic field lie this many millimetres apart.
_ELASTIC_SPACING_MM = 36.0


class Spatial(Declared):
    """How far geometry is varied; slices are turned, stretched and bent in their plane alone.

    Attributes:
        rotation: degrees about each axis, both ways.
        scale: common factor of size, from 1/scale to scale.
        stretch: extra factor per axis.
        elastic: probability of an elastic displacement.
        elastic_mm: its standard deviation, at most.
    """

    rotation: NotNegative = 20.0
    scale: Factor = 1.35
    stretch: Factor = 1.12
    elastic: Share = 0.6
    elastic_mm: NotNegative = 5.0


def sample(
    exam: LabelledExam,
    centre: np.ndarray,
    patch: tuple[int, int, int],
    spacing: tuple[float, float, float],
    *,
    mirror: bool,
    ranges: Spatial | None,
    rng: np.random.Generator,
) -> Patch:
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
        matrix = matrix @ _affine(ranges, rng, flat=patch[0] == 1)
        if rng.random() < ranges.elastic:
            shift = _elastic(patch, spacing, rng.uniform(0, ranges.elastic_mm), rng)
    axes = [torch.arange(n, dtype=torch.float32).sub((n - 1) / 2).mul(s) for n, s in zip(patch, spacing, strict=True)]
    points = torch.stack(torch.meshgrid(*axes, indexing="ij"), dim=-1)
    if shift is not None:
        points = points + shift
    to_store = torch.from_numpy((matrix.T / np.array(exam.spacing)).astype(np.float32))
    voxels = points @ to_store + torch.from_numpy(centre.astype(np.float32))
    return _take(exam, voxels, spacing)


def _affine(ranges: Spatial, rng: np.random.Generator, *, flat: bool) -> np.ndarray:
    """Returns the linear part of the map; of a slice (``flat``), k stays what it is."""
    scale = ranges.scale ** rng.uniform(-1, 1)
    size, angles = np.ones(3), np.zeros(3)
    size[flat:] = scale * ranges.stretch ** rng.uniform(-1, 1, 3 - flat)
    # Most patients lie straight: angles are drawn from a normal law within the range.
    turns = 1 if flat else 3  # a slice turns about k
    angles[:turns] = np.clip(rng.normal(0, ranges.rotation / 2, turns), -ranges.rotation, ranges.rotation)
    return rotation(angles) @ np.diag(1 / size)


def _elastic(
    patch: tuple[int, int, int], spacing: tuple[float, float, float], amplitude: float, rng: np.random.Generator
) -> torch.Tensor:
    """Returns smooth displacements in mm, ``(k, j, i, 3)``, last axis along k, j, i."""
    lengths = [n * s for n, s in zip(patch, spacing, strict=True)]
    coarse = [max(4, math.ceil(length / _ELASTIC_SPACING_MM) + 2) for length in lengths]
    doubled = [2 * c for c in coarse]
    if patch[0] == 1:
        coarse[0] = doubled[0] = 1
    noise = torch.from_numpy(rng.normal(0, amplitude, (1, 3, *coarse)).astype(np.float32))
    if patch[0] == 1:
        noise[:, 0] = 0  # a slice stays in its plane
    # Two rounds of interpolation are smooth enough and much cheaper than a full-size Gaussian.
    middle = functional.interpolate(noise, size=doubled, mode="trilinear", align_corners=False)
    middle = neighbour_mean(middle)
    fine = functional.interpolate(middle, size=list(patch), mode="trilinear", align_corners=False)
    return fine[0].permute(1, 2, 3, 0)


def _take(exam: LabelledExam, voxels: torch.Tensor, spacing: tuple[float, float, float]) -> Patch:
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

    # Zero padding stands for air outside the exam, hence the offset.
    maps = [crop(exam.hu, -OUTSIDE), crop(exam.organ), crop(exam.parenchyma), crop(exam.depth)]
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
    return Patch(hu + OUTSIDE, organ, mass, cyst, parenchyma, depth, regions, spacing, exam.thickness)
