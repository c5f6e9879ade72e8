"""Simple lesions for the organ networks: a kidney with a cyst or mass in or on it is still one organ."""

from __future__ import annotations

import numpy as np
import torch

from KidneySegLib.training.contrast import smooth_noise
from KidneySegLib.training.spatial import Sampled


def add_lesions(
    sampled: Sampled, hu: torch.Tensor, spacing: tuple[float, float, float], rng: np.random.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """Grows up to three round lesions at random places of the kidney's surface.

    Returns:
        HU and organ share ``(k, j, i)`` with the lesions in both.
    """
    organ = sampled.organ
    candidates = torch.nonzero((organ > 0.5) & (sampled.depth < 10))
    if candidates.shape[0] < 50:
        return hu, organ
    kidney = organ > 0.5
    parenchyma = float(hu[kidney].median())
    for _ in range(int(rng.integers(1, 4))):
        centre = candidates[int(rng.integers(candidates.shape[0]))]
        radius = float(np.exp(rng.uniform(np.log(4), np.log(22))))
        share = _blob(hu.shape, centre, radius, spacing, rng)
        # Lesions grow in the kidney and into fat. If they replaced muscle or liver, the network would learn that any
        # round piece of muscle at a kidney's border is kidney (seen: psoas and liver taken for kidney).
        share = torch.where(organ > 0.5, share, share * ((-20 - hu) / 40).clamp(0, 1) * (hu > -400))
        if rng.random() < 0.6:
            content = torch.full_like(hu, float(rng.uniform(-8, 28)))
        else:
            enhancing = rng.uniform(25, max(60.0, 0.9 * parenchyma))
            content = enhancing + rng.uniform(0, 25) * smooth_noise(hu.shape, rng.uniform(4, 10), rng)
        grain = torch.from_numpy(rng.normal(0, rng.uniform(3, 15), hu.shape).astype(np.float32))
        hu = hu + (content + grain - hu) * share
        organ = torch.maximum(organ, share)
    return hu, organ


def _blob(
    shape: torch.Size,
    centre: torch.Tensor,
    radius: float,
    spacing: tuple[float, float, float],
    rng: np.random.Generator,
) -> torch.Tensor:
    """Returns the share 0..1 of a bumpy ball, ``(k, j, i)``; the border is as soft as the grid."""
    axes = [
        ((torch.arange(n) - int(c)) * s * float(rng.uniform(0.85, 1.18))) ** 2
        for n, c, s in zip(shape, centre, spacing, strict=True)
    ]
    distance = (axes[0][:, None, None] + axes[1][None, :, None] + axes[2][None, None, :]).sqrt()
    bumps = rng.uniform(0, 0.15) * radius * smooth_noise(shape, max(3.0, radius / spacing[0]), rng)
    return ((radius + bumps - distance) / spacing[0] + 0.5).clamp(0, 1)
