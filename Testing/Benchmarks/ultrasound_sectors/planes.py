"""Planes from the skin through the kidneys of CT exams, in the geometry of an ultrasound sector."""

import numpy as np
from scipy import ndimage

from KidneySegLib.training.synthesis.ultrasound.sector import BEAMS, SAMPLES, random_sector

MM = 2.0
# Voxels of a kidney that planes are laid through.
FEWEST = 1500


class Exam:
    """A CT exam on a grid of ``MM`` in canonical order: HU ``(k, j, i)``, and where kidneys are."""

    def __init__(self, hu: np.ndarray, mask: np.ndarray) -> None:
        self.hu, self.mask = hu, mask
        self.kidney = mask > 0
        self.soft = ndimage.gaussian_filter(self.kidney.astype(np.float32), 0.7)
        self.sides = [(side, np.argwhere(mask == side).mean(0)) for side in (1, 2) if (mask == side).sum() > FEWEST]
        if not self.sides:
            middle = np.argwhere(self.kidney).mean(0)
            self.sides = [(1 if middle[2] < hu.shape[2] / 2 else 2, middle)]
        self.contrast = np.median(hu[self.kidney]) > 100


def reflect(x, n):
    x = np.abs(x)
    period = max(1, 2 * (n - 1))
    x = x % period
    return np.where(x > n - 1, period - x, x)


def at(volume, p, order=1, cval=-1000.0):
    """p (…,3) in voxels; k is reflected at the ends."""
    k = reflect(p[..., 0], volume.shape[0])
    return ndimage.map_coordinates(volume, (k, p[..., 1], p[..., 2]), order=order, mode="constant", cval=cval)


def plane(exam, rng, empty):
    """Returns hu, kidney (samples, beams), sector, mm per pixel; or None."""
    rows = int(rng.choice([192, 192, 192, 180, 160, 210, 240, 256]))
    sector = random_sector((rows, 256), rng)
    side, c = exam.sides[int(rng.integers(len(exam.sides)))]
    c = c * MM
    if empty:
        n = np.array(exam.hu.shape) * MM
        c = np.array([rng.uniform(0, n[0]), rng.uniform(0.25, 0.6) * n[1], rng.uniform(0.2, 0.8) * n[2]])
        side = 1 if c[2] < n[2] / 2 else 2
    else:
        c = c + rng.normal(0, 6, 3)
    angle = np.radians(rng.uniform(-35, 85))
    out = np.array([np.tan(np.radians(rng.normal(0, 14))), -np.sin(angle), (-1 if side == 1 else 1) * np.cos(angle)])
    out /= np.linalg.norm(out)
    # skin
    t = np.arange(0, 260, 1.0)
    line = at(exam.hu, (c + t[:, None] * out) / MM)
    inside = np.flatnonzero(ndimage.uniform_filter1d((line > -250).astype(float), 9) > 0.5)
    if not len(inside):
        return None
    # first longer stretch of outside
    outside = ndimage.uniform_filter1d((line < -500).astype(float), 21) > 0.9
    far = t[np.flatnonzero(outside)[0]] - 8 if outside.any() else t[inside[-1]]
    far *= rng.uniform(0.75, 1.0)  # a probe presses
    if far < 15:
        return None
    if not empty and far > 150:
        return None
    # the kidney lies at some share of the depth that is shown
    depth_mm = float(np.clip(far / rng.uniform(0.3, 0.75), 75, 220))
    mm = depth_mm / (sector.far - sector.near)
    skin = c + far * out
    d = -out
    e1 = np.array([1.0, 0, 0]) - d * d[0]
    e1 /= np.linalg.norm(e1)
    e2 = np.cross(d, e1)
    turn = np.radians(rng.normal(0, 25)) if rng.random() < 0.7 else rng.uniform(-np.pi, np.pi)
    u = np.cos(turn) * e1 + np.sin(turn) * e2
    if rng.random() < 0.5:
        u = -u
    # the kidney need not lie in the middle: tilt the sector in its plane
    tilt = np.radians(rng.normal(0, 10))
    d, u = np.cos(tilt) * d + np.sin(tilt) * u, np.cos(tilt) * u - np.sin(tilt) * d
    r = np.linspace(sector.near, sector.near + 1.35 * (sector.far - sector.near), int(SAMPLES * 1.35))[:, None] * mm
    th = np.linspace(-sector.half_angle, sector.half_angle, BEAMS)[None]
    apex = skin - sector.near * mm * d
    p = apex + (r * np.cos(th))[..., None] * d + (r * np.sin(th))[..., None] * u
    hu = at(exam.hu, p / MM)
    kidney = at(exam.soft, p / MM, cval=0.0) > 0.5
    raw_k = p[..., 0] / MM
    beyond = (raw_k < 1.5) | (raw_k > exam.hu.shape[0] - 2.5)
    first = np.argmax(hu > -300, axis=0)
    first = ndimage.gaussian_filter1d(ndimage.median_filter(first, 9).astype(float), 4)
    first = np.minimum(first, 0.34 * SAMPLES).astype(int)
    idx = np.arange(SAMPLES)[:, None] + first[None]
    hu, kidney, beyond = (np.take_along_axis(each, idx, 0) for each in (hu, kidney, beyond))
    return hu, kidney, beyond, sector, mm
