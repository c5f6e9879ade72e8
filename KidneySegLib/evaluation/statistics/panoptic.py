"""Panoptic quality of lesions (Kirillov et al., CVPR 2019), by size.

A found lesion and one of the reference belong together where their IoU is above 0.5, which no third one can reach.
``PQ = (sum of IoU over pairs) / (pairs + false / 2 + missed / 2) = SQ x RQ``. The engine's own rule of detection asks
less (``matching``): where a lesion is must be right there, here its outline as well.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from KidneySegLib.evaluation.detection import ScoredLesion, Status

LEAST_IOU = 0.5
# Axial diameter in mm: what is watched, what is treated, what is T1b or more (4 cm) of a renal mass.
SIZES_MM = ((0.0, 10.0), (10.0, 20.0), (20.0, 40.0), (40.0, math.inf))


@dataclass(frozen=True)
class PanopticQuality:
    """Quality over a set of lesions.

    Attributes:
        pairs: lesions found with an IoU above 0.5.
        missed: other lesions of the reference.
        false: other lesions found.
        iou_sum: sum of the pairs' IoU.
    """

    pairs: int
    missed: int
    false: int
    iou_sum: float

    @property
    def segmentation(self) -> float | None:
        """SQ: mean IoU of the pairs; None without any."""
        return self.iou_sum / self.pairs if self.pairs else None

    @property
    def recognition(self) -> float | None:
        """RQ: F1 score of the lesions; None where there are none in either map."""
        weight = self.pairs + (self.missed + self.false) / 2
        return self.pairs / weight if weight else None

    @property
    def quality(self) -> float | None:
        """PQ; None where there are no lesions in either map."""
        weight = self.pairs + (self.missed + self.false) / 2
        return self.iou_sum / weight if weight else None


def panoptic_quality(lesions: Sequence[ScoredLesion], low: float = 0.0, high: float = math.inf) -> PanopticQuality:
    """Counts lesions of one structure.

    Args:
        lesions: of all exams; those too small to count are left out.
        low: smallest size in mm: of a reference lesion, for a false one of its own.
        high: first size that is too large.
    """
    counted = [one for one in lesions if one.status is not Status.TOO_SMALL and low <= one.component.size_mm < high]
    references = [lesion for lesion in counted if lesion.in_reference]
    paired = [lesion.iou for lesion in references if lesion.iou > LEAST_IOU]
    false = sum(not lesion.in_reference and lesion.iou <= LEAST_IOU for lesion in counted)
    return PanopticQuality(len(paired), len(references) - len(paired), false, math.fsum(paired))
