"""Free-response ROC: sensitivity against false alarms per exam as the confidence that is asked for falls.

Sensitivities at 1/8, 1/4, 1/2, 1, 2, 4 and 8 false alarms per exam and their mean are those of LUNA16 (Setio et al.,
Med Image Anal 2017). A found lesion's confidence is the mean probability of its voxels. The engine already leaves out
what it believes too little, so the curve ends at what a user is shown: beyond its last point it stays level.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from KidneySegLib.evaluation.detection import ScoredLesion, Status

FALSE_ALARMS = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)


@dataclass(frozen=True)
class FrocPoint:
    """One threshold.

    Attributes:
        confidence: that is asked for.
        false_per_exam: found lesions that are none, per exam.
        sensitivity: share of the reference's lesions that are found.
    """

    confidence: float
    false_per_exam: float
    sensitivity: float


def froc(lesions: Sequence[ScoredLesion], exams: int) -> list[FrocPoint]:
    """Returns the curve, from the highest confidence to the lowest.

    Args:
        lesions: of one structure or of several together, of all exams. Found ones without a known confidence count as
            certain, so that without any there is a single point.
        exams: number of exams.

    Returns:
        Empty where the reference has no lesion that counts.
    """
    total = sum(lesion.status in (Status.FOUND, Status.MISSED) for lesion in lesions)
    if not total or not exams:
        return []
    hits = [_confidence(lesion) for lesion in lesions if lesion.status is Status.FOUND]
    alarms = [_confidence(lesion) for lesion in lesions if lesion.status is Status.FALSE]
    points = []
    for threshold in sorted({*hits, *alarms}, reverse=True):
        false = sum(confidence >= threshold for confidence in alarms)
        found = sum(confidence >= threshold for confidence in hits)
        points.append(FrocPoint(threshold, false / exams, found / total))
    return points or [FrocPoint(1.0, 0.0, 0.0)]


def sensitivity_at(curve: Sequence[FrocPoint], false_per_exam: float) -> float:
    """Returns the highest sensitivity that costs no more false alarms per exam; 0 where none does."""
    return max((point.sensitivity for point in curve if point.false_per_exam <= false_per_exam), default=0.0)


def _confidence(lesion: ScoredLesion) -> float:
    return 1.0 if lesion.confidence is None else lesion.confidence
