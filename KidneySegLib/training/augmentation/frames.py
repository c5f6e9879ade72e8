"""Augmentation of ultrasound frames: gain, speckle, shadows, the border of the sector. Values are grey, 0..255."""

import math

import numpy as np
import torch
from torch.nn import functional

from KidneySegLib.bundles.declaration import Positive, Share
from KidneySegLib.training.augmentation.contrast import smooth_noise
from KidneySegLib.training.augmentation.patch import Patch, Transform
from KidneySegLib.training.declared import NotNegative, Range

_WHITE = 255.0


class Gain(Transform):
    """Other gain, dynamic range and time gain.

    Attributes:
        probability: of any change.
        gamma: exponent of the grey levels.
        factor: on all of them.
        along: largest factor, or its inverse, by which the far end differs from the near one.
    """

    probability: Share = 0.8
    gamma: Range = (0.65, 1.5)
    factor: Range = (0.7, 1.35)
    along: Positive = 2.0

    def apply(self, patch: Patch, rng: np.random.Generator) -> None:
        """Changes the grey levels."""
        if rng.random() >= self.probability:
            return
        share = (patch.hu / _WHITE).clamp(0, 1) ** rng.uniform(*self.gamma)
        depth = torch.linspace(-0.5, 0.5, patch.hu.shape[1])[None, :, None]
        time_gain = torch.exp(depth * math.log(self.along) * rng.uniform(-1, 1))
        changed = (share * time_gain * rng.uniform(*self.factor)).clamp(0, 1) * _WHITE
        patch.hu = torch.where(patch.hu > 0, changed, patch.hu)


class Speckle(Transform):
    """Speckle of other grain, as a factor on the image.

    Attributes:
        probability: of any.
        strength: standard deviation of its logarithm, at most.
        grain: width of its bumps in pixels, across the beams; half as wide along them.
    """

    probability: Share = 0.4
    strength: NotNegative = 0.35
    grain: Range = (1.0, 4.0)

    def apply(self, patch: Patch, rng: np.random.Generator) -> None:
        """Multiplies the image."""
        if rng.random() >= self.probability:
            return
        width = rng.uniform(*self.grain)
        noise = torch.from_numpy(rng.standard_normal(patch.hu.shape, dtype=np.float32))[None]
        size = [2 * int(width / 4) + 1, 2 * int(width / 2) + 1]
        noise = functional.avg_pool2d(noise, size, stride=1, padding=[n // 2 for n in size])[0]
        noise = noise / (float(noise.std()) + 1e-6) * self.strength * rng.uniform(0.2, 1)
        patch.hu = torch.where(patch.hu > 0, (patch.hu * torch.exp(noise)).clamp(0, _WHITE), patch.hu)


class Shadow(Transform):
    """A shadow of a rib, gas or a stone: a fan that opens downward.

    Attributes:
        probability: of one.
        darkest: factor on the image inside, at least.
        width: of the fan at its start, in shares of the image's width.
    """

    probability: Share = 0.3
    darkest: Share = 0.1
    width: Range = (0.03, 0.2)

    def apply(self, patch: Patch, rng: np.random.Generator) -> None:
        """Darkens the image alone."""
        if rng.random() >= self.probability:
            return
        _, rows, columns = patch.hu.shape
        row = torch.linspace(0, 1, rows)[:, None]
        column = torch.linspace(0, 1, columns)[None]
        start, lean = rng.uniform(-0.1, 0.7), rng.uniform(-0.4, 0.4)
        half = rng.uniform(*self.width) * (1 + 0.8 * row)
        apart = (column - rng.uniform(0, 1) - lean * (row - 0.5)).abs() / half
        inside = torch.exp(-(apart**4)) * torch.sigmoid((row - start) / 0.03)
        factor = 1 - inside * (1 - rng.uniform(self.darkest, 0.7))
        patch.hu = torch.where(patch.hu > 0, patch.hu * factor[None], patch.hu)


class SectorBorder(Transform):
    """The border of the sector runs through the image: black beyond it, where nothing can be outlined.

    Attributes:
        probability: of one border.
        reach: how far it comes in, in shares of the image's width.
        lean: of the border against the image's columns, in degrees.
    """

    probability: Share = 0.2
    reach: Range = (0.0, 0.25)
    lean: Range = (15.0, 45.0)

    def apply(self, patch: Patch, rng: np.random.Generator) -> None:
        """Cuts image and labels."""
        if rng.random() >= self.probability:
            return
        _, rows, columns = patch.hu.shape
        row = torch.arange(rows)[:, None] / columns
        column = torch.arange(columns)[None] / columns
        if rng.random() < 0.5:
            column = 1 - column
        slope = math.tan(math.radians(rng.uniform(*self.lean)))
        start = rng.uniform(*self.reach)
        outside = (column + row * slope < start + rng.uniform(0, 0.5) * slope)[None]
        patch.hu = patch.hu.masked_fill(outside, 0.0)
        for name in ("organ", "mass", "cyst"):
            setattr(patch, name, getattr(patch, name).masked_fill(outside, 0.0))


class Haze(Transform):
    """Uneven contact and clutter: smooth light and dark over the image.

    Attributes:
        probability: of any.
        strength: of the logarithm of the factor on the image, at most.
        cells: width of a bump in pixels.
    """

    probability: Share = 0.4
    strength: NotNegative = 0.5
    cells: Positive = 60.0

    def apply(self, patch: Patch, rng: np.random.Generator) -> None:
        """Multiplies the image."""
        if rng.random() < self.probability:
            factor = torch.exp(smooth_noise(patch.hu.shape, self.cells, rng) * self.strength * rng.uniform(0, 1))
            patch.hu = torch.where(patch.hu > 0, (patch.hu * factor).clamp(0, _WHITE), patch.hu)
