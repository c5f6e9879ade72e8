"""A whole diseased kidney in the place of a healthy one."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import torch

from KidneySegLib.datasets.tissue import kidney_depth
from KidneySegLib.hounsfield import FAT, SOFT_TISSUE
from KidneySegLib.training.augmentation.contrast import smooth_noise
from KidneySegLib.training.augmentation.filters import box_mean
from KidneySegLib.training.augmentation.grain import grain
from KidneySegLib.training.augmentation.spatial import rotation
from KidneySegLib.training.synthesis.forms import offsets, take, whole
from KidneySegLib.training.synthesis.real_textures import RealTexture
from KidneySegLib.training.synthesis.scene import Scene
from KidneySegLib.training.synthesis.shapes import DiseasedKidney
from KidneySegLib.training.synthesis.textures import Form, cyst_texture, mass_texture

# A new kidney that would lie in other organs with more than this share of it is not transplanted.
_MOST_OVERLAP = 0.35
_DEEPEST_MM = 30


def transplant(scene: Scene, donor: DiseasedKidney, rng: np.random.Generator, real: Sequence[RealTexture] = ()) -> bool:
    """Replaces the scene's kidney by ``donor``, with the host's own tissue; returns whether it found room."""
    everywhere = whole(scene.hu.shape)
    centre = torch.nonzero(scene.organ > 0.5).double().mean(dim=0).numpy()
    masks = np.stack([donor.labels == value for value in (1, 2, 3)])
    # The donor's kidney (not its tumour) comes to lie where the host's was.
    middle = (np.argwhere(masks[0]).mean(axis=0) - (np.array(masks.shape[1:]) - 1) / 2) * donor.spacing
    matrix = rotation(np.clip(rng.normal(0, 6, 3), -15, 15)) * rng.uniform(0.85, 1.15)
    vectors = offsets(everywhere, centre, scene.spacing) + torch.from_numpy(matrix @ middle).float()
    allowed = scene.room(everywhere, soft=True)
    kidney, mass, cyst = (share * allowed for share in take(masks, vectors, matrix, donor.spacing))
    other = (scene.organ < 0.5) & (scene.hu > SOFT_TISSUE)
    if float((kidney * other).sum()) > _MOST_OVERLAP * float(kidney.sum() + 1):
        return False
    kidney, mass, cyst = (scene.through_slices(share) for share in (kidney, mass, cyst))
    organ = (kidney + mass + cyst).clamp(0, 1)
    level = scene.parenchyma_hu()
    tissue = _parenchyma(scene, organ, rng)
    fat = FAT + rng.uniform(-10, 10) + 6 * smooth_noise(scene.hu.shape, 8, rng)
    noise = grain(scene, everywhere, rng)
    # What was kidney and stays kidney keeps its own values.
    hu = scene.hu + (fat + noise - scene.hu) * scene.organ * (1 - organ)
    fresh = kidney * (1 - scene.organ)
    hu = hu + (tissue + noise - hu) * fresh
    for share, texture in ((mass, partial(mass_texture, real=real)), (cyst, cyst_texture)):
        volume = float(share.sum()) * float(np.prod(scene.spacing))
        if volume > 0:
            form = Form(share, (3 * volume / (4 * np.pi)) ** (1 / 3), scene.spacing)
            hu = hu + (texture(form, level, rng) + noise - hu) * share
    scene.hu, scene.organ, scene.mass, scene.cyst = hu, organ, mass, cyst
    return True


def _parenchyma(scene: Scene, organ: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    """Returns kidney tissue that has, at every depth below its surface, the host's mean value at that depth."""
    inside = scene.organ > 0.9
    depths = scene.depth[inside].long().clamp(0, _DEEPEST_MM)
    sums = torch.zeros(_DEEPEST_MM + 1).index_add_(0, depths, scene.hu[inside])
    counts = torch.bincount(depths, minlength=_DEEPEST_MM + 1)
    profile = np.where(counts > 5, sums / counts.clamp(min=1), np.nan)
    known = np.flatnonzero(np.isfinite(profile))
    if known.size == 0:
        return torch.full_like(scene.hu, scene.parenchyma_hu())
    profile = np.interp(np.arange(_DEEPEST_MM + 1), known, profile[known])
    # Cortex and pyramids alternate; without smoothing the new kidney would have rings like an onion.
    profile = np.convolve(np.pad(profile, 4, mode="edge"), np.hanning(11)[1:-1] / np.hanning(11).sum(), mode="valid")
    depth = torch.from_numpy(kidney_depth((organ > 0.5).numpy().astype(np.uint8), scene.spacing)).long()
    values = torch.from_numpy(profile.astype(np.float32))[depth.clamp(0, _DEEPEST_MM)]
    return box_mean(values, 3) + 4 * smooth_noise(scene.hu.shape, 5, rng)
