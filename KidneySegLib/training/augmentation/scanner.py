"""Augmentation of the acquisition: what scanners, protocols and exports do to an image."""

from typing import Annotated

import numpy as np
import torch
from pydantic import Field
from torch.nn import functional

from KidneySegLib.bundles.declaration import Positive, Share, Whole
from KidneySegLib.hounsfield import OUTSIDE
from KidneySegLib.training.augmentation.patch import Patch, Transform
from KidneySegLib.training.declared import Declared, NotNegative, Range, Shares

# the level that calibration turns about: soft tissue
_SOFT_TISSUE_HU = 40


class Kernel(Transform):
    """Softer or sharper reconstruction: the image mixed with its mean over 3 x 3 pixels.

    Attributes:
        smooth: probability of a softer image.
        smooth_share: of the mean in the mixture; below 0 the image gets sharper.
        sharp: probability of a sharper one, where it is not made softer.
        sharp_share: how much of the difference to a softer image is added.
    """

    smooth: Share = 0.25
    smooth_share: Range = (0.3, 1.0)
    sharp: Share = 0.2
    sharp_share: Range = (0.2, 1.0)

    def apply(self, patch: Patch, rng: np.random.Generator) -> None:
        """Filters the image."""
        if rng.random() < self.smooth:
            patch.hu = self._softer(patch.hu, rng)
        elif rng.random() < self.sharp:
            patch.hu = patch.hu + rng.uniform(*self.sharp_share) * (patch.hu - self._softer(patch.hu, rng))

    def _softer(self, hu: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
        mean = functional.avg_pool2d(hu[None], 3, stride=1, padding=1, count_include_pad=False)[0]
        return hu + (mean - hu) * rng.uniform(*self.smooth_share)


class Noise(Transform):
    """Gaussian noise; low levels are more frequent.

    Attributes:
        most_hu: highest standard deviation.
        correlated: probability that it is correlated in plane, as reconstruction kernels make it.
    """

    most_hu: NotNegative = 35.0
    correlated: Share = 0.5

    def apply(self, patch: Patch, rng: np.random.Generator) -> None:
        """Adds noise."""
        level = self.most_hu * rng.uniform(0, 1) ** 2
        noise = torch.from_numpy(rng.standard_normal(patch.hu.shape, dtype=np.float32))
        if rng.random() < self.correlated:
            noise = functional.avg_pool2d(noise[None], 3, stride=1, padding=1)[0] * 3
            level *= 0.7
        patch.hu = patch.hu + noise * level


class ThickSlices(Transform):
    """Averages neighbouring slices, keeps every n-th of them and interpolates back.

    Attributes:
        probability: in exams that are thin enough, on grids of which two slices fit into ``most_mm``.
        thinner_than_mm: thickness from which on an exam is left as it is.
        most_mm: thickest slice that is simulated.
    """

    probability: Share = 0.45
    thinner_than_mm: Positive = 2.5
    most_mm: Positive = 6.0

    def apply(self, patch: Patch, rng: np.random.Generator) -> None:
        """Makes slices thicker."""
        if patch.thickness >= self.thinner_than_mm or rng.random() >= self.probability:
            return
        spacing = patch.spacing[0]
        if 2 * spacing > self.most_mm:
            return
        count = int(round(rng.uniform(2 * spacing, self.most_mm) / spacing))
        offset = int(rng.integers(count))
        padded = functional.pad(patch.hu[None, None], (0, 0, 0, 0, offset, count), mode="replicate")
        slices = functional.avg_pool3d(padded, (count, 1, 1))
        size = (slices.shape[2] * count, *patch.hu.shape[1:])
        back = functional.interpolate(slices, size=size, mode="trilinear", align_corners=False)
        patch.hu = back[0, 0, offset : offset + patch.hu.shape[0]]


class Calibration(Transform):
    """A scale of HU that is a little off.

    Attributes:
        probability: of any change.
        gain: factor on the distance from soft tissue.
        offset_hu: added to all values.
    """

    probability: Share = 0.5
    gain: Range = (0.85, 1.18)
    offset_hu: Range = (-15.0, 15.0)

    def apply(self, patch: Patch, rng: np.random.Generator) -> None:
        """Changes the scale."""
        if rng.random() < self.probability:
            centred = (patch.hu - _SOFT_TISSUE_HU) * rng.uniform(*self.gain)
            patch.hu = _SOFT_TISSUE_HU + centred + rng.uniform(*self.offset_hu)


class TakenFor(Declared):
    """The window that a picture of another, unknown one is taken for.

    Attributes:
        width_hu: from black to white.
        black_hu: HU of black.
    """

    width_hu: Range = (380.0, 420.0)
    black_hu: Range = (-170.0, -150.0)


class GreyLevels(Transform):
    """Clips to a display window and rounds to its grey levels, as exported 8-bit images are.

    Attributes:
        probability: of such an image.
        black_hu: HU of black.
        white_hu: HU of white.
        levels: fewest grey levels, and one more than the most.
        taken_for: another window, where a picture does not tell its own; None: HU stay what they are, air too.
    """

    probability: Share = 0.4
    black_hu: Range = (-220.0, 0.0)
    white_hu: Range = (150.0, 420.0)
    levels: tuple[Annotated[Whole, Field(ge=2)], Annotated[Whole, Field(ge=3)]] = (60, 256)
    taken_for: TakenFor | None = None

    def apply(self, patch: Patch, rng: np.random.Generator) -> None:
        """Rounds the values."""
        if rng.random() >= self.probability:
            return
        low, high = rng.uniform(*self.black_hu), rng.uniform(*self.white_hu)
        step = (high - low) / rng.integers(*self.levels)
        clipped = patch.hu.clamp(low, high)
        if self.taken_for is None:
            patch.hu = torch.where(patch.hu > OUTSIDE + 200, (clipped / step).round() * step, patch.hu)
            return
        grey = ((clipped - low) / step).round() * step / (high - low)
        patch.hu = grey * rng.uniform(*self.taken_for.width_hu) + rng.uniform(*self.taken_for.black_hu)


class FieldOfView(Transform):
    """Ends the field of view inside the patch: mostly at the head or feet, sometimes at a flank.

    Some cuts leave a thin slab anywhere. Scans that end above the kidneys show liver and spleen alone, which a network
    that always saw a kidney beside them takes for kidneys.

    Attributes:
        probability: of a cut.
        axes: shares of cuts along k, j, i.
        slab: share of the cuts along k that leave a thin slab.
    """

    probability: Share = 0.3
    axes: Shares = (0.8, 0.1, 0.1)
    slab: Share = 0.5

    def apply(self, patch: Patch, rng: np.random.Generator) -> None:
        """Cuts image and labels."""
        if rng.random() >= self.probability:
            return
        axis = int(rng.choice([0, 1, 2], p=list(self.axes)))
        size = patch.hu.shape[axis]
        if axis == 0 and rng.random() < self.slab:
            kept = rng.uniform(0.1, 0.5) * size
            lower = int(rng.uniform(0, size - kept))
            upper = size - lower - int(kept)
        else:
            ends = rng.integers(1, 4) if axis == 0 else rng.integers(1, 3)
            lower, upper = (int(rng.uniform(0.05, 0.45) * size) if ends & end else 0 for end in (1, 2))
        outside = torch.zeros(size, dtype=torch.bool)
        outside[:lower] = True
        outside[size - upper :] = True
        outside = outside.view([-1 if a == axis else 1 for a in range(3)])
        patch.hu = patch.hu.masked_fill(outside, OUTSIDE)
        for name in ("organ", "mass", "cyst", "in_view"):
            setattr(patch, name, getattr(patch, name).masked_fill(outside, 0.0))
