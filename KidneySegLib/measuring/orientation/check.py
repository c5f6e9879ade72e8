"""All that anatomy says of header and labels, as flags."""

from collections.abc import Sequence

import numpy as np

from KidneySegLib.findings import LesionFinding
from KidneySegLib.flags import Flag
from KidneySegLib.measuring.orientation.coarse_exam import coarse_exam
from KidneySegLib.measuring.orientation.doubt import orientation_flags
from KidneySegLib.measuring.orientation.drawn_sides import check_drawn_sides
from KidneySegLib.measuring.orientation.spine import find_spine
from KidneySegLib.measuring.orientation.verdict import is_aligned, judge_orientation
from KidneySegLib.volume import Volume


def check_orientation(canonical: Volume, labels: np.ndarray, lesions: Sequence[LesionFinding]) -> list[Flag]:
    """Compares header and labels with the anatomy.

    Args:
        canonical: the image in HU in canonical order.
        labels: label map ``(k, j, i)`` on its grid, values of ``structures``.
        lesions: masses and cysts that were measured on it.

    Returns:
        A contradiction of the header; or else what was drawn on a side where it cannot be.
    """
    if not is_aligned(canonical):
        return []
    exam = coarse_exam(canonical, labels)
    spine = find_spine(exam)
    return orientation_flags(judge_orientation(exam, spine)) or check_drawn_sides(exam, spine, lesions)
