"""Masks of a kidney with its lesions as another network would draw them: the labels with a network's faults.

The lesion network gets organ and outline from the networks before it. If it only ever saw perfect ones, a piece of
liver in the mask would be a mass to it.
"""

import numpy as np
import torch

from KidneySegLib.bundles.declaration import Positive, Share
from KidneySegLib.geometry.boxes import box_around
from KidneySegLib.hounsfield import BLURRED_BODY, ORGANS_AND_MUSCLE
from KidneySegLib.training.augmentation.contrast import smooth_noise
from KidneySegLib.training.augmentation.filters import box_mean
from KidneySegLib.training.declared import Declared, Range
from KidneySegLib.training.synthesis.forms import offsets

_WAVES_MM = 12.0
_STEEPNESS = 1.5
_FEWEST_VOXELS = 50


class Masks(Declared):
    """How the masks differ from the labels.

    Attributes:
        spill: probability that a ball of other tissue is taken for organ.
        spill_mm: its radius.
        gap: probability that a ball at the organ's border is left out.
        gap_mm: its radius.
        even_odds_ml: a lesion of this size is left out of the kidney's outline as often as not.
    """

    spill: Share = 0.35
    spill_mm: Range = (6.0, 30.0)
    gap: Share = 0.12
    gap_mm: Range = (3.0, 8.0)
    even_odds_ml: Positive = 30.0


def drawn_organ(
    organ: torch.Tensor,
    hu: torch.Tensor,
    spacing: tuple[float, float, float],
    masks: Masks,
    rng: np.random.Generator,
) -> torch.Tensor:
    """Returns a mask, bool ``(k, j, i)``, that differs from ``organ`` as a network's outline does.

    Args:
        organ: share of each voxel that is kidney or one of its lesions, 0..1.
        hu: HU, same shape.
        spacing: mm along k, j, i.
        masks: how it differs.
        rng: source of all randomness.
    """
    waves = rng.uniform(0, 0.3) * smooth_noise(organ.shape, _WAVES_MM / spacing[0], rng)
    mask = box_mean(organ, 3) + waves > rng.uniform(0.4, 0.6)
    mask &= hu > BLURRED_BODY
    if rng.random() < masks.spill:
        low, high = ORGANS_AND_MUSCLE
        tissue = (box_mean(hu, 3) > low) & (hu < high)
        mask |= _ball_at(mask, spacing, rng.uniform(*masks.spill_mm), rng) & tissue
    if rng.random() < masks.gap:
        mask &= ~_ball_at(mask, spacing, rng.uniform(*masks.gap_mm), rng)
    return mask


def outlined_kidney(
    region: torch.Tensor,
    lesions: torch.Tensor,
    spacing: tuple[float, float, float],
    masks: Masks,
    rng: np.random.Generator,
) -> torch.Tensor:
    """Returns what the kidney network outlines, bool ``(k, j, i)``: small lesions are in it, large ones mostly not.

    Args:
        region: bool ``(k, j, i)``: the organ.
        lesions: bool ``(kinds, k, j, i)``.
        spacing: mm along k, j, i.
        masks: how it differs.
        rng: source of all randomness.
    """
    import cc3d

    pieces, count = cc3d.connected_components(lesions.any(dim=0).numpy(), connectivity=18, return_N=True)
    sizes = np.bincount(pieces.ravel(), minlength=count + 1) * float(np.prod(spacing)) / 1000
    odds = (np.maximum(sizes, 1e-3) / masks.even_odds_ml) ** _STEEPNESS
    left_out = rng.random(count + 1) < odds / (1 + odds)
    left_out[0] = False
    kidney = region & ~torch.from_numpy(left_out[pieces])
    return kidney if int(kidney.sum()) > _FEWEST_VOXELS else region


def _ball_at(
    mask: torch.Tensor, spacing: tuple[float, float, float], radius_mm: float, rng: np.random.Generator
) -> torch.Tensor:
    """Returns a ball around a voxel on the border of ``mask``; nothing if it has no border."""
    ball = torch.zeros_like(mask)
    share = box_mean(mask.float(), 3)
    border = torch.nonzero(mask & (share < 0.9))
    if border.shape[0] == 0:
        return ball
    centre = border[int(rng.integers(border.shape[0]))].numpy().astype(float)
    box = box_around(centre, radius_mm, spacing, tuple(mask.shape))
    ball[box] = offsets(box, centre, spacing).norm(dim=-1) <= radius_mm
    return ball
