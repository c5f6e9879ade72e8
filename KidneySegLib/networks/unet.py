"""The U-Net of the bundles in plain torch.

Two convolutions with instance normalisation and leaky ReLU per level, strides down, transposed convolutions up: the
plain network of nnU-Net (Isensee et al., Nat Methods 2021). Parameters carry the names of MONAI's ``DynUNet``, with
which the first bundles were trained; a test holds that both give the same logits.
"""

from collections import OrderedDict
from collections.abc import Sequence

import torch
from torch import nn

from KidneySegLib.networks.layers import CONVOLUTIONS, INSTANCE_NORMS, SLOPE, TRANSPOSED, initialise


class UNet(nn.Module):
    """Images ``(batch, inputs, [k,] j, i)`` to logits ``(batch, outputs, [k,] j, i)``.

    Sizes along every axis must be multiples of ``2 ** (levels - 1)``.
    """

    def __init__(
        self, dimensions: int, inputs: int, outputs: int, filters: Sequence[int], *, affine: bool = False
    ) -> None:
        """Builds the network with random weights.

        Args:
            dimensions: 2 or 3.
            inputs: number of channels of the image.
            outputs: number of logits a voxel.
            filters: channels per level, finest first; at least two.
            affine: whether normalisation is followed by a learnt scale and shift.
        """
        super().__init__()
        *steps, last = zip(filters[:-1], filters[1:], strict=True)
        self.input_block = _Block(dimensions, inputs, filters[0], 1, affine)
        self.downsamples = nn.ModuleList(_Block(dimensions, *step, 2, affine) for step in steps)
        self.bottleneck = _Block(dimensions, *last, 2, affine)
        ups = [(coarse, fine) for fine, coarse in (last, *reversed(steps))]
        self.upsamples = nn.ModuleList(_Up(dimensions, *up, affine) for up in ups)
        head = CONVOLUTIONS[dimensions](filters[0], outputs, kernel_size=1)
        self.output_block = _named(_named(head))
        self.apply(initialise)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Returns logits."""
        levels = [self.input_block(image)]
        for down in self.downsamples:
            levels.append(down(levels[-1]))
        values = self.bottleneck(levels[-1])
        for up in self.upsamples:
            # nothing else may hold what is joined: it is the largest array, and of no use after the first convolution
            values = up.conv_block.first(up.joined(values, levels.pop()))
            values = up.conv_block.second(values)
        logits: torch.Tensor = self.output_block(values)
        return logits


class _Block(nn.Module):
    """Two convolutions of width 3, each normalised; the first one may halve the grid."""

    def __init__(self, dimensions: int, inputs: int, outputs: int, stride: int, affine: bool) -> None:
        super().__init__()
        convolution, norm = CONVOLUTIONS[dimensions], INSTANCE_NORMS[dimensions]
        self.conv1 = _named(convolution(inputs, outputs, kernel_size=3, stride=stride, padding=1, bias=False))
        self.conv2 = _named(convolution(outputs, outputs, kernel_size=3, padding=1, bias=False))
        self.norm1, self.norm2 = norm(outputs, affine=affine), norm(outputs, affine=affine)
        self.lrelu = nn.LeakyReLU(SLOPE, inplace=True)

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        return self.second(self.first(values))

    def first(self, values: torch.Tensor) -> torch.Tensor:
        values = self.conv1(values)
        result: torch.Tensor = self.lrelu(self.norm1(values))
        return result

    def second(self, values: torch.Tensor) -> torch.Tensor:
        values = self.conv2(values)
        result: torch.Tensor = self.lrelu(self.norm2(values))
        return result


class _Up(nn.Module):
    """Doubles the grid and joins what the level on the way down had."""

    def __init__(self, dimensions: int, inputs: int, outputs: int, affine: bool) -> None:
        super().__init__()
        transposed = TRANSPOSED[dimensions](inputs, outputs, kernel_size=2, stride=2, bias=False)
        self.transp_conv = _named(transposed)
        self.conv_block = _Block(dimensions, 2 * outputs, outputs, 1, affine)

    def joined(self, values: torch.Tensor, level: torch.Tensor) -> torch.Tensor:
        return torch.cat((self.transp_conv(values), level), dim=1)


def _named(layer: nn.Module) -> nn.Module:
    """Puts a layer under the name ``conv``, which is part of the names of the shipped weights."""
    return nn.Sequential(OrderedDict(conv=layer))
