"""The network of a stage, as a plan declares it."""

from __future__ import annotations

import math
from typing import Annotated

from pydantic import Field, model_validator

from KidneySegLib.bundles.declaration import Count, Switch, Text, declaration
from KidneySegLib.bundles.limits import (
    FEWEST_LEVELS,
    LARGEST_ENCODER,
    MOST_BRANCHES,
    MOST_CHANNELS,
    MOST_LEVELS,
)
from KidneySegLib.bundles.topology import Topology

_Channels = Annotated[Count, Field(le=MOST_CHANNELS)]
_Names = Annotated[tuple[Text, ...], Field(min_length=1, max_length=MOST_CHANNELS)]

# Residual encoders halve the grid five times, and their first level has 64 channels at half the grid.
_ENCODER_DIVISOR, _ENCODER_CHANNELS = 32, 64


@declaration
class Branch:
    """One of several networks in parallel, with the inputs and outputs of the whole.

    Attributes:
        architecture: name known to ``networks.factory``.
        encoder: name known to ``networks.resnet``.
    """

    architecture: Text
    encoder: Text


@declaration
class NetworkPlan:
    """The network of one stage; it has filters, an encoder or branches.

    Attributes:
        architecture: name known to ``networks.factory``.
        filters: channels per resolution level, finest first; each level halves the grid.
        outputs: names of the output channels.
        inputs: names of the input channels: see ``inference.window_channels``, or
            ``inference.organ_channels.ORGAN_INPUTS``.
        affine: whether instance normalisation is followed by a learnt scale and shift.
        exclusive: whether a voxel has exactly one of the outputs (softmax), or any number of them (sigmoid).
        encoder: in place of filters: name known to ``networks.resnet``.
        branches: in place of filters: networks in parallel, whose outputs a convolution fuses.
        topology: with filters: of the architectures that nnU-Net and MONAI plan level by level.
    """

    architecture: Text
    filters: Annotated[tuple[_Channels, ...], Field(max_length=MOST_LEVELS)] = ()
    outputs: _Names = ()
    inputs: _Names = ("image",)
    affine: Switch = False
    exclusive: Switch = False
    encoder: Text | None = None
    branches: Annotated[tuple[Branch, ...], Field(min_length=2, max_length=MOST_BRANCHES)] | None = None
    topology: Topology | None = None

    @model_validator(mode="after")
    def _one_body(self) -> NetworkPlan:
        if sum(map(bool, (self.filters, self.encoder, self.branches))) != 1:
            raise ValueError("a network has exactly one of filters, encoder and branches")
        if self.filters and len(self.filters) < FEWEST_LEVELS:
            raise ValueError(f"filters: there must be at least {FEWEST_LEVELS} levels")
        if not self.outputs:
            raise ValueError("outputs: it is missing")
        if self.topology is not None:
            self.topology.check(len(self.filters), self.dimensions)
        return self

    @property
    def dimensions(self) -> int:
        """2 for a network that sees slices, else 3."""
        return 2 if self.architecture.endswith("2d") else 3

    @property
    def divisors(self) -> tuple[int, int, int]:
        """Sizes of what it sees along k, j, i must be multiples of these."""
        every = [int(2 ** (len(self.filters) - 1)) if self.filters else _ENCODER_DIVISOR] * self.dimensions
        if self.topology is not None:
            every = [math.prod(axis) for axis in zip(*self.topology.strides, strict=True)]
        k, j, i = every if len(every) == 3 else (1, *every)
        return k, j, i

    @property
    def finest_channels(self) -> int:
        """About how many channels it has on the grid of the image, which decides how much memory it takes."""
        if self.filters:
            return self.filters[0]
        return _ENCODER_CHANNELS * len(self.branches or (self.encoder,))

    @property
    def parameters(self) -> int:
        """About how many parameters it has: of a U-Net with kernels of three, two convolutions per level, each way."""
        if not self.filters:
            return LARGEST_ENCODER * len(self.branches or (self.encoder,))
        if self.topology is not None:
            return self.topology.parameters(self.filters)
        kernel = 3**self.dimensions
        pairs = zip(self.filters, (*self.filters[1:], self.filters[-1]), strict=True)
        return sum(4 * kernel * fine * coarse for fine, coarse in pairs)
