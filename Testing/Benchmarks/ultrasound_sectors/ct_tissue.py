"""Echo strength, attenuation and borders of what a plane through a CT shows, by random curves from HU."""

import numpy as np
from scipy import ndimage

from KidneySegLib.training.synthesis.ultrasound.sector import SAMPLES
from KidneySegLib.training.synthesis.ultrasound.tissue import Tissue, smooth


def anatomy_tissue(hu, kidney, contrast, rng):
    """Tissue of what lies along the beams, without the kidneys (which become fat or soft tissue)."""
    hu = hu.copy()
    if kidney.any():
        near = ndimage.binary_dilation(kidney, iterations=3)
        fill = rng.choice([-90.0, -60.0, 50.0])
        hu[near] = fill + 8 * smooth(rng, 12, 10)[near]
    depth = np.arange(SAMPLES)[:, None] / SAMPLES
    air, bone = hu < -350, hu > (300 if contrast else 190)
    fat = (hu < -35) & ~air
    vessel = contrast & (hu > 165) & ~bone
    fluid = (hu > (-12 if contrast else -6)) & (hu < (28 if contrast else 16))
    fluid = ndimage.binary_opening(fluid, iterations=2)
    soft = np.clip(hu, 20, 160)
    knots = rng.normal(0, 5.0, 5)
    level = np.interp(soft, np.linspace(20, 150, 5), knots).astype(np.float32)
    organ = smooth(rng, rng.uniform(50, 140), rng.uniform(30, 80))
    level += rng.uniform(0, 4.5) * np.tanh(2 * organ) + rng.uniform(0, 1.5) * smooth(rng, 24, 20)
    kind = smooth(rng, rng.uniform(40, 100), rng.uniform(25, 60))
    streaky = (kind > rng.uniform(-0.5, 1.5)) | (depth < rng.uniform(0, 0.2))
    level += np.where(streaky, rng.uniform(1.5, 5) * smooth(rng, 3.5, 20), 0)
    patchy = kind < rng.uniform(-2, -0.3)
    level += np.where(patchy, rng.uniform(1, 5) * smooth(rng, 8, 8), 0)
    near_fat, far_fat = rng.uniform(-10, 5), rng.uniform(-3, 13)
    fat_level = near_fat + (far_fat - near_fat) * np.clip(depth / 0.35, 0, 1) + rng.uniform(0, 3) * smooth(rng, 5, 16)
    level = np.where(fat, fat_level, level)
    if rng.random() < 0.85:
        level = np.where(fluid, rng.uniform(-40, -12), level)
    if rng.random() < 0.85:
        level = np.where(vessel, rng.uniform(-40, -15), level)
    level = ndimage.gaussian_filter(level, (1.0, 0.8))
    density = np.where(fat, rng.uniform(0.3, 1), np.where(streaky, rng.uniform(0.3, 0.9), rng.uniform(0.6, 1)))
    grad = np.abs(np.diff(ndimage.gaussian_filter(np.clip(hu, -200, 250), (1.2, 2.0)), axis=0, prepend=hu[:1]))
    interface = np.clip(grad - rng.uniform(3, 12), 0, 60) / 20 * rng.uniform(0, 5.0)
    interface *= smooth(rng, 20, 14) > rng.uniform(-1.5, 0.8)
    attenuation = np.full(level.shape, rng.uniform(-0.01, 0.04), np.float32)
    for part, strength in ((bone, rng.uniform(0.3, 5)), (air, rng.uniform(0.2, 3))):
        surface = part & ~np.roll(part, 1, 0)
        bright = ndimage.gaussian_filter(surface.astype(np.float32), (1.2, 1.0)) * 2.5
        level = level + np.clip(bright, 0, 1) * (rng.uniform(6, 16) - level)
        shallow = np.clip(depth / 0.25, rng.uniform(0, 0.6), 1)
        attenuation += ndimage.gaussian_filter(part.astype(np.float32), (1, 2)) * strength * shallow
        level = np.where(part & ~surface, level - rng.uniform(0, 12), level)
    if rng.random() < 0.5:  # gas: reverberation
        level = np.where(air, rng.uniform(0, 10) + 4 * smooth(rng, 4, 10), level)
    # what may be lost altogether
    lost = np.cumsum(attenuation, 0)
    limit = rng.uniform(8, 45)
    attenuation = np.diff(np.minimum(lost, limit), axis=0, prepend=0)
    return Tissue(level.astype(np.float32), density, attenuation.astype(np.float32), interface.astype(np.float32))
