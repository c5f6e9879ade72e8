"""Draws augmented slices. Number ``n`` depends only on the recipe's seed and on ``n``: a run resumes exactly."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy import ndimage
from torch.nn import functional
from torch.utils.data import Dataset

from KidneySegLib.datasets.slices import LabelledSlice
from KidneySegLib.datasets.tissue import kidney_depth, tissue_regions
from KidneySegLib.hounsfield import OUTSIDE
from KidneySegLib.inference.window_channels import window_channels
from KidneySegLib.training.augmentation.contrast import ContrastRanges, change_contrast, smooth_noise
from KidneySegLib.training.augmentation.spatial import Sampled
from KidneySegLib.training.slice_recipes import SliceRanges, SliceRecipe

_ELASTIC_SPACING_MM = 40.0
# How far the middle of the image is moved at random, as a share of the patch.
_SHIFT = 0.08
# The maps for contrast synthesis are made slice by slice, as if the next slices were far away.
_SLICE_MM = 8.0


@dataclass(frozen=True, eq=False)
class _Source:
    """A slice with the maps that contrast synthesis needs, uint8 ``(j, i)``; see ``tissue``."""

    item: LabelledSlice
    depth: np.ndarray
    regions: np.ndarray

    @classmethod
    def of(cls, item: LabelledSlice) -> _Source:
        spacing = (_SLICE_MM, *item.spacing)
        hu, organ = item.hu[None].astype(np.float32), item.organ[None].astype(np.uint8)
        depth = kidney_depth(organ, spacing) if item.organ.any() else np.zeros_like(organ)
        return cls(item, depth[0], tissue_regions(hu, organ, spacing)[0])


class SlicePatches(Dataset[tuple[torch.Tensor, torch.Tensor]]):
    """An endless list of augmented slices: image ``(1, j, i)`` in 0..1 and target ``(1, j, i)`` in {0, 1}."""

    def __init__(self, recipe: SliceRecipe, slices: Sequence[LabelledSlice]) -> None:
        """Takes the recipe and its slices; at least one of them shows a kidney."""
        self.recipe = recipe
        self.shown = _by_patient([item for item in slices if item.organ.any()])
        self.empty = _by_patient([item for item in slices if not item.organ.any()])

    def __len__(self) -> int:
        """Number of slices of the whole schedule."""
        return self.recipe.schedule.steps * self.recipe.schedule.batch

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Returns slice number ``index``."""
        hu, organ = self.draw(index)
        return window_channels(hu[None], self.recipe.stage)[:, 0], (organ >= 0.5).float()[None]

    def draw(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Returns HU and organ share ``(j, i)`` of slice number ``index``."""
        rng = np.random.default_rng((self.recipe.schedule.seed, index))
        without = self.empty and rng.random() < self.recipe.ranges.without_kidney
        source = _choose(self.empty if without else self.shown, rng)
        sampled = _sample(source, self.recipe, rng)
        hu = change_contrast(sampled, ContrastRanges(self.recipe.ranges.contrast), rng)[1]
        if rng.random() < self.recipe.ranges.dilated:
            hu = _dilate(hu, sampled, rng)
        hu, organ = _remove(hu, sampled.organ[0], self.recipe.ranges.removed, rng)
        return _acquire(hu, self.recipe.ranges, rng), organ


def _by_patient(slices: Sequence[LabelledSlice]) -> list[list[_Source]]:
    patients: dict[str, list[_Source]] = {}
    for item in slices:
        patients.setdefault(item.patient, []).append(_Source.of(item))
    return list(patients.values())


def _choose(patients: list[list[_Source]], rng: np.random.Generator) -> _Source:
    """Draws a slice. A patient counts by the square root of its slices: neighbours are alike, but not the same."""
    weights = np.sqrt([len(patient) for patient in patients])
    patient = patients[int(rng.choice(len(patients), p=weights / weights.sum()))]
    return patient[int(rng.integers(len(patient)))]


def _dilate(hu: torch.Tensor, sampled: Sampled, rng: np.random.Generator) -> torch.Tensor:
    """Fills the deep part of the kidneys with urine, which stays kidney: a dilated collecting system."""
    border = rng.uniform(6, 15) + 3 * smooth_noise(sampled.depth.shape, 6, rng)[1]
    share = torch.sigmoid((sampled.depth[1] - border) / 1.2) * (sampled.organ[1] > 0.5)
    return hu + (rng.uniform(-4, 16) - hu) * share


def _remove(
    hu: torch.Tensor, organ: torch.Tensor, probability: float, rng: np.random.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """Fills some kidneys with fat, as after a nephrectomy: there need not be two kidneys in a slice, or any."""
    pieces, count = ndimage.label(organ.numpy() >= 0.5)
    gone = [piece for piece in range(1, count + 1) if rng.random() < probability]
    if not gone:
        return hu, organ
    share = torch.from_numpy(ndimage.binary_dilation(np.isin(pieces, gone), iterations=2).astype(np.float32))
    share = functional.avg_pool2d(share[None], 3, stride=1, padding=1)[0]
    fat = torch.from_numpy(rng.normal(rng.uniform(-115, -85), 12, hu.shape).astype(np.float32))
    return hu + (fat - hu) * share, organ * (share == 0)


def _sample(source: _Source, recipe: SliceRecipe, rng: np.random.Generator) -> Sampled:
    """Samples a slice through one random affine and elastic map; HU are air outside it.

    The maps hold the slice three times ``(3, j, i)``: contrast synthesis works on volumes and smooths along k.
    """
    item = source.item
    ranges, patch, spacing = recipe.ranges, recipe.stage.patch[1:], recipe.stage.spacing[1:]
    size = ranges.scale ** rng.uniform(-1, 1) * ranges.stretch ** rng.uniform(-1, 1, 2)
    # Most patients lie straight: angles are drawn from a normal law within the range.
    angle = math.radians(float(np.clip(rng.normal(0, ranges.rotation / 2), -ranges.rotation, ranges.rotation)))
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    mirror = np.diag([1.0, -1.0 if rng.random() < ranges.mirror else 1.0])
    matrix = mirror @ turn @ np.diag(1 / size)
    axes = [torch.arange(n, dtype=torch.float32).sub((n - 1) / 2).mul(s) for n, s in zip(patch, spacing, strict=True)]
    points = torch.stack(torch.meshgrid(*axes, indexing="ij"), dim=-1)
    if rng.random() < 0.5:
        points = points + _elastic(patch, spacing, rng.uniform(0, ranges.elastic_mm), rng)
    shift = rng.uniform(-_SHIFT, _SHIFT, 2) * np.array(patch) * np.array(spacing)
    extent = np.array(item.hu.shape) * np.array(item.spacing)
    to_grid = torch.from_numpy((matrix.T * (2 / extent)).astype(np.float32))
    grid = (points + torch.from_numpy(shift.astype(np.float32))) @ to_grid
    grid = grid.flip(-1)[None]
    # Zero padding stands for air outside the slice, hence the offset.
    maps = np.stack([item.hu - OUTSIDE, item.organ, item.parenchyma, source.depth]).astype(np.float32)
    hu, organ, parenchyma, depth = functional.grid_sample(
        torch.from_numpy(maps)[None], grid, padding_mode="zeros", align_corners=False
    )[0][:, None].expand(-1, 3, -1, -1)
    numbers = torch.from_numpy(source.regions.astype(np.float32))[None, None]
    regions = functional.grid_sample(numbers, grid, mode="nearest", padding_mode="zeros", align_corners=False)[
        0
    ].expand(3, -1, -1)
    none = torch.zeros_like(organ)
    return Sampled(hu + OUTSIDE, organ, none, none, parenchyma, depth, regions)


def _elastic(
    patch: Sequence[int], spacing: Sequence[float], amplitude: float, rng: np.random.Generator
) -> torch.Tensor:
    """Returns smooth displacements in mm, ``(j, i, 2)``, last axis along j, i."""
    coarse = [math.ceil(n * s / _ELASTIC_SPACING_MM) + 2 for n, s in zip(patch, spacing, strict=True)]
    noise = torch.from_numpy(rng.normal(0, amplitude, (1, 2, *coarse)).astype(np.float32))
    fine = functional.interpolate(noise, size=list(patch), mode="bicubic", align_corners=False)
    return fine[0].permute(1, 2, 0)


def _acquire(hu: torch.Tensor, ranges: SliceRanges, rng: np.random.Generator) -> torch.Tensor:
    """Images a slice anew: kernel, noise, calibration, display window."""
    if rng.random() < 0.3:
        smooth = functional.avg_pool2d(hu[None], 3, stride=1, padding=1, count_include_pad=False)[0]
        hu = hu + (smooth - hu) * rng.uniform(-0.8, 1.0)
    noise = torch.from_numpy(rng.standard_normal(hu.shape, dtype=np.float32))
    if rng.random() < 0.5:  # correlated, as reconstruction kernels make it
        noise = functional.avg_pool2d(noise[None], 3, stride=1, padding=1)[0] * 2
    hu = hu + noise * (ranges.noise * rng.uniform(0, 1) ** 2)
    if rng.random() < 0.5:
        hu = 40 + (hu - 40) * rng.uniform(0.8, 1.2) + rng.uniform(-30, 30)
    if rng.random() < 0.5:  # a window of unknown ends that is taken for the usual one
        low, high = rng.uniform(-240, -20), rng.uniform(120, 450)
        step = (high - low) / rng.integers(60, 256)
        hu = ((hu.clamp(low, high) - low) / step).round() * step
        hu = hu / (high - low) * rng.uniform(380, 420) - rng.uniform(150, 170)
    return hu
