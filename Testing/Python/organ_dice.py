"""Agreement of a kidney as an organ, for tests of whole runs."""

import numpy as np

from KidneySegLib.datasets.exams import assign_sides
from KidneySegLib.evaluation.metrics import agreement
from KidneySegLib.structures import KIDNEYS, Side


def dice(found: np.ndarray, reference: np.ndarray, side: Side) -> float:
    """Dice of one kidney as an organ, with its lesions."""
    value = KIDNEYS[side].label
    sides = [assign_sides(labels, (1.0, 1.0, 1.0), found.shape[2] / 2) == value for labels in (found, reference)]
    return agreement(*sides, (1.0, 1.0, 1.0)).dice
