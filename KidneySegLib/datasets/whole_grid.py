"""A whole exam on a grid of a fixed number of voxels, as inference brings it there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from KidneySegLib.datasets.labelled_exam import LabelledExam
from KidneySegLib.inference.resampling import resample


def on_grid(exam: LabelledExam, grid: tuple[int, int, int]) -> LabelledExam:
    """Returns an exam on a grid over the same extent; a voxel has the label that fills at least half of it.

    Args:
        exam: on its store grid.
        grid: voxels along k, j, i.
    """
    shape = exam.hu.shape

    def mask(array: np.ndarray) -> np.ndarray:
        return (resample(array, grid).numpy() >= 0.5).astype(np.uint8)

    lesions = mask(exam.lesions == 3) * np.uint8(3) + mask(exam.lesions == 4) * np.uint8(4)
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
        organ=mask(exam.organ),
        parenchyma=mask(exam.parenchyma),
        depth=exam.depth[nearest],
        lesions=lesions,
        regions=exam.regions[nearest],
        boxes=tuple(boxes),
    )
