"""A labelled exam as training and its validation use it: one volume, or one slice with k = 1."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class LabelledExam:
    """One exam on its store grid; all arrays are ``(k, j, i)`` in canonical orientation (left, back, head).

    Attributes:
        name: for tables, unique in its data set.
        patient: exams of one patient must never be on both sides of a split.
        spacing: store spacing in mm along k, j, i; of a slice, k means nothing.
        hu: int16; grey values, where a task has no HU.
        organ: uint8, 1 where kidney of either side, with its masses, cysts and stones.
        parenchyma: uint8, 1 where kidney without lesions and stones: what contrast medium enhances.
        depth: uint8, mm below the surface of the kidney's filled hull, 0 outside.
        lesions: uint8, 3 solid mass, 4 cyst, as in label maps; 0 elsewhere.
        regions: uint8, pieces of soft tissue that enhance together; 0 is none.
        boxes: per kidney ``(side, lower corner, upper corner)`` in voxels; side is ``right`` or ``left``.
        thickness: slice thickness of the original in mm; 0 for a single slice.
        weight: how often it is drawn for training, another exam 1.
    """

    name: str
    patient: str
    spacing: tuple[float, float, float]
    hu: np.ndarray
    organ: np.ndarray
    parenchyma: np.ndarray
    depth: np.ndarray
    lesions: np.ndarray
    regions: np.ndarray
    boxes: tuple[tuple[str, tuple[int, ...], tuple[int, ...]], ...] = ()
    thickness: float = 0.0
    weight: float = 1.0
