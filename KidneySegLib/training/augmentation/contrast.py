"""Synthesis of contrast phases: gives and takes enhancement of kidney, organs and vessels.

Public exams with labels hold few phases. What tells them apart: corticomedullary (about 30 to 70 s after injection),
cortex far above medulla; nephrographic (from about 80 s), parenchyma even; excretory (after some minutes), contrast in
calyces and pelvis. The ranges in HU are wide on purpose: they are meant to cover protocols, not to describe them.
Regions of other soft tissue are enhanced at random, so that brightness alone never tells what is kidney.
"""

import numpy as np
import torch
from torch.nn import functional

from KidneySegLib.bundles.declaration import Share
from KidneySegLib.hounsfield import UNENHANCED_KIDNEY
from KidneySegLib.training.augmentation.filters import neighbour_mean
from KidneySegLib.training.augmentation.patch import Patch, Transform
from KidneySegLib.training.declared import Shares

_PHASES = ("none", "corticomedullary", "nephrographic", "excretory")


class Contrast(Transform):
    """Changes the contrast phase: enhances an unenhanced exam, scales the enhancement of an enhanced one.

    Attributes:
        probability: of any change.
        enhanced_hu: median HU of the parenchyma above which an exam counts as enhanced.
        evened: probability that contrast within an enhanced parenchyma is evened out.
        phases: shares of the phases given to an unenhanced exam: none, corticomedullary, nephrographic, excretory.
        regions: shares of the tissue regions that enhance like muscle, like organs and like vessels.
    """

    probability: Share = 0.7
    enhanced_hu: float = 60.0
    evened: Share = 0.4
    phases: Shares = (0.15, 0.25, 0.45, 0.15)
    regions: Shares = (0.5, 0.35, 0.15)

    def apply(self, patch: Patch, rng: np.random.Generator) -> None:
        """Changes the HU of kidney, masses and other tissue."""
        if rng.random() >= self.probability:
            return
        hu = patch.hu
        kidney = patch.parenchyma > 0.9
        enhanced = bool(kidney.any()) and float(hu[kidney].median()) > self.enhanced_hu
        # Fat takes no contrast: its share fades out between -60 and 0 HU.
        uptake = ((hu + 60) / 60).clamp(0, 1)
        if enhanced:
            hu = _scale_kidney(patch, self.evened, rng)
            strength = rng.uniform(-0.4, 0.5)
        else:
            change, strength = _enhance_kidney(patch.depth, self.phases, rng)
            hu = hu + change * uptake * patch.parenchyma
        patch.hu = hu + _enhance_regions(patch.regions, self.regions, strength, rng) * uptake * (1 - patch.organ)


def smooth_noise(shape: torch.Size, cells: float, rng: np.random.Generator) -> torch.Tensor:
    """Returns smooth noise of about unit range over ``shape``; one bump is about ``cells`` voxels wide."""
    coarse = [max(2, int(n / cells) + 2) for n in shape]
    noise = torch.from_numpy(rng.normal(0, 1, (1, 1, *coarse)).astype(np.float32))
    return functional.interpolate(noise, size=list(shape), mode="trilinear", align_corners=False)[0, 0]


def _scale_kidney(patch: Patch, evened: float, rng: np.random.Generator) -> torch.Tensor:
    """Scales an existing enhancement between almost none and one and a half times, and may even it out."""
    hu, share, base = patch.hu, patch.parenchyma, UNENHANCED_KIDNEY
    factor = rng.uniform(0.1, 1.6)
    new = base + (hu - base) * factor
    if rng.random() < evened:
        # From corticomedullary towards nephrographic: compress the contrast within the parenchyma.
        inside = share > 0.5
        if inside.any():
            level = float(new[inside].median())
            new = torch.where(new > base - 30, level + (new - level) * rng.uniform(0.2, 0.8), new)
    # Only what is enhanced is scaled: fat and fluid below the base keep their values.
    enhanced = ((hu - base + 20) / 20).clamp(0, 1)
    # A mass follows the dose and the phase, but less than the parenchyma does.
    mass = base + (hu - base) * factor ** rng.uniform(0.4, 1.0)
    return hu + (new - hu) * share * enhanced + (mass - hu) * patch.mass * enhanced


def _enhance_kidney(
    depth: torch.Tensor, phases: tuple[float, ...], rng: np.random.Generator
) -> tuple[torch.Tensor, float]:
    """Returns the change in HU inside the parenchyma and how strongly the rest of the body is to follow, 0..1."""
    thick = rng.uniform(13, 22) + 3 * smooth_noise(depth.shape, 12, rng)
    parenchyma = torch.sigmoid((thick - depth) / 1.5)
    phase = rng.choice(_PHASES, p=list(phases))
    sinus = 1 - parenchyma
    if phase == "none":
        return torch.zeros_like(depth), float(rng.uniform(0, 0.3))
    if phase == "corticomedullary":
        cortex_mm = rng.uniform(4, 9) + 3 * smooth_noise(depth.shape, 6, rng)
        cortex = torch.sigmoid((cortex_mm - depth) / 1.0)
        medulla = rng.uniform(0.1, 0.7)
        return rng.uniform(90, 260) * parenchyma * (cortex + medulla * (1 - cortex)), float(rng.uniform(0.3, 1))
    level = rng.uniform(60, 230)
    change = level * parenchyma * (1 + 0.05 * smooth_noise(depth.shape, 8, rng))
    change = change + level * rng.uniform(0, 0.4) * sinus
    if phase == "excretory":
        filled = torch.sigmoid((smooth_noise(depth.shape, 7, rng) - rng.uniform(-0.5, 0.8)) * 6)
        change = change + rng.uniform(100, 900) * sinus * filled
    return change, float(rng.uniform(0.3, 1))


def _enhance_regions(
    regions: torch.Tensor, shares: tuple[float, ...], strength: float, rng: np.random.Generator
) -> torch.Tensor:
    """Returns a change in HU, even within a tissue region: most like muscle, some like organs, a few like vessels."""
    kinds = rng.choice(3, size=256, p=list(shares))
    change = np.choose(kinds, [rng.uniform(-5, 20, 256), rng.uniform(10, 110, 256), rng.uniform(60, 240, 256)])
    change[0] = 0
    # Without contrast medium, organs still differ by a few HU; fluid-filled bowel is darker.
    change = change * strength + rng.normal(0, 6, 256) * (np.arange(256) > 0)
    table = torch.from_numpy(change.astype(np.float32))
    field = table[regions.long()]
    # Region borders are coarse; a blur over 3 voxels keeps them from looking like anatomy.
    return neighbour_mean(field[None, None])[0, 0]
