"""Layers of torch by the number of dimensions, and how their weights begin."""

from __future__ import annotations

from torch import nn

SLOPE = 0.01
CONVOLUTIONS: dict[int, type[nn.Module]] = {2: nn.Conv2d, 3: nn.Conv3d}
TRANSPOSED: dict[int, type[nn.Module]] = {2: nn.ConvTranspose2d, 3: nn.ConvTranspose3d}
INSTANCE_NORMS: dict[int, type[nn.Module]] = {2: nn.InstanceNorm2d, 3: nn.InstanceNorm3d}
BATCH_NORMS: dict[int, type[nn.Module]] = {2: nn.BatchNorm2d, 3: nn.BatchNorm3d}
MEAN_POOLS: dict[int, type[nn.Module]] = {2: nn.AvgPool2d, 3: nn.AvgPool3d}


def norm(dimensions: int, kind: str, channels: int) -> nn.Module:
    """Returns a normalisation with a learnt scale and shift.

    Args:
        dimensions: 2 or 3.
        kind: ``instance`` or ``batch``.
        channels: of what is normalised.
    """
    if kind == "batch":
        return BATCH_NORMS[dimensions](channels)
    return INSTANCE_NORMS[dimensions](channels, affine=True)


def initialise(layer: nn.Module) -> None:
    """He's initialisation for leaky ReLU; biases begin at zero."""
    if isinstance(layer, (nn.Conv2d, nn.Conv3d, nn.ConvTranspose2d, nn.ConvTranspose3d)):
        nn.init.kaiming_normal_(layer.weight, a=SLOPE)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
