"""What the lesion network sees of a kidney: the scan relative to the parenchyma, at two widths, and the organ itself.

A lesion differs from its own kidney, whatever the phase, the scanner and the noise. A network that is given this
difference need not find it out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch

ORGAN_INPUTS = ("relative", "smooth", "bright", "fluid", "organ", "level")

# Values beyond tell nothing about soft tissue.
_RANGE_HU = (-160.0, 340.0)
_SMOOTH_MM = 5.0
_UNENHANCED_HU = 35.0
_BRIGHT_SHARE = 0.75


def organ_channels(
    hu: torch.Tensor, organ: torch.Tensor, kidney: torch.Tensor, spacing: Sequence[float]
) -> torch.Tensor:
    """Returns the input channels ``ORGAN_INPUTS``, 32-bit float ``(6, k, j, i)``.

    Args:
        hu: ``(k, j, i)``, -1024 outside the scan.
        organ: bool, same shape: a kidney with its lesions.
        kidney: bool, same shape: its outline without most of its large lesions, which gives the level of
            parenchyma; that of unenhanced parenchyma is taken where it is empty.
        spacing: mm along k, j, i.
    """
    import torch
    from scipy.ndimage import gaussian_filter

    hu = hu.clamp(*_RANGE_HU)
    inside = hu[kidney]
    level, bright = _UNENHANCED_HU, _UNENHANCED_HU
    if inside.numel():
        values = inside.numpy()
        level, bright = float(np.median(values)), float(np.quantile(values, _BRIGHT_SHARE))
    smooth = torch.from_numpy(gaussian_filter(hu.numpy(), [_SMOOTH_MM / s for s in spacing], truncate=3.0))
    return torch.stack(
        [
            ((hu - level) / 60).clamp(-3, 3),
            ((smooth - level) / 40).clamp(-3, 3),
            ((smooth - bright) / 60).clamp(-3, 3),
            ((hu - 20) / 40).clamp(-2, 3),  # fine steps where fluid, blood and solid tissue lie
            organ.float() * 2 - 1,
            torch.full_like(hu, (level - _UNENHANCED_HU) / 80),
        ]
    )
