"""A whole diseased kidney in the place of a healthy one."""

from functools import partial

import numpy as np
import torch

from KidneySegLib.datasets.tissue import kidney_depth
from KidneySegLib.geometry.rotation import rotation
from KidneySegLib.hounsfield import PERIRENAL_FAT, SOFT_TISSUE
from KidneySegLib.training.augmentation.contrast import smooth_noise
from KidneySegLib.training.augmentation.filters import box_mean
from KidneySegLib.training.augmentation.grain import grain
from KidneySegLib.training.augmentation.patch import Patch
from KidneySegLib.training.synthesis.forms import offsets, take, whole
from KidneySegLib.training.synthesis.shapes import DiseasedKidney
from KidneySegLib.training.synthesis.textures import CystTexture, Form, MassTexture

# A new kidney that would lie in other organs with more than this share of it is not transplanted.
_MOST_OVERLAP = 0.35
_DEEPEST_MM = 30


def transplant(
    patch: Patch, donor: DiseasedKidney, mass_texture: MassTexture, cyst_texture: CystTexture, rng: np.random.Generator
) -> bool:
    """Replaces the patch's kidney by ``donor``, with the host's own tissue; returns whether it found room."""
    everywhere = whole(patch.hu.shape)
    centre = torch.nonzero(patch.organ > 0.5).double().mean(dim=0).numpy()
    masks = np.stack([donor.labels == value for value in (1, 2, 3)])
    # The donor's kidney (not its tumour) comes to lie where the host's was.
    middle = (np.argwhere(masks[0]).mean(axis=0) - (np.array(masks.shape[1:]) - 1) / 2) * donor.spacing
    matrix = rotation(np.clip(rng.normal(0, 6, 3), -15, 15)) * rng.uniform(0.85, 1.15)
    vectors = offsets(everywhere, centre, patch.spacing) + torch.from_numpy(matrix @ middle).float()
    allowed = patch.room(everywhere, soft=True)
    kidney, mass, cyst = (share * allowed for share in take(masks, vectors, matrix, donor.spacing))
    other = (patch.organ < 0.5) & (patch.hu > SOFT_TISSUE)
    if float((kidney * other).sum()) > _MOST_OVERLAP * float(kidney.sum() + 1):
        return False
    kidney, mass, cyst = (patch.through_slices(share) for share in (kidney, mass, cyst))
    organ = (kidney + mass + cyst).clamp(0, 1)
    level = patch.parenchyma_hu()
    tissue = _parenchyma(patch, organ, rng)
    fat = PERIRENAL_FAT + rng.uniform(-10, 10) + 6 * smooth_noise(patch.hu.shape, 8, rng)
    noise = grain(patch, everywhere, rng)
    # What was kidney and stays kidney keeps its own values.
    hu = patch.hu + (fat + noise - patch.hu) * patch.organ * (1 - organ)
    fresh = kidney * (1 - patch.organ)
    hu = hu + (tissue + noise - hu) * fresh
    real = patch.library.textures if patch.library is not None else ()
    for share, texture in ((mass, partial(mass_texture.fill, real=real)), (cyst, cyst_texture.fill)):
        volume = float(share.sum()) * float(np.prod(patch.spacing))
        if volume > 0:
            form = Form(share, (3 * volume / (4 * np.pi)) ** (1 / 3), patch.spacing)
            hu = hu + (texture(form, level, rng) + noise - hu) * share
    patch.hu, patch.organ, patch.mass, patch.cyst = hu, organ, mass, cyst
    return True


def _parenchyma(patch: Patch, organ: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    """Returns kidney tissue that has, at every depth below its surface, the host's mean value at that depth."""
    inside = patch.organ > 0.9
    depths = patch.depth[inside].long().clamp(0, _DEEPEST_MM)
    sums = torch.zeros(_DEEPEST_MM + 1).index_add_(0, depths, patch.hu[inside])
    counts = torch.bincount(depths, minlength=_DEEPEST_MM + 1)
    profile = np.where(counts > 5, sums / counts.clamp(min=1), np.nan)
    known = np.flatnonzero(np.isfinite(profile))
    if known.size == 0:
        return torch.full_like(patch.hu, patch.parenchyma_hu())
    profile = np.interp(np.arange(_DEEPEST_MM + 1), known, profile[known])
    # Cortex and pyramids alternate; without smoothing the new kidney would have rings like an onion.
    profile = np.convolve(np.pad(profile, 4, mode="edge"), np.hanning(11)[1:-1] / np.hanning(11).sum(), mode="valid")
    depth = torch.from_numpy(kidney_depth((organ > 0.5).numpy().astype(np.uint8), patch.spacing)).long()
    values = torch.from_numpy(profile.astype(np.float32))[depth.clamp(0, _DEEPEST_MM)]
    return box_mean(values, 3) + 4 * smooth_noise(patch.hu.shape, 5, rng)
