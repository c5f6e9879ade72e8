"""Which end of the trunk is the head's: ribs and lungs lie there, and the kidneys lean that way.

Each sign can be missing or misleading (pelvis, shoulders, contrast medium in the bowel), so two must agree.
"""

import numpy as np

from KidneySegLib.hounsfield import BLURRED_BODY, LUNG_MEAN
from KidneySegLib.measuring.orientation.coarse_exam import CoarseExam
from KidneySegLib.measuring.orientation.spine import Spine

# Ribs lie in the wall of the trunk, beside the spine; a cut through one is small, through the iliac bone large.
BESIDE_MM, WALL_MM = 60.0, 45.0
LARGEST_CUT_MM2 = 500.0
# A third with two ribs on each side, and one with half as many or fewer: the last ribs end in between.
LEAST_RIBS, FEWER = 1.5, 0.5
# Over less than this their number says nothing.
SHORTEST_MM = 40.0
# Lung is looked for on both sides of the spine and as far back: gas in the bowel lies in front.
LEAST_LUNG_CM2 = 8.0
# A kidney leans against the psoas: its upper pole lies nearer to the spine and further back than the lower one, by 10
# to 40 mm between the outer quarters. A horseshoe kidney leans the other way only from side to side.
LONG_ENOUGH_MM, QUARTER, LEANS_MM = 60.0, 4, 8.0


def head_votes(exam: CoarseExam, spine: Spine) -> dict[str, int]:
    """Returns what ribs, lungs and kidneys say, by name: 1 the head is where the header has it, -1 at the other end."""
    if exam.hu.shape[0] * exam.spacing[0] < SHORTEST_MM:
        return {}
    votes = {
        "ribs": _more_at_one_end(_rib_profile(exam, spine), LEAST_RIBS),
        "lungs": _more_at_one_end(_lung_profile(exam, spine), LEAST_LUNG_CM2),
        "kidneys": _leaning(exam, spine),
    }
    return {name: vote for name, vote in votes.items() if vote}


def _more_at_one_end(profile: np.ndarray, least: float) -> int:
    """Returns 1 if a profile along k is high at its end and low at its start, -1 the other way round, else 0."""
    if len(profile) < 3:
        return 0
    thirds = [float(part.mean()) for part in np.array_split(profile, 3)]
    low, high = thirds[0], thirds[2]
    if max(low, high) < least or min(low, high) > FEWER * max(low, high):
        return 0
    # what lies in between must not contradict: pelvis at one end and ribs at the other make a valley
    if not min(low, high) - 0.3 <= thirds[1] <= 1.5 * max(low, high):
        return 0
    return 1 if high > low else -1


def _leaning(exam: CoarseExam, spine: Spine) -> int:
    """Returns by which end both kidneys lean to the spine and to the back."""
    if spine.towards not in ("back", "front"):
        return 0
    leans: list[np.ndarray] = []
    for kidney in exam.kidneys:
        filled = np.flatnonzero(kidney.any(axis=(1, 2)))
        if len(filled) * exam.spacing[0] < LONG_ENOUGH_MM:
            return 0
        part = max(1, len(filled) // QUARTER)
        lower = np.argwhere(kidney[filled[0] : filled[part - 1] + 1]).mean(axis=0)[1:]
        upper = np.argwhere(kidney[filled[-part] : filled[-1] + 1]).mean(axis=0)[1:]
        leans.append((lower - upper) * np.array(exam.spacing[1:]))
    right, left = np.array(leans)
    forward = float(right[0] + left[0]) / 2 * (-1 if spine.towards == "back" else 1)
    apart = float(left[1] - right[1])
    if min(forward, apart) >= LEANS_MM:
        return 1
    return -1 if max(forward, apart) <= -LEANS_MM else 0


def _rib_profile(exam: CoarseExam, spine: Spine) -> np.ndarray:
    """Returns for each slice how many ribs it cuts on the side that has fewer."""
    import cc3d
    from scipy.ndimage import distance_transform_edt

    counts = np.zeros(exam.hu.shape[0])
    if spine.place is None or spine.towards not in ("back", "front"):
        return counts
    _, along_j, along_i = exam.spacing
    rows, columns = np.indices(exam.hu.shape[1:])
    down = np.asarray((rows - spine.place[0]) * along_j)
    aside = np.asarray((columns - spine.place[1]) * along_i)
    beside = np.hypot(down, aside) > BESIDE_MM
    for k, (bone, body) in enumerate(zip(exam.bone, exam.body, strict=True)):
        depth = distance_transform_edt(np.pad(body, 1), sampling=(along_j, along_i))[1:-1, 1:-1]
        cuts = cc3d.connected_components(np.ascontiguousarray(bone & beside & (depth < WALL_MM)), connectivity=8)
        sizes = np.bincount(cuts.ravel()) * along_j * along_i
        middles = [float(aside[cuts == n].mean()) for n in range(1, len(sizes)) if sizes[n] <= LARGEST_CUT_MM2]
        right = sum(middle < 0 for middle in middles)
        counts[k] = min(right, len(middles) - right)
    return counts


def _lung_profile(exam: CoarseExam, spine: Spine) -> np.ndarray:
    """Returns for each slice the lung's area in cm² behind the spine's front, on the side that has less."""
    areas = np.zeros(exam.hu.shape[0])
    if spine.place is None or spine.towards not in ("back", "front") or exam.lowest > BLURRED_BODY - 300:
        return areas
    _, along_j, along_i = exam.spacing
    row, column = spine.place
    lung = (exam.hu > LUNG_MEAN[0]) & (exam.hu < LUNG_MEAN[1]) & exam.body
    rows = np.arange(exam.hu.shape[1])
    lung = lung[:, rows > row - 20 / along_j if spine.towards == "back" else rows < row + 20 / along_j]
    right, left = lung[..., : round(column)].sum(axis=(1, 2)), lung[..., round(column) :].sum(axis=(1, 2))
    return np.asarray(np.minimum(right, left) * along_j * along_i / 100)
