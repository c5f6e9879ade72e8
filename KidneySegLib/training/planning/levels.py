"""How many levels a network gets, and how coarse each is: nnU-Net's rules on spacing and patch."""

import math
from collections.abc import Sequence

from KidneySegLib.bundles.limits import MOST_LEVELS
from KidneySegLib.bundles.topology import Topology

# No axis gets shorter than this on the coarsest level.
SHORTEST_EDGE = 4
# Axes whose spacing is within this factor of the finest one are halved, and convolved over, together.
_ALIKE = 2.0
FEWEST_FILTERS, MOST_FILTERS = 32, 320
# Residual blocks of the levels on the way down; plain networks have two convolutions each way.
_RESIDUAL_BLOCKS = (1, 3, 4, 6, 6, 6, 6, 6)


def levels_for(
    patch: Sequence[int], spacing: Sequence[float], *, residual: bool
) -> tuple[Topology, tuple[int, int, int]]:
    """Returns the levels for a patch, and the patch enlarged to what they can divide.

    An axis is halved while it has twice the shortest edge, and its spacing is less than twice that of the finest axis
    that can still be halved; a single axis, only while it has three times the shortest edge. A kernel is 1 wide along
    an axis until the spacing there is less than twice the finest.

    Args:
        patch: voxels along k, j, i.
        spacing: mm along k, j, i.
        residual: whether the way down is made of residual blocks.
    """
    size, step = list(map(float, patch)), list(spacing)
    strides, kernels, width = [(1, 1, 1)], list[tuple[int, int, int]](), [1, 1, 1]
    while len(strides) < MOST_LEVELS:
        able = [axis for axis in range(3) if size[axis] >= 2 * SHORTEST_EDGE]
        if not able:
            break
        finest = min(step[axis] for axis in able)
        able = [axis for axis in able if step[axis] / finest < _ALIKE]
        if len(able) == 1 and size[able[0]] < 3 * SHORTEST_EDGE:
            break
        width = [3 if w == 3 or step[axis] / min(step) < _ALIKE else 1 for axis, w in enumerate(width)]
        for axis in able:
            step[axis] *= 2
            size[axis] = math.ceil(size[axis] / 2)
        k, j, i = (2 if axis in able else 1 for axis in range(3))
        strides.append((k, j, i))
        kernels.append((width[0], width[1], width[2]))
    kernels.append((3, 3, 3))
    count = len(strides)
    encoder = _RESIDUAL_BLOCKS[:count] if residual else (2,) * count
    decoder = ((1,) if residual else (2,)) * (count - 1)
    k, j, i = (
        -(-length // divisor) * divisor
        for length, divisor in zip(patch, map(math.prod, zip(*strides, strict=True)), strict=True)
    )
    return Topology(tuple(strides), tuple(kernels), encoder, decoder), (k, j, i)


def filters_of(topology: Topology) -> tuple[int, ...]:
    """Returns the channels of each level, finest first: twice as many each, up to a limit."""
    return tuple(min(MOST_FILTERS, FEWEST_FILTERS * 2**level) for level in range(len(topology.strides)))


def feature_voxels(topology: Topology, patch: Sequence[int], outputs: int, *, residual: bool) -> int:
    """Returns how many values the feature maps of a patch have, which the memory for training follows.

    Args:
        topology: of the network.
        patch: voxels along k, j, i.
        outputs: of the network.
        residual: whether the way down is made of residual blocks.
    """
    filters, sizes, total = filters_of(topology), list[int](), 0
    shape, before = list(patch), filters[0]
    if residual:
        total += filters[0] * math.prod(shape)  # the stem
    for channels, stride, count in zip(filters, topology.strides, topology.encoder, strict=True):
        shape = [length // step for length, step in zip(shape, stride, strict=True)]
        sizes.append(math.prod(shape))
        maps = 2 * count if residual else count
        if residual and (before != channels or max(stride) > 1):
            maps += 1  # the way past the first block
        total += maps * channels * sizes[-1]
        before = channels
    for channels, size, count in zip(filters[:-1], sizes[:-1], topology.decoder[::-1], strict=True):
        total += (count + 1) * channels * size
    return total + outputs * sizes[0]
