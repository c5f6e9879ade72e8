"""On which side the liver lies: the largest solid organ, a hand wide, where the other side has bowel, fat and spleen.

Sizes: adult livers hold 1500 ml, spleens 200 ml and are at most 5 cm thick (Geraghty et al., AJR 2004;183:1601-1609).
"""

from dataclasses import dataclass

import numpy as np

from KidneySegLib.geometry.distances import depth_within, near
from KidneySegLib.hounsfield import LIVER
from KidneySegLib.measuring.orientation.coarse_exam import CoarseExam
from KidneySegLib.measuring.orientation.spine import Spine

# A ball of this radius fits into the liver, hardly into a spleen or a muscle of the flank.
BALL_MM = 24.0
# The left lobe, vessels and the pancreas lie nearer to the middle.
MIDDLE_MM = 40.0
# How much of such tissue must be seen, and how many times as much as on the other side.
LEAST_ML, TIMES = 80.0, 3.0
SURE_ML, SURE_TIMES = 200.0, 4.0
# Narrower trunks are children's: all sizes shrink with them, but not below those of an infant.
ADULT_WIDTH_MM, LEAST_SCALE = 260.0, 0.4


@dataclass(frozen=True)
class LiverSide:
    """Tissue like the liver's on both sides.

    Attributes:
        right_ml, left_ml: on the header's sides, scaled to an adult's size.
    """

    right_ml: float
    left_ml: float

    @property
    def side(self) -> str:
        """``right``, ``left``, or "" where it cannot be told."""
        more, less = max(self.right_ml, self.left_ml), min(self.right_ml, self.left_ml)
        if more < LEAST_ML or more < TIMES * less:
            return ""
        return "right" if self.right_ml > self.left_ml else "left"

    @property
    def is_sure(self) -> bool:
        """Whether it is more than a tumour or a large spleen would make up."""
        more, less = max(self.right_ml, self.left_ml), min(self.right_ml, self.left_ml)
        return more >= SURE_ML and more >= SURE_TIMES * less


def find_liver(exam: CoarseExam, spine: Spine) -> LiverSide:
    """Weighs tissue like the liver's right and left of the spine; muscles behind the spine do not count."""
    if spine.place is None or spine.towards not in ("back", "front"):
        return LiverSide(0.0, 0.0)
    filled = np.flatnonzero(exam.body.any(axis=(0, 1)))
    width = (filled[-1] - filled[0] + 1) * exam.spacing[2]
    scale = min(1.0, max(LEAST_SCALE, width / ADULT_WIDTH_MM))
    ball = BALL_MM * scale
    halves = [2 if n >= 2 and s * 2 < ball / 2 else 1 for n, s in zip(exam.hu.shape, exam.spacing, strict=True)]
    spacing = [s * h for s, h in zip(exam.spacing, halves, strict=True)]
    counts = [n // h for n, h in zip(exam.hu.shape, halves, strict=True)]

    def halved(array: np.ndarray) -> np.ndarray:
        cut = array[tuple(slice(0, c * h) for c, h in zip(counts, halves, strict=True))]
        shape = (counts[0], halves[0], counts[1], halves[1], counts[2], halves[2])
        return cut.reshape(shape).mean(axis=(1, 3, 5))

    hu = halved(exam.hu)
    solid = (hu > LIVER[0]) & (hu < LIVER[1]) & (halved(exam.known) == 0)
    # the image may end within the liver: what lies beyond its first and last slice counts as more of the same
    margin = int(ball / spacing[0]) + 1
    padded = np.pad(solid, ((margin, margin), (0, 0), (0, 0)), mode="edge")
    kernel = depth_within(padded, spacing) > ball
    if not kernel.any():
        return LiverSide(0.0, 0.0)
    thick = near(kernel, ball, spacing)[margin:-margin]
    row, column = spine.place[0] / halves[1], spine.place[1] / halves[2]
    middle = MIDDLE_MM * scale
    rows = np.arange(counts[1])
    ahead = rows < row if spine.towards == "back" else rows > row
    columns = (np.arange(counts[2]) - column) * spacing[2]
    amounts = thick[:, ahead].sum(axis=(0, 1)) * float(np.prod(spacing)) / 1000 / scale**3
    return LiverSide(float(amounts[columns < -middle].sum()), float(amounts[columns > middle].sum()))
