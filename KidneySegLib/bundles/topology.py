"""The levels of a network, where its architecture leaves them open, as a plan declares them."""

import math
from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from KidneySegLib.bundles.declaration import Count, declaration
from KidneySegLib.bundles.limits import LONGEST_STRIDE, MOST_BLOCKS, WIDEST_KERNEL

_Blocks = Annotated[Count, Field(le=MOST_BLOCKS)]
# one number for each axis
_Kernel = tuple[Annotated[Count, Field(le=WIDEST_KERNEL)], ...]
_Stride = tuple[Annotated[Count, Field(le=LONGEST_STRIDE)], ...]


@declaration
class Topology:
    """How the levels of a network are built, where its architecture leaves that open; axes along [k,] j, i.

    Attributes:
        strides: how many times coarser each level is than the one before, finest first; the first one is not.
        kernels: widths of the convolutions of each level; odd.
        encoder: convolutions or residual blocks of each level on the way down.
        decoder: the same on the way up, coarsest first: one level less.
        norm: ``instance`` or ``batch``.
    """

    strides: tuple[_Stride, ...]
    kernels: tuple[_Kernel, ...]
    encoder: tuple[_Blocks, ...]
    decoder: tuple[_Blocks, ...]
    norm: Literal["instance", "batch"] = "instance"

    def check(self, levels: int, dimensions: int) -> None:
        """Checks that the topology is that of a network.

        Raises:
            ValueError: it has another number of levels or axes, or a kernel without a middle.
        """
        lengths = {len(self.strides), len(self.kernels), len(self.encoder), len(self.decoder) + 1}
        axes = {len(each) for each in (*self.strides, *self.kernels)}
        if lengths != {levels} or axes != {dimensions}:
            raise ValueError("its topology must name every level, and every axis of each")
        if set(self.strides[0]) != {1} or any(width % 2 == 0 for kernel in self.kernels for width in kernel):
            raise ValueError("its topology must begin with strides of 1, and have odd kernels")

    def parameters(self, filters: Sequence[int]) -> int:
        """Returns about how many parameters a network has with these channels per level; blocks have two layers."""
        pairs = zip(filters, (*filters[1:], filters[-1]), strict=True)
        blocks = zip(self.encoder, (*self.decoder[::-1], 0), strict=True)
        return sum(
            2 * (down + up) * math.prod(kernel) * fine * coarse
            for (fine, coarse), (down, up), kernel in zip(pairs, blocks, self.kernels, strict=True)
        )
