"""How sure the network is of each lesion voxel, kept only where there are lesions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from KidneySegLib.geometry.boxes import Box, bounding_boxes
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
        boxes = [box for label, box in bounding_boxes(labels).items() if label in _LESIONS]
        if not boxes:
            return None
        k, j, i = (slice(min(a.start for a in axis), max(a.stop for a in axis)) for axis in zip(*boxes, strict=True))
        return cls((k, j, i), percent[k, j, i].copy())
