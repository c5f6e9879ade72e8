"""Augmentation of the acquisition: what scanners, protocols and exports do to an image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

from KidneySegLib.hounsfield import OUTSIDE


@dataclass(frozen=True)
class AcquisitionRanges:
    """How far acquisition varies.

    Attributes:
        noise: standard deviation of added noise in HU, at most.
        slice_mm: thickest slice that is simulated.
        cut: probability that the field of view ends inside the patch.
    """

    noise: float = 35.0
    slice_mm: float = 6.0
    cut: float = 0.3


def acquire(
    hu: torch.Tensor,
    targets: torch.Tensor,
    spacing: tuple[float, float, float],
    thickness: float,
    ranges: AcquisitionRanges,
    rng: np.random.Generator,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Images a patch anew.

    Args:
        hu: ``(k, j, i)``.
        targets: shares of the structures ``(outputs, k, j, i)``.
        spacing: of the patch, mm along k, j, i.
        thickness: slice thickness that the exam already has, mm.
        ranges: how far acquisition varies.
        rng: source of all randomness.

    Returns:
        HU and shares; the latter change only where the field of view was cut.
    """
    if rng.random() < 0.25:
        hu = _blur(hu, rng)
    elif rng.random() < 0.2:
        hu = hu + rng.uniform(0.2, 1.0) * (hu - _blur(hu, rng))
    hu = _add_noise(hu, ranges.noise, rng)
    if thickness < 2.5 and rng.random() < 0.45:
        hu = _thicken(hu, int(round(rng.uniform(2 * spacing[0], ranges.slice_mm) / spacing[0])), rng)
    if rng.random() < 0.5:
        hu = 40 + (hu - 40) * rng.uniform(0.85, 1.18) + rng.uniform(-15, 15)
    hu = _window(hu, rng)
    if rng.random() < ranges.cut:
        hu, targets = _cut(hu, targets, rng)
    return hu, targets


def _blur(hu: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    """A soft kernel: in-plane box filter mixed with the image."""
    smooth = functional.avg_pool2d(hu[None], 3, stride=1, padding=1, count_include_pad=False)[0]
    return hu + (smooth - hu) * rng.uniform(0.3, 1)


def _add_noise(hu: torch.Tensor, limit: float, rng: np.random.Generator) -> torch.Tensor:
    """Adds noise, correlated in plane half of the time as reconstruction kernels make it."""
    level = limit * rng.uniform(0, 1) ** 2
    noise = torch.from_numpy(rng.standard_normal(hu.shape, dtype=np.float32))
    if rng.random() < 0.5:
        noise = functional.avg_pool2d(noise[None], 3, stride=1, padding=1)[0] * 3
        level *= 0.7
    return hu + noise * level


def _thicken(hu: torch.Tensor, count: int, rng: np.random.Generator) -> torch.Tensor:
    """Averages ``count`` neighbours along k, keeps every ``count``-th and interpolates back."""
    if count < 2:
        return hu
    offset = int(rng.integers(count))
    padded = functional.pad(hu[None, None], (0, 0, 0, 0, offset, count), mode="replicate")
    slices = functional.avg_pool3d(padded, (count, 1, 1))
    back = functional.interpolate(
        slices, size=(slices.shape[2] * count, *hu.shape[1:]), mode="trilinear", align_corners=False
    )
    return back[0, 0, offset : offset + hu.shape[0]]


def _window(hu: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    """Sometimes clips to a display window and rounds to its grey levels, as exported 8-bit images are."""
    if rng.random() >= 0.4:
        return hu
    low, high = rng.uniform(-220, 0), rng.uniform(150, 420)
    step = (high - low) / rng.integers(60, 256)
    return torch.where(hu > OUTSIDE + 200, (hu.clamp(low, high) / step).round() * step, hu)


def _cut(hu: torch.Tensor, targets: torch.Tensor, rng: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """Ends the field of view inside the patch: mostly at the head or feet, sometimes at a flank.

    Some cuts leave a thin slab anywhere. Scans that end above the kidneys show liver and spleen alone, which a network
    that always saw a kidney beside them takes for kidneys.
    """
    hu, targets = hu.clone(), targets.clone()
    axis = int(rng.choice([0, 1, 2], p=[0.8, 0.1, 0.1]))
    size = hu.shape[axis]
    if axis == 0 and rng.random() < 0.5:
        kept = rng.uniform(0.1, 0.5) * size
        lower = int(rng.uniform(0, size - kept))
        upper = size - lower - int(kept)
    else:
        ends = rng.integers(1, 4) if axis == 0 else rng.integers(1, 3)
        lower, upper = (int(rng.uniform(0.05, 0.45) * size) if ends & end else 0 for end in (1, 2))
    for start, depth in ((0, lower), (size - upper, upper)):
        hu.narrow(axis, start, depth).fill_(OUTSIDE)
        targets.narrow(axis - 3, start, depth).zero_()
    return hu, targets
