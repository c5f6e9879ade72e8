"""What lesions are made of: HU inside cysts and solid masses, by contrast phase.

The ranges follow the radiology of renal masses (Silverman et al., Radiology 2019, Bosniak classification 2019; Young et
al., Radiology 2013, enhancement of renal cell carcinomas by phase). They are wide on purpose, as they shall cover
scanners and protocols, not describe them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

from KidneySegLib.hounsfield import UNENHANCED_KIDNEY
from KidneySegLib.training.augmentation.contrast import smooth_noise
from KidneySegLib.training.augmentation.filters import box_mean
from KidneySegLib.training.synthesis.real_textures import ENHANCED_BY_HU, RealTexture, lay

# How often a mass is filled with the texture of a real one.
_REAL_SHARE = 0.5


@dataclass(frozen=True)
class Form:
    """Where a lesion lies on its part of a patch; tensors ``(k, j, i)``.

    Attributes:
        share: of each voxel that belongs to it, 0..1.
        radius_mm: of the ball of the same volume.
        spacing: mm along k, j, i.
    """

    share: torch.Tensor
    radius_mm: float
    spacing: tuple[float, float, float]

    def depth(self) -> torch.Tensor:
        """Rough depth below the surface, 0 at the border to 1 in the middle of a lesion of this size."""
        # On a grid of about a quarter radius, so that a wide filter stays cheap in a large mass.
        whole = list(self.share.shape)
        cell = max(1, round(0.25 * self.radius_mm / self.spacing[0]))
        coarse = functional.interpolate(self.share[None, None], size=[max(1, n // cell) for n in whole], mode="area")
        coarse = box_mean(coarse[0, 0], 5)[None, None]
        smooth = functional.interpolate(coarse, size=whole, mode="trilinear", align_corners=False)[0, 0]
        return ((smooth - 0.5) * 2).clamp(0, 1)

    def shell(self) -> torch.Tensor:
        """Share of a wall about two voxels thick."""
        inner = box_mean(self.share, 3)
        return (self.share * (1 - inner) * 2.5).clamp(0, 1)


def cyst_texture(form: Form, parenchyma: float, rng: np.random.Generator) -> torch.Tensor:
    """Fluid in HU ``(k, j, i)``: mostly water, at times dense, walled, septated or calcified.

    Args:
        form: the lesion.
        parenchyma: HU of the kidney around it.
        rng: source of all randomness.
    """
    shape = form.share.shape
    kind = rng.random()
    level = rng.uniform(-6, 20) if kind < 0.86 else rng.uniform(28, 85)
    if form.radius_mm < 6 and parenchyma > UNENHANCED_KIDNEY + ENHANCED_BY_HU:
        level += rng.uniform(0, 15)  # pseudo-enhancement of small cysts in a bright kidney
    content = level + rng.uniform(0, 3) * smooth_noise(shape, 6, rng)
    if rng.random() < 0.2:
        content = content + (rng.uniform(0.3, 0.9) * max(parenchyma, 40) - level) * form.shell()
    if rng.random() < 0.07:
        septa = torch.exp(-((smooth_noise(shape, 8, rng) / 0.12) ** 2))
        content = content + rng.uniform(10, 45) * septa
    return _calcified(content, form, rng) if rng.random() < 0.08 else content


def mass_texture(
    form: Form, parenchyma: float, rng: np.random.Generator, real: Sequence[RealTexture] = ()
) -> torch.Tensor:
    """Solid tissue in HU ``(k, j, i)``: enhances by kind and phase, with necrosis, scar, fat and calcification.

    Args:
        form: the lesion.
        parenchyma: HU of the kidney around it; tells the phase.
        rng: source of all randomness.
        real: textures of real masses, taken half of the time.
    """
    shape = form.share.shape
    enhancement = parenchyma - UNENHANCED_KIDNEY
    alike = [texture for texture in real if texture.enhanced == (enhancement >= ENHANCED_BY_HU)]
    if alike and rng.random() < _REAL_SHARE:
        values = lay(alike[int(rng.integers(len(alike)))], shape, form.spacing, rng)
        if enhancement >= ENHANCED_BY_HU:
            return UNENHANCED_KIDNEY + values * enhancement * rng.uniform(0.7, 1.25)
        return rng.uniform(24, 52) + values * rng.uniform(0.6, 1.3)
    if enhancement < ENHANCED_BY_HU:
        level, unrest = rng.uniform(22, 52), rng.uniform(1, 7)
    else:
        kind = rng.choice(4, p=[0.42, 0.33, 0.15, 0.10])  # clear cell, papillary-like, oncocytoma-like, very vascular
        low, high, least, most = [
            (0.3, 0.85, 0.15, 0.45),
            (0.06, 0.45, 0.02, 0.1),
            (0.5, 0.9, 0.02, 0.1),
            (0.95, 1.35, 0.1, 0.35),
        ][int(kind)]
        level = UNENHANCED_KIDNEY + rng.uniform(low, high) * enhancement
        unrest = rng.uniform(least, most) * enhancement
    content = level + unrest * smooth_noise(shape, rng.uniform(2.5, 8), rng)
    content = content + 0.5 * unrest * smooth_noise(shape, rng.uniform(8, 20), rng)
    if rng.random() < np.clip(form.radius_mm / 40, 0.1, 0.85):
        core = form.depth() * rng.uniform(0.5, 1.5) + rng.uniform(0.2, 0.7) * smooth_noise(shape, 7, rng)
        dead = torch.sigmoid((core - rng.uniform(0.3, 1.0)) * rng.uniform(4, 14))
        content = content + (rng.uniform(4, 28) - content) * dead
    if rng.random() < 0.07:
        fatty = torch.sigmoid((smooth_noise(shape, rng.uniform(3, 8), rng) - rng.uniform(-0.2, 0.8)) * 8)
        content = content + (rng.uniform(-95, -25) - content) * fatty
    if rng.random() < 0.15:
        content = content + rng.uniform(-25, 25) * form.shell()
    return _calcified(content, form, rng) if rng.random() < 0.07 else content


def _calcified(content: torch.Tensor, form: Form, rng: np.random.Generator) -> torch.Tensor:
    """Adds arcs of calcium in the wall or crumbs inside."""
    spots = torch.sigmoid((smooth_noise(form.share.shape, rng.uniform(4, 9), rng) - rng.uniform(1.0, 1.8)) * 10)
    place = form.shell() if rng.random() < 0.7 else 1.0
    return content + rng.uniform(80, 500) * spots * place
