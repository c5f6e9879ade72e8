"""A labelled exam as training and its validation use it: one volume, or one slice with k = 1."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from KidneySegLib.inference.resampling import resample_mask


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

    @cached_property
    def classes(self) -> dict[str, np.ndarray]:
        """Places of the voxels of ``kidney`` (without its lesions), ``mass`` and ``cyst`` in the flattened arrays."""
        lesions = self.lesions.ravel()
        organ = (self.organ.ravel() > 0) & (lesions == 0)
        return {name: np.flatnonzero(mask) for name, mask in _masks(organ, lesions)}

    def within(self, corner: tuple[int, int, int], end: tuple[int, int, int]) -> LabelledExam:
        """Returns the part from one corner to the other, exclusive, in voxels ``(k, j, i)``; boxes are cut to it."""
        box = tuple(slice(low, up) for low, up in zip(corner, end, strict=True))
        names = ("hu", "organ", "parenchyma", "depth", "lesions", "regions")
        cut: dict[str, Any] = {name: np.ascontiguousarray(getattr(self, name)[box]) for name in names}
        size = np.subtract(end, corner)
        boxes = []
        for side, low, up in self.boxes:
            first, last = (np.clip(np.subtract(place, corner), 0, size) for place in (low, up))
            if (last > first).all():
                boxes.append((side, tuple(first.tolist()), tuple(last.tolist())))
        return replace(self, boxes=tuple(boxes), **cut)


def _masks(organ: np.ndarray, lesions: np.ndarray) -> tuple[tuple[str, np.ndarray], ...]:
    return ("kidney", organ), ("mass", lesions == 3), ("cyst", lesions == 4)


def resampled_labels(labels: np.ndarray, shape: tuple[int, int, int]) -> dict[str, np.ndarray]:
    """Returns what an exam has of a label map, on another grid over the same extent: organ, parenchyma and lesions.

    Args:
        labels: uint8 ``(k, j, i)``, values of ``structures``.
        shape: of the grid.
    """
    organ = resample_mask(labels > 0, shape)
    parenchyma = resample_mask((labels == 1) | (labels == 2), shape) & organ
    return {"organ": organ, "parenchyma": parenchyma, "lesions": resampled_lesions(labels, shape)}


def resampled_lesions(labels: np.ndarray, shape: tuple[int, int, int]) -> np.ndarray:
    """Returns masses (3) and cysts (4) on another grid over the same extent, uint8."""
    masses, cysts = (resample_mask(labels == value, shape) * np.uint8(value) for value in (3, 4))
    return masses + cysts
