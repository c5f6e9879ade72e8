"""Draws augmented slices. Number ``n`` depends only on the recipe's seed and on ``n``: a run resumes exactly."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from scipy import ndimage
from torch.nn import functional
from torch.utils.data import Dataset

from KidneySegLib.segmentation.slice_network import AIR, network_input
from KidneySegLib.training.slice_recipes import SliceRanges, SliceRecipe
from KidneySegLib.training.slices import LabelledSlice

_ELASTIC_SPACING_MM = 40.0
# How far the middle of the image is moved at random, as a share of the patch.
_SHIFT = 0.08
# Contrast medium lifts the kidney by up to this many HU; a third of the slices is varied so.
_ENHANCEMENT_HU, _ENHANCED = 120.0, 0.33


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
        image = torch.from_numpy(network_input(hu.numpy(), self.recipe.stage))
        return image[None], (organ >= 0.5).float()[None]

    def draw(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Returns HU and organ share ``(j, i)`` of slice number ``index``."""
        rng = np.random.default_rng((self.recipe.schedule.seed, index))
        without = self.empty and rng.random() < self.recipe.ranges.without_kidney
        item = _choose(self.empty if without else self.shown, rng)
        hu, organ = _sample(item, self.recipe, rng)
        hu, organ = _remove(hu, organ, self.recipe.ranges.removed, rng)
        if rng.random() < _ENHANCED:
            hu = hu + organ * rng.uniform(-15, _ENHANCEMENT_HU)
        return _acquire(hu, self.recipe.ranges, rng), organ


def _by_patient(slices: Sequence[LabelledSlice]) -> list[list[LabelledSlice]]:
    patients: dict[str, list[LabelledSlice]] = {}
    for item in slices:
        patients.setdefault(item.patient, []).append(item)
    return list(patients.values())


def _choose(patients: list[list[LabelledSlice]], rng: np.random.Generator) -> LabelledSlice:
    """Draws a slice. A patient counts by the square root of its slices: neighbours are alike, but not the same."""
    weights = np.sqrt([len(patient) for patient in patients])
    patient = patients[int(rng.choice(len(patients), p=weights / weights.sum()))]
    return patient[int(rng.integers(len(patient)))]


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


def _sample(item: LabelledSlice, recipe: SliceRecipe, rng: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """Samples a slice through one random affine and elastic map; HU are air outside it."""
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
    # Zero padding stands for air outside the slice, hence the offset.
    maps = np.stack([item.hu.astype(np.float32) - AIR, item.organ.astype(np.float32)])
    values = functional.grid_sample(
        torch.from_numpy(maps)[None], grid.flip(-1)[None], padding_mode="zeros", align_corners=False
    )[0]
    return values[0] + AIR, values[1]


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
        low, high = rng.uniform(-220, -60), rng.uniform(160, 420)
        step = (high - low) / rng.integers(60, 256)
        hu = ((hu.clamp(low, high) - low) / step).round() * step
        hu = hu / (high - low) * rng.uniform(380, 420) - rng.uniform(150, 170)
    return hu
