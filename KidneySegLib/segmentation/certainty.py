"""How sure the network is of each lesion voxel, kept only where there are lesions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from KidneySegLib.segmentation.boxed import Box
from KidneySegLib.structures import BY_KEY

_LESIONS = (BY_KEY["mass"].label, BY_KEY["cyst"].label)


@dataclass(frozen=True)
class Certainty:
    """Probabilities of masses and cysts.

    Attributes:
        box: part of the label map that ``percent`` covers, slices for k, j, i.
        percent: uint8 ``(k, j, i)``: probability of each lesion voxel's own label in per cent.
    """

    box: Box
    percent: np.ndarray

    @classmethod
    def within(cls, labels: np.ndarray, percent: np.ndarray) -> Certainty | None:
        """Cuts ``percent`` to where ``labels`` (both uint8 ``(k, j, i)``) has masses and cysts; None if it has none."""
        slices = []
        inside = np.flatnonzero(labels.max(axis=(1, 2)) >= min(_LESIONS))
        if inside.size == 0:
            return None
        part = np.isin(labels[inside[0] : inside[-1] + 1], _LESIONS)
        for axis in range(3):
            filled = np.flatnonzero(part.any(axis=tuple(other for other in range(3) if other != axis)))
            if filled.size == 0:
                return None
            slices.append(slice(int(filled[0]), int(filled[-1]) + 1))
        k = slice(slices[0].start + int(inside[0]), slices[0].stop + int(inside[0]))
        box = (k, slices[1], slices[2])
        return cls(box, percent[box].copy())
