"""The networks of nnU-Net v2 in plain torch: ``PlainConvUNet`` and ``ResidualEncoderUNet``.

After Isensee et al., Nat Methods 2021, and "nnU-Net Revisited", MICCAI 2024. Parameters carry the names that they have
in the package dynamic-network-architectures, in which nnU-Net trains; a test holds that both give the same logits.
"""

from collections.abc import Iterator, Sequence

import torch
from torch import nn

from KidneySegLib.bundles.topology import Topology
from KidneySegLib.networks.layers import CONVOLUTIONS, MEAN_POOLS, SLOPE, TRANSPOSED, Step, initialise, norm


class NnUNet(nn.Module):
    """Images ``(batch, inputs, [k,] j, i)`` to logits ``(batch, outputs, [k,] j, i)``.

    Sizes along every axis must be multiples of the product of the strides.
    """

    def __init__(
        self,
        dimensions: int,
        inputs: int,
        outputs: int,
        filters: Sequence[int],
        topology: Topology,
        *,
        residual: bool,
    ) -> None:
        """Builds the network with random weights.

        Args:
            dimensions: 2 or 3.
            inputs: number of channels of the image.
            outputs: number of logits a voxel.
            filters: channels per level, finest first.
            topology: how the levels are built.
            residual: whether the way down is made of residual blocks.
        """
        super().__init__()
        encoder = _ResidualEncoder if residual else _PlainEncoder
        self.encoder = encoder(dimensions, inputs, filters, topology)
        self.decoder = _Decoder(dimensions, outputs, filters, topology)
        self.supervised = False
        self.apply(initialise)

    def forward(self, image: torch.Tensor) -> torch.Tensor | list[torch.Tensor]:
        """Returns logits; while a network under deep supervision is trained, those of every level, finest first."""
        if self.supervised and self.training:
            return self.levels(image)
        finest = self.decoder(self.encoder(image))[-1]
        logits: torch.Tensor = self.decoder.seg_layers[-1](finest)
        return logits

    def levels(self, image: torch.Tensor) -> list[torch.Tensor]:
        """Returns the logits of every level on the way up, finest first."""
        values = self.decoder(self.encoder(image))
        return [layer(value) for layer, value in zip(self.decoder.seg_layers, values, strict=True)][::-1]


class _PlainEncoder(nn.Module):
    """Convolutions alone; the first one of a level halves the grid."""

    def __init__(self, dimensions: int, inputs: int, filters: Sequence[int], topology: Topology) -> None:
        super().__init__()
        steps = _steps(dimensions, (inputs, *filters[:-1]), filters, topology)
        self.stages = nn.Sequential(*(nn.Sequential(_Stack(step, count)) for step, count in steps))

    def forward(self, values: torch.Tensor) -> list[torch.Tensor]:
        return _through(self.stages, values)


class _ResidualEncoder(nn.Module):
    """A stem, and residual blocks; the first one of a level halves the grid."""

    def __init__(self, dimensions: int, inputs: int, filters: Sequence[int], topology: Topology) -> None:
        super().__init__()
        stem = Step(dimensions, inputs, filters[0], topology.kernels[0], (1,) * dimensions, topology.norm)
        self.stem = _Stack(stem, 1)
        steps = _steps(dimensions, (filters[0], *filters[:-1]), filters, topology)
        self.stages = nn.Sequential(*(_ResidualStack(step, count) for step, count in steps))

    def forward(self, values: torch.Tensor) -> list[torch.Tensor]:
        return _through(self.stages, self.stem(values))


class _Decoder(nn.Module):
    """Levels on the way up, coarsest first, each with a layer of logits."""

    def __init__(self, dimensions: int, outputs: int, filters: Sequence[int], topology: Topology) -> None:
        super().__init__()
        kernels, counts = topology.kernels[:-1], topology.decoder[::-1]
        ups = list(zip(filters[1:], filters[:-1], topology.strides[1:], kernels, counts, strict=True))[::-1]
        convolution, transposed = CONVOLUTIONS[dimensions], TRANSPOSED[dimensions]
        none = (1,) * dimensions
        self.stages = nn.ModuleList(
            _Stack(Step(dimensions, 2 * fine, fine, kernel, none, topology.norm), count)
            for _, fine, _, kernel, count in ups
        )
        self.transpconvs = nn.ModuleList(
            transposed(coarse, fine, kernel_size=stride, stride=stride) for coarse, fine, stride, _, _ in ups
        )
        self.seg_layers = nn.ModuleList(convolution(fine, outputs, kernel_size=1) for _, fine, *_ in ups)

    def forward(self, levels: list[torch.Tensor]) -> list[torch.Tensor]:
        *skips, values = levels
        found = []
        for up, stage, skip in zip(self.transpconvs, self.stages, reversed(skips), strict=True):
            values = stage(torch.cat((up(values), skip), dim=1))
            found.append(values)
        return found


class _Stack(nn.Module):
    """Convolutions one after the other."""

    def __init__(self, step: Step, count: int) -> None:
        super().__init__()
        self.convs = nn.Sequential(_Convolution(step), *(_Convolution(step.next) for _ in range(count - 1)))

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = self.convs(values)
        return result


class _ResidualStack(nn.Module):
    """Residual blocks one after the other."""

    def __init__(self, step: Step, count: int) -> None:
        super().__init__()
        self.blocks = nn.Sequential(_ResidualBlock(step), *(_ResidualBlock(step.next) for _ in range(count - 1)))

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = self.blocks(values)
        return result


class _ResidualBlock(nn.Module):
    """Two convolutions and a way past them, which averages where the grid gets coarser (ResNet-D)."""

    def __init__(self, step: Step) -> None:
        super().__init__()
        none = (1,) * step.dimensions
        self.conv1 = _Convolution(step)
        self.conv2 = _Convolution(step.next, active=False)
        past: list[nn.Module] = []
        if max(step.stride) > 1:
            past.append(MEAN_POOLS[step.dimensions](tuple(step.stride), tuple(step.stride)))
        if step.inputs != step.outputs:
            past.append(_Convolution(step._replace(kernel=none, stride=none), active=False, bias=False))
        self.skip = nn.Sequential(*past)
        self.nonlin2 = nn.LeakyReLU(SLOPE, inplace=True)

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = self.nonlin2(self.conv2(self.conv1(values)) + self.skip(values))
        return result


class _Convolution(nn.Module):
    """A convolution that is normalised, and rectified unless something is added first."""

    def __init__(self, step: Step, *, active: bool = True, bias: bool = True) -> None:
        super().__init__()
        self.conv = CONVOLUTIONS[step.dimensions](step.inputs, step.outputs, **step.shape, bias=bias)
        self.norm = norm(step.dimensions, step.kind, step.outputs)
        self.active = active

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        values = self.norm(self.conv(values))
        return nn.functional.leaky_relu(values, SLOPE, inplace=True) if self.active else values


def _steps(
    dimensions: int, inputs: Sequence[int], filters: Sequence[int], topology: Topology
) -> Iterator[tuple[Step, int]]:
    """Yields the first convolution of every level on the way down, and how many the level has."""
    levels = zip(inputs, filters, topology.kernels, topology.strides, topology.encoder, strict=True)
    for before, after, kernel, stride, count in levels:
        yield Step(dimensions, before, after, kernel, stride, topology.norm), count


def _through(stages: nn.Sequential, values: torch.Tensor) -> list[torch.Tensor]:
    """Returns what every stage gives, finest first."""
    found = []
    for stage in stages:
        values = stage(values)
        found.append(values)
    return found
