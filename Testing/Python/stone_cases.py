"""Made volumes with stones of known size: blurred spheres and rods in a simple abdomen."""

from __future__ import annotations

import numpy as np
from scipy.special import erf

from KidneySegLib.volume import Volume

FAT, TISSUE, BONE = -100.0, 32.0, 700.0


def blurred_ball(r: np.ndarray, radius: float, sigma: float) -> np.ndarray:
    """A ball of value 1 convolved with a Gaussian, at distance ``r`` from its centre (closed form)."""
    r = np.maximum(r, 1e-6)
    root = np.sqrt(2) * sigma
    bell = np.exp(-(((radius - r) / root) ** 2)) - np.exp(-(((radius + r) / root) ** 2))
    steps = erf((radius - r) / root) + erf((radius + r) / root)
    return 0.5 * steps - sigma / (r * np.sqrt(2 * np.pi)) * bell


class Abdomen:
    """Two kidneys (ellipsoids), a spine and fat; canonical order, isotropic in plane.

    Positions are mm from the volume's first voxel: x to the left, y to the back, z to the head.
    """

    right = np.array([50.0, 60.0, 70.0])
    left = np.array([150.0, 60.0, 70.0])

    def __init__(self, spacing=(1.0, 1.0, 1.0), *, tissue=TISSUE, noise=8.0, seed=0, low=-1000.0):
        self.spacing = np.array(spacing)
        shape = tuple(int(mm / axis) for mm, axis in zip((110, 110, 200), self.spacing[::-1], strict=True))
        self.z, self.y, self.x = (
            grid * axis for grid, axis in zip(np.ogrid[tuple(map(slice, shape))], self.spacing[::-1], strict=True)
        )
        self.hu = np.full(shape, FAT, np.float32)
        self.labels = np.zeros(shape, np.uint8)
        for label, centre in ((1, self.right), (2, self.left)):
            inside = self.distance(centre, (1, 22, 25, 34)) < 1
            self.hu[inside] = tissue
            self.labels[inside] = label
        spine = np.broadcast_to(np.hypot(self.x - 100, self.y - 85) < 16, shape)
        self.hu[spine] = BONE
        self.hu[np.broadcast_to(self.y < 4, shape)] = low
        self.noise, self.seed = noise, seed

    def distance(self, centre, axes=(1, 1, 1, 1)) -> np.ndarray:
        x, y, z = (np.asarray(c) for c in centre)
        _, a, b, c = axes
        return np.sqrt(((self.x - x) / a) ** 2 + ((self.y - y) / b) ** 2 + ((self.z - z) / c) ** 2)

    def add_ball(self, centre, diameter, hu, sigma=0.8) -> Abdomen:
        share = blurred_ball(self.distance(centre), diameter / 2, sigma)
        self.hu += (hu - self.hu) * share
        return self

    def add_rod(self, start, end, diameter, hu, sigma=0.8) -> Abdomen:
        start, end = np.asarray(start, float), np.asarray(end, float)
        along = end - start
        points = np.stack(np.broadcast_arrays(self.x, self.y, self.z), axis=-1) - start
        t = np.clip(points @ along / (along @ along), 0, 1)
        r = np.linalg.norm(points - t[..., None] * along, axis=-1)
        self.hu += (hu - self.hu) * 0.5 * (1 - erf((r - diameter / 2) / (np.sqrt(2) * sigma)))
        return self

    def volume(self, clip=None) -> Volume:
        hu = self.hu + np.random.default_rng(self.seed).normal(0, self.noise, self.hu.shape)
        if clip is not None:
            hu = np.clip(hu, *clip)
        matrix = np.diag([*self.spacing, 1.0])
        return Volume(hu.round().astype(np.int16), matrix)
