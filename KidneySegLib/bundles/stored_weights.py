"""How weights lie in a bundle's file: layers in 8 bits with one scale per output channel, all else in half precision.

Rounding a layer's weights to 255 steps of the largest one of each output channel changes the output of a convolution
less than the noise of its inputs does, and halves the file (Krishnamoorthi, Quantizing deep convolutional networks for
efficient inference, arXiv:1806.08342). Networks run with 32-bit weights.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

_SCALE = ":scale"
_STEPS = 127
_STATISTIC = ".running_"
# Shorter ones (biases, norms, heads of a few outputs) would save nothing.
_FEWEST_VALUES = 1024


def packed(weights: Mapping[str, torch.Tensor], *, exact: bool = False) -> dict[str, torch.Tensor]:
    """Returns what is stored for ``weights`` by parameter name; with ``exact``, every value in 32 bits."""
    import torch

    stored = {}
    for name, value in weights.items():
        values = value.detach().to("cpu", torch.float32)
        # the variances that batch normalisation measured may be larger than half precision allows
        if exact or _STATISTIC in name:
            stored[name] = values.contiguous()
            continue
        if values.ndim < 2 or values.numel() < _FEWEST_VALUES:
            stored[name] = values.to(torch.float16).contiguous()
            continue
        largest = values.abs().flatten(1).amax(dim=1)
        scale = torch.where(largest > 0, largest, 1.0) / _STEPS
        steps = (values / _along_first(scale, values)).round().clamp(-_STEPS, _STEPS)
        stored[name] = steps.to(torch.int8).contiguous()
        stored[name + _SCALE] = scale.contiguous()
    return stored


def unpacked(stored: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Returns weights by parameter name, 32-bit float, from what is stored for them.

    Raises:
        ValueError: a layer in 8 bits has no fitting scale, a scale has no layer, or a type of numbers is not known.
    """
    import torch

    if any(name.endswith(_SCALE) and name.removesuffix(_SCALE) not in stored for name in stored):
        raise ValueError("a scale has no layer")
    weights = {}
    for name, value in stored.items():
        if name.endswith(_SCALE):
            continue
        scale = stored.get(name + _SCALE)
        if value.is_floating_point() and scale is None:
            weights[name] = value.float()
        elif value.dtype == torch.int8 and scale is not None and value.ndim and scale.shape == value.shape[:1]:
            weights[name] = value.float() * _along_first(scale.float(), value)
        else:
            raise ValueError("a layer and its scale do not fit")
    return weights


def _along_first(scale: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    return scale.reshape(-1, *[1] * (values.ndim - 1))
