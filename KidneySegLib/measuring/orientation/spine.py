"""Where the spine lies within the trunk: the surest sign of which side is the back.

The middle of a vertebra lies 5 to 9 cm from the skin of the back and, in the abdomen, twice as far or more from the
skin of the front (Visible Human and CT atlases; in children both shrink alike). Metal, contrast medium in the bowel or
the heart can be as dense and as large; where two dense columns would give different answers there is none.
"""

from dataclasses import dataclass

import numpy as np

from KidneySegLib.measuring.orientation.coarse_exam import CoarseExam

SECTION_MM = 48.0
# A vertebra with its arch is 4 to 5 cm wide.
COLUMN_SIGMA_MM = 14.0
# The spine lies on one of the trunk's middle lines, kidneys and hips beside both.
OFF_MIDDLE_MM = 40.0
# Least share of dense cells, and share of the densest column's at which another one counts: a heart full of contrast
# medium is denser than the spine behind it, so against the header less is enough.
LEAST_DENSE, RIVAL, RIVAL_BEHIND = 0.1, 0.6, 0.3
APART_MM = 45.0
STRIP_MM = 20.0
# A trunk is wider than deep: in adults 1.3 to 1.6 times, in infants nearly round.
WIDER = 1.05
# How much further the one skin is than the other.
CLEARLY = 1.35
CLEARLY_ASIDE = 1.6
# Where fat looks like air only the muscles' distance is known; behind a vertebra they end within 8 cm.
BEYOND_BACK_MUSCLE_MM = 95.0
# A convex skin touches the edge of a tight crop along less than this; a body that is cut, along more.
TOUCH_MM = 90.0


@dataclass(frozen=True)
class Spine:
    """Where the spine lies.

    Attributes:
        towards: ``back``, ``front``, ``right`` or ``left`` in the header's words, or "" where it cannot be told.
        place: its column ``(j, i)`` on the coarse grid, the median over the scan; None where none was seen.
    """

    towards: str
    place: tuple[float, float] | None


def find_spine(exam: CoarseExam) -> Spine:
    """Looks for the spine in sections of about 5 cm; most of those that say something must agree."""
    bone = exam.bone
    count = max(1, round(exam.hu.shape[0] * exam.spacing[0] / SECTION_MM))
    votes, places = [], []
    for part in np.array_split(np.arange(exam.hu.shape[0]), count):
        region = exam.body[part].mean(axis=0) > 0.3
        columns = _dense_columns(bone[part].mean(axis=0), region, exam)
        told = [(_towards(region, place, exam), density) for place, density in columns]
        said = {word for word, density in told if density >= RIVAL}
        if len(said) == 1 and (only := said.pop()) and (only == "back" or all(word != "back" for word, _ in told)):
            votes.append(only)
            places.append(columns[0][0])
    if not votes:
        return Spine("", None)
    words, numbers = np.unique(votes, return_counts=True)
    best = int(numbers.argmax())
    j, i = np.median([p for p, vote in zip(places, votes, strict=True) if vote == words[best]], axis=0)
    return Spine(str(words[best]) if numbers[best] >= 0.75 * len(votes) else "", (float(j), float(i)))


def _dense_columns(dense: np.ndarray, region: np.ndarray, exam: CoarseExam) -> list[tuple[tuple[int, int], float]]:
    """Returns the columns ``(j, i)`` that could be the spine and how dense they are, the densest first with 1."""
    from scipy.ndimage import gaussian_filter

    if np.count_nonzero(region) < 50:
        return []
    _, along_j, along_i = exam.spacing
    rows, columns = np.indices(dense.shape)
    inside = np.argwhere(region)
    middle = (inside.min(axis=0) + inside.max(axis=0)) / 2
    off = np.minimum(np.abs(rows - middle[0]) * along_j, np.abs(columns - middle[1]) * along_i)
    smooth = gaussian_filter(dense, (COLUMN_SIGMA_MM / along_j, COLUMN_SIGMA_MM / along_i), mode="constant")
    smooth *= np.exp(-((off / OFF_MIDDLE_MM) ** 2) / 2)
    found: list[tuple[tuple[int, int], float]] = []
    densest = float(smooth.max())
    if densest < LEAST_DENSE:
        return []
    while len(found) < 4:
        j, i = (int(n) for n in np.unravel_index(int(smooth.argmax()), smooth.shape))
        if smooth[j, i] < RIVAL_BEHIND * densest:
            break
        found.append(((j, i), float(smooth[j, i]) / densest))
        smooth[np.hypot((rows - j) * along_j, (columns - i) * along_i) < APART_MM] = 0
    return found


def _towards(region: np.ndarray, column: tuple[int, int], exam: CoarseExam) -> str:
    """Returns to which side of the trunk a column lies; "" where that is not clear or the image cuts the body."""
    _, along_j, along_i = exam.spacing
    front, back = _distances(region, column[0], column[1], along_j, along_i)
    right, left = _distances(region.T, column[1], column[0], along_i, along_j)
    inside = np.argwhere(region)
    depth, width = (inside.max(axis=0) - inside.min(axis=0)) * (along_j, along_i)
    upright, aside = width > WIDER * depth, depth > WIDER * width
    if upright and _clearly(front, back, CLEARLY) and not _clearly(right, left, CLEARLY_ASIDE):
        return _side(front, back, ("front", "back"), exam)
    if aside and _clearly(right, left, CLEARLY) and not _clearly(front, back, CLEARLY_ASIDE):
        return _side(right, left, ("right", "left"), exam)
    return ""


def _side(low: tuple[float, bool], high: tuple[float, bool], words: tuple[str, str], exam: CoarseExam) -> str:
    near, far, word = (low, high, words[0]) if low[0] < high[0] else (high, low, words[1])
    if not (near[1] and far[1]) or (not exam.fat_visible and far[0] < BEYOND_BACK_MUSCLE_MM):
        return ""
    return word


def _clearly(low: tuple[float, bool], high: tuple[float, bool], ratio: float) -> bool:
    return max(low[0], high[0]) > ratio * min(low[0], high[0])


def _distances(
    region: np.ndarray, at: int, across: int, along: float, aside: float
) -> tuple[tuple[float, bool], tuple[float, bool]]:
    """Returns how far the trunk reaches along the first axis to both ends, mm, and whether its end is in the image."""
    half = max(1, round(STRIP_MM / aside))
    filled = np.flatnonzero(region[:, max(0, across - half) : across + half + 1].any(axis=1))
    if not filled.size:
        return (0.0, False), (0.0, False)
    ends = []
    for end, edge in ((filled[0], 0), (filled[-1], len(region) - 1)):
        seen = end != edge or np.count_nonzero(region[edge]) * aside < TOUCH_MM
        ends.append((max(0.0, abs(int(end) - at) * along), bool(seen)))
    return ends[0], ends[1]
