"""Augmentation of the kidneys themselves: dilated, and removed."""

import numpy as np
import torch
from scipy import ndimage
from torch.nn import functional

from KidneySegLib.bundles.declaration import Share
from KidneySegLib.training.augmentation.contrast import smooth_noise
from KidneySegLib.training.augmentation.filters import box_mean
from KidneySegLib.training.augmentation.grain import grain
from KidneySegLib.training.augmentation.patch import Patch, Transform
from KidneySegLib.training.declared import Range


class Hydronephrosis(Transform):
    """Fills the deep part of the kidney with urine; it stays kidney: a dilated collecting system.

    Attributes:
        probability: in patches with kidney.
        depth_mm: below the kidney's surface, where the fluid begins.
    """

    probability: Share = 0.12
    depth_mm: Range = (7.0, 16.0)

    def apply(self, patch: Patch, rng: np.random.Generator) -> None:
        """Changes the image alone."""
        if not patch.shows_kidney() or rng.random() >= self.probability:
            return
        border = rng.uniform(*self.depth_mm) + 3 * smooth_noise(patch.hu.shape, 9, rng)
        share = torch.sigmoid((patch.depth - border) / 1.2) * (patch.organ > 0.5)
        share = patch.through_slices(box_mean(share, 3))
        k, j, i = (slice(0, n) for n in patch.hu.shape)
        content = rng.uniform(-4, 16) + grain(patch, (k, j, i), rng)
        share = share * (1 - patch.mass - patch.cyst).clamp(0, 1)
        patch.hu = patch.hu + (content - patch.hu) * share


class RemovedKidneys(Transform):
    """Fills kidneys with fat, as after a nephrectomy: there need not be two, or any.

    Attributes:
        probability: for each connected piece of kidney.
        fat_hu: mean HU of the fat.
    """

    probability: Share = 0.1
    fat_hu: Range = (-115.0, -85.0)

    def apply(self, patch: Patch, rng: np.random.Generator) -> None:
        """Takes kidneys out of image and labels."""
        pieces, count = ndimage.label(patch.organ.numpy() >= 0.5)
        gone = [piece for piece in range(1, count + 1) if rng.random() < self.probability]
        if not gone:
            return
        share = torch.from_numpy(ndimage.binary_dilation(np.isin(pieces, gone), iterations=2).astype(np.float32))
        share = functional.avg_pool2d(share[None], 3, stride=1, padding=1)[0]
        fat = torch.from_numpy(rng.normal(rng.uniform(*self.fat_hu), 12, patch.hu.shape).astype(np.float32))
        patch.hu = patch.hu + (fat - patch.hu) * share
        for name in ("organ", "mass", "cyst"):
            setattr(patch, name, getattr(patch, name) * (share == 0))
