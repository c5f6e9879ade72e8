"""What lesions are made of: HU inside cysts and solid masses, by contrast phase.

The ranges follow the radiology of renal masses (Silverman et al., Radiology 2019, Bosniak classification 2019; Young et
al., Radiology 2013, enhancement of renal cell carcinomas by phase). They are wide on purpose, as they are meant to
cover scanners and protocols, not to describe them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

from KidneySegLib.bundles.declaration import Share
from KidneySegLib.hounsfield import UNENHANCED_KIDNEY
from KidneySegLib.training.augmentation.contrast import smooth_noise
from KidneySegLib.training.augmentation.filters import box_mean
from KidneySegLib.training.declared import Declared, Range, Shares
from KidneySegLib.training.synthesis.real_textures import ENHANCED_BY_HU, RealTexture, lay

# Necrosis becomes certain, as far as its range allows, in a mass of this radius.
_NECROTIC_MM = 40.0


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


class CystTexture(Declared):
    """What cysts are made of.

    Attributes:
        simple: share with the density of water; the others are dense (blood, protein).
        wall: probability of a wall that can be seen.
        septa: probability of septa.
        calcified: probability of calcium.
        calcium_in_wall: probability that it lies in the wall, not inside.
    """

    simple: Share = 0.86
    wall: Share = 0.2
    septa: Share = 0.07
    calcified: Share = 0.08
    calcium_in_wall: Share = 0.7

    def fill(self, form: Form, parenchyma: float, rng: np.random.Generator) -> torch.Tensor:
        """Returns fluid in HU ``(k, j, i)``.

        Args:
            form: the lesion.
            parenchyma: HU of the kidney around it.
            rng: source of all randomness.
        """
        shape = form.share.shape
        kind = rng.random()
        level = rng.uniform(-6, 20) if kind < self.simple else rng.uniform(28, 85)
        if form.radius_mm < 6 and parenchyma > UNENHANCED_KIDNEY + ENHANCED_BY_HU:
            level += rng.uniform(0, 15)  # pseudo-enhancement of small cysts in a bright kidney
        content = level + rng.uniform(0, 3) * smooth_noise(shape, 6, rng)
        if rng.random() < self.wall:
            content = content + (rng.uniform(0.3, 0.9) * max(parenchyma, 40) - level) * form.shell()
        if rng.random() < self.septa:
            septa = torch.exp(-((smooth_noise(shape, 8, rng) / 0.12) ** 2))
            content = content + rng.uniform(10, 45) * septa
        return _calcified(content, form, self.calcium_in_wall, rng) if rng.random() < self.calcified else content


class MassTexture(Declared):
    """What solid masses are made of.

    Attributes:
        real: share filled with the texture of a real mass, where there is one of the same phase.
        kinds: shares that enhance like clear cell and papillary carcinoma, like oncocytoma, and more than parenchyma.
        necrosis: lowest and highest probability of necrosis; it grows with the radius.
        fat: probability of fat.
        rim: probability of a border that differs.
        calcified: probability of calcium.
        calcium_in_wall: probability that it lies in the wall, not inside.
    """

    real: Share = 0.5
    kinds: Shares = (0.42, 0.33, 0.15, 0.10)
    necrosis: Range = (0.1, 0.85)
    fat: Share = 0.07
    rim: Share = 0.15
    calcified: Share = 0.07
    calcium_in_wall: Share = 0.7

    def fill(
        self, form: Form, parenchyma: float, rng: np.random.Generator, real: Sequence[RealTexture] = ()
    ) -> torch.Tensor:
        """Returns solid tissue in HU ``(k, j, i)``: it enhances by kind and phase.

        Args:
            form: the lesion.
            parenchyma: HU of the kidney around it; tells the phase.
            rng: source of all randomness.
            real: textures of real masses.
        """
        shape = form.share.shape
        enhancement = parenchyma - UNENHANCED_KIDNEY
        alike = [texture for texture in real if texture.enhanced == (enhancement >= ENHANCED_BY_HU)]
        if alike and rng.random() < self.real:
            values = lay(alike[int(rng.integers(len(alike)))], shape, form.spacing, rng)
            if enhancement >= ENHANCED_BY_HU:
                return UNENHANCED_KIDNEY + values * enhancement * rng.uniform(0.7, 1.25)
            return rng.uniform(24, 52) + values * rng.uniform(0.6, 1.3)
        level, unrest = self._level(enhancement, rng)
        content = level + unrest * smooth_noise(shape, rng.uniform(2.5, 8), rng)
        content = content + 0.5 * unrest * smooth_noise(shape, rng.uniform(8, 20), rng)
        if rng.random() < np.clip(form.radius_mm / _NECROTIC_MM, *self.necrosis):
            core = form.depth() * rng.uniform(0.5, 1.5) + rng.uniform(0.2, 0.7) * smooth_noise(shape, 7, rng)
            dead = torch.sigmoid((core - rng.uniform(0.3, 1.0)) * rng.uniform(4, 14))
            content = content + (rng.uniform(4, 28) - content) * dead
        if rng.random() < self.fat:
            fatty = torch.sigmoid((smooth_noise(shape, rng.uniform(3, 8), rng) - rng.uniform(-0.2, 0.8)) * 8)
            content = content + (rng.uniform(-95, -25) - content) * fatty
        if rng.random() < self.rim:
            content = content + rng.uniform(-25, 25) * form.shell()
        return _calcified(content, form, self.calcium_in_wall, rng) if rng.random() < self.calcified else content

    def _level(self, enhancement: float, rng: np.random.Generator) -> tuple[float, float]:
        """Returns mean HU and how uneven they are."""
        if enhancement < ENHANCED_BY_HU:
            return rng.uniform(22, 52), rng.uniform(1, 7)
        low, high, least, most = [
            (0.3, 0.85, 0.15, 0.45),
            (0.06, 0.45, 0.02, 0.1),
            (0.5, 0.9, 0.02, 0.1),
            (0.95, 1.35, 0.1, 0.35),
        ][int(rng.choice(4, p=list(self.kinds)))]
        level = UNENHANCED_KIDNEY + rng.uniform(low, high) * enhancement
        return level, rng.uniform(least, most) * enhancement


def _calcified(content: torch.Tensor, form: Form, in_wall: float, rng: np.random.Generator) -> torch.Tensor:
    """Adds arcs of calcium in the wall or crumbs inside."""
    spots = torch.sigmoid((smooth_noise(form.share.shape, rng.uniform(4, 9), rng) - rng.uniform(1.0, 1.8)) * 10)
    place = form.shell() if rng.random() < in_wall else 1.0
    return content + rng.uniform(80, 500) * spots * place
