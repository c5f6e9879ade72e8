"""What the lesion network sees of a kidney: the scan relative to the parenchyma, at two widths, and the organ itself.

A lesion differs from its own kidney, whatever the phase, the scanner and the noise. A network that is given this
difference need not find it out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from scipy.ndimage import gaussian_filter

from KidneySegLib.bundles.plan import StagePlan
from KidneySegLib.hounsfield import UNENHANCED_KIDNEY
from KidneySegLib.inference.arrays import array_of, tensor_of

ORGAN_INPUTS = ("relative", "smooth", "bright", "fluid", "organ", "level")

_SMOOTH_MM = 5.0
_BRIGHT_SHARE = 0.75
# Two kidneys that differ by more are not alike: one is obstructed or badly perfused.
_ALIKE_HU = 25.0


@dataclass(frozen=True)
class ParenchymaLevel:
    """How dense a kidney's parenchyma is.

    Attributes:
        middle: median in HU.
        bright: upper quartile in HU.
        instead: whether it counts in place of the level of the patient's other kidney, whose own outline is doubtful.
    """

    middle: float
    bright: float
    instead: bool = False

    def corrected(self, other: ParenchymaLevel | None) -> ParenchymaLevel:
        """Returns the level of the other kidney where that is a little denser, or known better.

        A cyst inside the outline lowers the level of its kidney, down to its own where it fills half of the outline;
        the two kidneys of a patient are alike. What is outlined of a kidney that a tumour has replaced is tumour.
        """
        if other is None:
            return self
        return other if other.instead or 0 < other.middle - self.middle <= _ALIKE_HU else self


def parenchyma_level(hu: torch.Tensor, kidney: torch.Tensor, window: tuple[float, float]) -> ParenchymaLevel:
    """Returns the level of the voxels of a kidney; that of unenhanced parenchyma if there are none.

    Args:
        hu: any shape.
        kidney: bool, same shape.
        window: HU beyond which values tell nothing about soft tissue; they are clipped.
    """
    inside = hu[kidney].clamp(*window)
    if not inside.numel():
        return ParenchymaLevel(UNENHANCED_KIDNEY, UNENHANCED_KIDNEY)
    values = array_of(inside)
    return ParenchymaLevel(float(np.median(values)), float(np.quantile(values, _BRIGHT_SHARE)))


def organ_channels(
    hu: torch.Tensor,
    organ: torch.Tensor,
    kidney: torch.Tensor,
    stage: StagePlan,
    other: ParenchymaLevel | None = None,
) -> torch.Tensor:
    """Returns the input channels ``ORGAN_INPUTS``, 32-bit float ``(6, k, j, i)``.

    Args:
        hu: ``(k, j, i)``, -1024 outside the scan.
        organ: bool, same shape: a kidney with its lesions.
        kidney: bool, same shape: its outline without most of its large lesions, which gives the level of
            parenchyma; that of unenhanced parenchyma is taken where it is empty.
        stage: whose window clips the values, and whose spacing is that of the arrays.
        other: of the patient's other kidney.
    """
    hu = hu.clamp(*stage.window)
    parenchyma = parenchyma_level(hu, kidney, stage.window).corrected(other)
    level, bright = parenchyma.middle, parenchyma.bright
    smooth = tensor_of(gaussian_filter(array_of(hu), [_SMOOTH_MM / s for s in stage.spacing], truncate=3.0))
    return torch.stack(
        [
            ((hu - level) / 60).clamp(-3, 3),
            ((smooth - level) / 40).clamp(-3, 3),
            ((smooth - bright) / 60).clamp(-3, 3),
            ((hu - 20) / 40).clamp(-2, 3),  # fine steps where fluid, blood and solid tissue lie
            organ.float() * 2 - 1,
            torch.full_like(hu, (level - UNENHANCED_KIDNEY) / 80),
        ]
    )
