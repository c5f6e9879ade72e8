"""What a network sees of the scan alone: HU through one or more windows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from KidneySegLib.inference.resampling import normalise

if TYPE_CHECKING:
    import torch

    from KidneySegLib.bundles.plan import StagePlan

# Fluid, unenhanced parenchyma and blood lie within 60 HU; the window of the whole scan leaves them a few grey levels.
SOFT_TISSUE_HU = (-40.0, 160.0)


def window_channels(hu: torch.Tensor, stage: StagePlan) -> torch.Tensor:
    """Returns one channel per input of the stage, ``(inputs, k, j, i)``, values -1..1.

    Args:
        hu: ``(k, j, i)``, -1024 outside the scan.
        stage: its inputs are ``image`` (the stage's window) and ``soft`` (soft tissue).
    """
    import torch

    windows = {"image": stage.window, "soft": SOFT_TISSUE_HU}
    return torch.stack([normalise(hu, windows[name]) for name in stage.network.inputs])
