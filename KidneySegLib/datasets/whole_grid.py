"""A whole exam on a grid of a fixed number of voxels, as inference brings it there."""

from dataclasses import replace

import numpy as np

from KidneySegLib.datasets.labelled_exam import LabelledExam, resampled_lesions
from KidneySegLib.inference.resampling import resample, resample_mask


def on_grid(exam: LabelledExam, grid: tuple[int, int, int]) -> LabelledExam:
    """Returns an exam on a grid over the same extent; a voxel has the label that fills at least half of it.

    Args:
        exam: on its store grid.
        grid: voxels along k, j, i.
    """
    shape = exam.hu.shape
    nearest = np.ix_(*(((np.arange(new) + 0.5) * old / new).astype(int) for new, old in zip(grid, shape, strict=True)))
    factors = [new / old for new, old in zip(grid, shape, strict=True)]
    k, j, i = (spacing / factor for spacing, factor in zip(exam.spacing, factors, strict=True))
    boxes = []
    for side, low, up in exam.boxes:
        first = tuple(int(n * factor) for n, factor in zip(low, factors, strict=True))
        last = tuple(max(a + 1, int(np.ceil(n * f))) for a, n, f in zip(first, up, factors, strict=True))
        boxes.append((side, first, last))
    return replace(
        exam,
        spacing=(k, j, i),
        hu=resample(exam.hu, grid).round().numpy().astype(np.int16),
        organ=resample_mask(exam.organ, grid),
        parenchyma=resample_mask(exam.parenchyma, grid),
        depth=exam.depth[nearest],
        lesions=resampled_lesions(exam.lesions, grid),
        regions=exam.regions[nearest],
        boxes=tuple(boxes),
    )
