"""Networks whose arrays hold the channels of a voxel side by side, as processors compute convolutions in bfloat16.

PyTorch's convolutions on the CPU (oneDNN) bring each input into this order and each output back, which takes longer
than the convolution does. Normalisation alone needs its input back: in which order it adds voxels up decides how sums
are rounded, and with them every value behind. So what comes out is the same bit for bit.
"""

from __future__ import annotations

import torch
from torch import nn

_ORDER = torch.channels_last_3d


def put_channels_last(network: nn.Module) -> nn.Module:
    """Returns a 3D network, changed in place, that computes the same values in less time on a CPU in bfloat16."""
    network.to(memory_format=_ORDER)
    for layer in network.modules():
        if isinstance(layer, nn.InstanceNorm3d):
            layer.register_forward_pre_hook(_plain)
        elif isinstance(layer, nn.LeakyReLU):
            layer.register_forward_hook(_channels_last)
    return network


def _plain(_layer: nn.Module, arguments: tuple[torch.Tensor]) -> torch.Tensor:
    """Returns an image ``(1, channels, k, j, i)`` with the voxels of a channel side by side."""
    (values,) = arguments
    if values.is_contiguous() or len(values) > 1:
        return values.contiguous()
    channels = values.shape[1]
    voxels = values[0].permute(1, 2, 3, 0).reshape(-1, channels)
    # a product with the unit matrix changes no value, and takes half as long as a copy into another order
    unit = torch.eye(channels, dtype=values.dtype)
    return (unit @ voxels.T).view(values.shape)


def _channels_last(_layer: nn.Module, _arguments: tuple[torch.Tensor], values: torch.Tensor) -> torch.Tensor:
    return values.contiguous(memory_format=_ORDER)
