"""Whether kidneys and lesions of a label map lie where their labels say: numbers of other programs, swapped sides."""

from collections.abc import Sequence

import numpy as np

from KidneySegLib.findings import LesionFinding
from KidneySegLib.findings.flag_values import name_of
from KidneySegLib.flags import Flag
from KidneySegLib.measuring.orientation.coarse_exam import CoarseExam
from KidneySegLib.measuring.orientation.spine import Spine
from KidneySegLib.structures import Numbering, Side

# Shares of a kidney beyond the middle by more than the margin. A kidney that is pushed aside, rotated or fused and
# divided at the middle stays below; a crossed kidney does not, and is told.
OTHER_SIDE, BOTH_SIDES = 0.6, 0.2
MARGIN_MM = 10.0
# An adult kidney: 60 to 400 ml (``measuring.quality``), 80 to 150 mm long and at most three quarters as wide
# (Emamian et al., AJR 1993;160:83-86).
KIDNEY_ML, KIDNEY_MM, KIDNEY_WIDTH = (60.0, 400.0), (80.0, 150.0), 0.75


def check_drawn_sides(exam: CoarseExam, spine: Spine, lesions: Sequence[LesionFinding]) -> list[Flag]:
    """Compares labels with the place of what they mark.

    Args:
        exam: image and labels; its header agrees with the anatomy.
        spine: where the spine lies; the trunk's middle serves where it is not seen.
        lesions: masses and cysts that were measured.
    """
    shares = {side: _shares(exam, spine, mask) for side, mask in zip(Side, exam.kidneys, strict=True) if mask.any()}
    flags = []
    for side, (own, other) in shares.items():
        if other >= OTHER_SIDE:
            where = "other side"
        elif min(own, other) >= BOTH_SIDES:
            where = "both sides"
        else:
            continue
        flags.append(Flag.of("drawn_on_other_side", side=side, drawn_on=where))
    kidney_like = [lesion for lesion in lesions if _is_like_a_kidney(lesion) and not _beside(lesion.side, shares)]
    flags += [Flag.of("lesion_like_kidney", lesion={**name_of(lesion), "pole": None}) for lesion in kidney_like]
    return flags + _foreign_numbering(shares, kidney_like)


def _shares(exam: CoarseExam, spine: Spine, kidney: np.ndarray) -> tuple[float, float]:
    """Returns the shares of a label's cells clearly on its own side and clearly on the other, for the right kidney."""
    columns = np.nonzero(kidney)[2]
    if spine.place is not None and spine.towards == "back":
        middle = spine.place[1]
    else:
        slices = kidney.any(axis=(1, 2))
        trunk = np.flatnonzero(exam.body[slices].any(axis=(0, 1)))
        middle = (trunk[0] + trunk[-1]) / 2 if trunk.size else (kidney.shape[2] - 1) / 2
    aside = (columns - middle) * exam.spacing[2]
    right, left = float((aside < -MARGIN_MM).mean()), float((aside > MARGIN_MM).mean())
    return (right, left) if kidney is exam.kidneys[0] else (left, right)


def _beside(side: Side, shares: dict[Side, tuple[float, float]]) -> bool:
    """Whether a kidney was drawn on a side of the body, whatever its label."""
    return any((own if drawn is side else other) >= BOTH_SIDES for drawn, (own, other) in shares.items())


def _is_like_a_kidney(lesion: LesionFinding) -> bool:
    of = lesion.measures
    return (
        KIDNEY_ML[0] <= of.volume_ml <= KIDNEY_ML[1]
        and KIDNEY_MM[0] <= lesion.longest_mm <= KIDNEY_MM[1]
        and of.axial_diameter_mm <= KIDNEY_WIDTH * lesion.longest_mm
    )


def _foreign_numbering(shares: dict[Side, tuple[float, float]], kidney_like: Sequence[LesionFinding]) -> list[Flag]:
    """Returns whose numbers the label map seems to have."""
    right, left = shares.get(Side.RIGHT), shares.get(Side.LEFT)
    if left is not None and left[1] >= OTHER_SIDE and any(lesion.structure == "mass" for lesion in kidney_like):
        numbering = Numbering.TOTALSEGMENTATOR
    elif right is not None and min(right) >= BOTH_SIDES:
        numbering = Numbering.KITS
    else:
        return []
    return [Flag.of("foreign_numbering", numbering=numbering.value)]
