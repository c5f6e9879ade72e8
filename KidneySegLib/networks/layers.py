"""Layers of torch by the number of dimensions, and how their weights begin."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from torch import nn

SLOPE = 0.01
CONVOLUTIONS: dict[int, type[nn.Module]] = {2: nn.Conv2d, 3: nn.Conv3d}
TRANSPOSED: dict[int, type[nn.Module]] = {2: nn.ConvTranspose2d, 3: nn.ConvTranspose3d}
INSTANCE_NORMS: dict[int, type[nn.Module]] = {2: nn.InstanceNorm2d, 3: nn.InstanceNorm3d}
BATCH_NORMS: dict[int, type[nn.Module]] = {2: nn.BatchNorm2d, 3: nn.BatchNorm3d}
MEAN_POOLS: dict[int, type[nn.Module]] = {2: nn.AvgPool2d, 3: nn.AvgPool3d}


class Step(NamedTuple):
    """What a convolution does.

    Attributes:
        dimensions: 2 or 3.
        inputs: number of channels that come in.
        outputs: number that go out.
        kernel: its width along every axis.
        stride: by which the grid gets coarser.
        kind: of normalisation, ``instance`` or ``batch``.
    """

    dimensions: int
    inputs: int
    outputs: int
    kernel: Sequence[int]
    stride: Sequence[int]
    kind: str

    @property
    def next(self) -> Step:
        """The same kernel once more, on what comes out."""
        return self._replace(inputs=self.outputs, stride=(1,) * self.dimensions)

    @property
    def shape(self) -> dict[str, tuple[int, ...]]:
        """Kernel, stride and the padding that keeps the size, as torch's layers take them."""
        padding = tuple((width - 1) // 2 for width in self.kernel)
        return {"kernel_size": tuple(self.kernel), "stride": tuple(self.stride), "padding": padding}


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
