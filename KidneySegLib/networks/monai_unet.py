"""MONAI's residual ``UNet`` in plain torch: residual units with PReLU, strided convolutions, transposed convolutions.

After Kerfoot et al., STACOM 2018. Parameters carry MONAI's names; a test holds that both give the same logits.
"""

from collections.abc import Sequence

import torch
from torch import nn

from KidneySegLib.bundles.topology import Topology
from KidneySegLib.networks.layers import BATCH_NORMS, CONVOLUTIONS, INSTANCE_NORMS, TRANSPOSED, Step


class MonaiUNet(nn.Module):
    """Images ``(batch, inputs, [k,] j, i)`` to logits ``(batch, outputs, [k,] j, i)``.

    Sizes along every axis must be multiples of the product of the strides.
    """

    def __init__(self, dimensions: int, inputs: int, outputs: int, filters: Sequence[int], topology: Topology) -> None:
        """Builds the network with random weights, torch's own.

        Args:
            dimensions: 2 or 3.
            inputs: number of channels of the image.
            outputs: number of logits a voxel.
            filters: channels per level, finest first. MONAI names the strides between them; here level n has the
                stride by which it is coarser than level n - 1.
            topology: kernels, strides, convolutions of each residual unit on the way down, and the norm. On the way up
                each unit has one.
        """
        super().__init__()
        levels = zip(topology.kernels, topology.strides[1:] + ((),), topology.encoder, strict=True)
        self.model = _level(dimensions, inputs, outputs, filters, list(levels), topology.norm, top=True)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Returns logits."""
        logits: torch.Tensor = self.model(image)
        return logits


def _level(
    dimensions: int,
    inputs: int,
    outputs: int,
    filters: Sequence[int],
    levels: Sequence[tuple[tuple[int, ...], tuple[int, ...], int]],
    kind: str,
    *,
    top: bool,
) -> nn.Module:
    """Returns a level with all that lies below it; ``levels``: kernel, stride to the next level, convolutions."""
    own, *below = filters
    kernel, stride, units = levels[0]
    flat = (1,) * dimensions
    if len(below) == 1:
        lower: nn.Module = _Unit(Step(dimensions, own, below[0], levels[1][0], flat, kind), levels[1][2])
        joined = own + below[0]
    else:
        lower = _level(dimensions, own, own, below, levels[1:], kind, top=False)
        joined = 2 * own
    down = _Unit(Step(dimensions, inputs, own, kernel, stride, kind), units)
    step = Step(dimensions, joined, outputs, kernel, stride, kind)
    up = nn.Sequential(_Convolution(step, transposed=True), _Unit(step.next, 1, bare_end=top))
    return nn.Sequential(down, _Around(lower), up)


class _Around(nn.Module):
    """Joins what comes in with what a level below makes of it."""

    def __init__(self, submodule: nn.Module) -> None:
        super().__init__()
        self.submodule = submodule

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        return torch.cat((values, self.submodule(values)), dim=1)


class _Unit(nn.Module):
    """Convolutions, and a way past them."""

    def __init__(self, step: Step, count: int, *, bare_end: bool = False) -> None:
        super().__init__()
        self.conv = nn.Sequential()
        for number in range(count):
            bare = bare_end and number == count - 1
            self.conv.add_module(f"unit{number}", _Convolution(step.next if number else step, bare=bare))
        self.residual: nn.Module = nn.Identity()
        if max(step.stride) > 1 or step.inputs != step.outputs:
            past = step if max(step.stride) > 1 else step._replace(kernel=(1,) * step.dimensions)
            self.residual = CONVOLUTIONS[step.dimensions](step.inputs, step.outputs, **past.shape)

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = self.conv(values) + self.residual(values)
        return result


class _Convolution(nn.Sequential):
    """A convolution; unless it is ``bare``, it is normalised and rectified."""

    def __init__(self, step: Step, *, transposed: bool = False, bare: bool = False) -> None:
        super().__init__()
        if transposed:
            more = {"output_padding": tuple(stride - 1 for stride in step.stride)}
            self.add_module("conv", TRANSPOSED[step.dimensions](step.inputs, step.outputs, **step.shape, **more))
        else:
            self.add_module("conv", CONVOLUTIONS[step.dimensions](step.inputs, step.outputs, **step.shape))
        if not bare:
            norms = BATCH_NORMS if step.kind == "batch" else INSTANCE_NORMS
            self.add_module("adn", nn.Sequential())
            self.adn.add_module("N", norms[step.dimensions](step.outputs))
            self.adn.add_module("A", nn.PReLU())
