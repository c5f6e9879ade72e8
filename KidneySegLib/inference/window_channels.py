"""What a network sees of the scan alone: HU through one or more windows, equalised or standardised."""

import numpy as np
import torch

from KidneySegLib.bundles.plan import Equalisation, StagePlan
from KidneySegLib.errors import BundleError
from KidneySegLib.hounsfield import OUTSIDE
from KidneySegLib.inference.arrays import array_of, tensor_of
from KidneySegLib.inference.resampling import normalise

# Fluid, unenhanced parenchyma and blood lie within 60 HU; the window of the whole scan leaves them a few grey levels.
SOFT_TISSUE_HU = (-40.0, 160.0)
WINDOW_INPUTS = ("image", "soft", "zscore")
# An even image has no spread to be divided by.
_LEAST_SPREAD = 1e-3


def window_channels(hu: torch.Tensor, stage: StagePlan) -> torch.Tensor:
    """Returns one channel per input of the stage, ``(inputs, k, j, i)``.

    They lie in -1..1, equalised ones in 0..1; z-scores and what the plan normalises have any value.

    Args:
        hu: ``(k, j, i)``, -1024 outside the scan.
        stage: its inputs are ``image`` (the stage's window, equalised or normalised if the plan says so), ``soft`` and
            ``zscore`` (the stage's window in standard deviations from the mean of the image).

    Raises:
        BundleError: it has another input.
    """
    windows = {"image": stage.window, "soft": SOFT_TISSUE_HU}
    unknown = set(stage.network.inputs) - set(WINDOW_INPUTS)
    if unknown:
        raise BundleError(
            "Stage '{stage}' asks for the input '{channel}', which this version of KidneySeg does not have. "
            "Update KidneySeg.",
            stage=stage.name,
            channel=min(unknown),
        )
    channels = []
    for name in stage.network.inputs:
        if name == "image" and stage.equalise is not None:
            slices = [_equalised(plane, stage.window, stage.equalise, stage.spacing[1:]) for plane in array_of(hu)]
            channels.append(tensor_of(np.stack(slices)))
        elif name == "zscore":
            channels.append(_standardised(hu, stage.window))
        elif name == "image" and stage.normalise is not None:
            scale = stage.normalise
            channels.append(hu.clamp(*stage.window).sub(scale.zero_hu).div(scale.unit_hu))
        else:
            channels.append(normalise(hu, windows[name]))
    return torch.stack(channels)


def _standardised(hu: torch.Tensor, window: tuple[float, float]) -> torch.Tensor:
    """Returns values with mean 0 and standard deviation 1 over what lies inside the image, 0 outside."""
    inside = hu > OUTSIDE
    values = hu.clamp(*window)
    known = values[inside].double()
    if known.numel() < 2:
        return hu * 0
    return ((values - float(known.mean())) / max(float(known.std()), _LEAST_SPREAD)) * inside


def _equalised(
    hu: np.ndarray, window: tuple[float, float], plan: Equalisation, spacing: tuple[float, float]
) -> np.ndarray:
    """Returns CLAHE of one slice, 32-bit float ``(j, i)`` in 0..1.

    HU are clipped to the window first: raw values from -1024 to metal would leave CLAHE few grey levels for soft
    tissue.
    """
    from skimage.exposure import equalize_adapthist  # takes a while to import, and few networks need it

    low, high = window
    grey = (np.clip(hu, low, high).astype(np.float64) - low) / (high - low)
    if np.ptp(grey) == 0:  # nothing to equalise, as in a slice of air
        return grey.astype(np.float32)
    tile = [max(1, round(plan.tile_mm / side)) for side in spacing]
    return equalize_adapthist(grey, kernel_size=tile, clip_limit=plan.clip_limit).astype(np.float32)
