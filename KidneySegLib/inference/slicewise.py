"""Runs a stage on a whole exam and decides slice by slice, so that no probability of the whole exam is ever held."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch

from KidneySegLib.flags import Flag
from KidneySegLib.geometry.boxes import Box
from KidneySegLib.inference.body_box import body_box
from KidneySegLib.inference.memory import probabilities_within_memory
from KidneySegLib.inference.predict import Predictor
from KidneySegLib.inference.resampling import grid_shape, resample, restore_slice
from KidneySegLib.progress import Share


def slice_probabilities(
    voxels: np.ndarray, spacing: Sequence[float], predictor: Predictor, tell: Callable[[float], None]
) -> tuple[Box, Iterator[torch.Tensor], list[Flag]]:
    """Runs a stage, and returns the probabilities of one slice after the other.

    Args:
        voxels: HU ``(k, j, i)``, canonical orientation, any real type.
        spacing: mm along k, j, i. Along k it means nothing to a 2D network.
        predictor: the stage.
        tell: takes the finished share.

    Returns:
        The part of the exam that was looked at, slices for k, j, i; for each of its slices the probability of every
        output, ``(outputs, j, i)`` 32-bit float, the mean over the scales; and flags.
    """
    stage, flags = predictor.stage, list[Flag]()
    k, j, i = (slice(0, size) for size in voxels.shape)
    box = (k, j, i) if stage.body_hu is None else body_box(voxels, stage.body_hu)
    part = voxels[box]
    grids = []
    for number, scale in enumerate(stage.scales):
        shape = stage.grid or grid_shape(part.shape, spacing, [scale * s for s in stage.spacing])
        if stage.network.dimensions == 2:
            shape = (part.shape[0], *shape[1:])
        share = Share(tell).nth(number, len(stage.scales))
        found, more = probabilities_within_memory(predictor, resample(part, shape), share)
        grids.append(found)
        flags += [flag for flag in more if flag not in flags]
    whole = (part.shape[0], part.shape[1], part.shape[2])

    def slices() -> Iterator[torch.Tensor]:
        for number in range(whole[0]):
            first, *rest = (restore_slice(grid, number, whole) for grid in grids)
            for other in rest:
                first = first + other
            yield first / len(grids)

    return box, slices(), flags
