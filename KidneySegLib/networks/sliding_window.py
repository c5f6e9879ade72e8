"""Runs a network over an image in overlapping tiles that are blended by a Gaussian, as nnU-Net and MONAI do."""

from collections.abc import Callable, Sequence
from itertools import product

import torch

# Width of the Gaussian in shares of a tile, and its least value: corners still count where no other tile lies.
_SIGMA = 0.125
_LEAST_WEIGHT = 1e-3


def tile_starts(size: int, patch: int, overlap: float) -> list[int]:
    """Returns where tiles start along one axis; the last one ends with the image.

    Args:
        size: voxels of the image, at least one patch.
        patch: voxels of a tile.
        overlap: share of a tile that the next one covers, 0 to below 1.
    """
    step = max(1, int(patch * (1 - overlap)))
    return [*range(0, size - patch, step), size - patch]


def tile_count(shape: Sequence[int], patch: Sequence[int], overlap: float) -> int:
    """Returns how many tiles cover ``shape``, which is at least one patch along every axis."""
    count = 1
    for size, length in zip(shape, patch, strict=True):
        count *= len(tile_starts(size, length, overlap))
    return count


def gaussian_weights(patch: Sequence[int]) -> torch.Tensor:
    """Returns the weight of each voxel of a tile, 32-bit float, 1 in the middle."""
    weights = torch.ones(())
    for length in patch:
        places = torch.arange(length, dtype=torch.float32) - (length - 1) / 2
        weights = weights.unsqueeze(-1) * torch.exp(places**2 / (-2 * (_SIGMA * length) ** 2))
    return weights.clamp(min=max(float(weights.min()), _LEAST_WEIGHT))


def sliding_window(
    image: torch.Tensor, patch: Sequence[int], overlap: float, run: Callable[[torch.Tensor], torch.Tensor]
) -> torch.Tensor:
    """Returns the blended logits, ``(outputs, [k,] j, i)`` 32-bit float on the CPU.

    Args:
        image: ``(inputs, [k,] j, i)`` on the CPU, at least one patch along every axis.
        patch: voxels of a tile along [k,] j, i.
        overlap: share of a tile that its neighbour covers, 0 to below 1.
        run: takes a tile with a batch axis in front and gives its logits alike, on any device.
    """
    weights = gaussian_weights(patch)
    shape = image.shape[1:]
    total: torch.Tensor | None = None
    norm = torch.zeros(shape)
    for starts in product(*(tile_starts(*axis, overlap) for axis in zip(shape, patch, strict=True))):
        place = tuple(slice(start, start + length) for start, length in zip(starts, patch, strict=True))
        logits = run(image[(slice(None), *place)][None])[0].to("cpu", torch.float32)
        if total is None:
            total = torch.zeros((logits.shape[0], *shape))
        total[(slice(None), *place)] += logits * weights
        norm[place] += weights
    assert total is not None  # there is always a tile
    return total.div_(norm)
