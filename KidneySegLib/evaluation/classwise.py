"""Agreement voxel by voxel for kidney, solid mass and cyst: accuracy, precision, recall and F1.

The form is that of Kilic et al. (2026). The kidney is the organ without its masses and cysts; stones, for which that
paper has no class, count as kidney.

**Accuracy** is taken over the voxels that are not background in the reference or in the result, one class against the
rest: the share of them on which both agree whether they belong to the class. Voxels that both hold for background would
bring every accuracy near 100 %. (The paper does not say over which voxels it counts. The sizes of its classes that
follow from its own accuracy, precision and recall are 0.71, 0.09 and 0.09 of all voxels counted; that they sum to less
than 1 fits voxels found outside the reference, not the reference's foreground alone.)
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from KidneySegLib.structures import BY_KEY, KIDNEYS

CLASSES = ("kidney", "mass", "cyst")
_CLASS_OF_LABEL = np.zeros(256, np.uint8)
for _kidney in KIDNEYS.values():
    _CLASS_OF_LABEL[_kidney.label] = 1
_CLASS_OF_LABEL[BY_KEY["stone"].label] = 1
_CLASS_OF_LABEL[BY_KEY["mass"].label] = 2
_CLASS_OF_LABEL[BY_KEY["cyst"].label] = 3


@dataclass(frozen=True)
class Scores:
    """Agreement on one class; None where it is not defined.

    Attributes:
        accuracy: share of the voxels that are foreground in either map on which both agree about this class; None if
            neither map has the class.
        precision: share of the class's found voxels that are right; None if none were found.
        recall: share of the reference's voxels that were found; None if the reference has none.
        f1: their harmonic mean, which is the Dice coefficient; None if neither map has the class.
    """

    accuracy: float | None
    precision: float | None
    recall: float | None
    f1: float | None


def confusion(found: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Counts voxels by class.

    Args:
        found: label map, uint8 ``(k, j, i)``, values of ``structures``.
        reference: the true one on the same grid.

    Returns:
        int64 ``(4, 4)``: rows are the reference's class, columns the found one, in the order background, kidney, mass,
        cyst. What both call background is not counted: that corner is 0. Those of several exams may be added.
    """
    n = len(CLASSES) + 1
    pairs = _CLASS_OF_LABEL[reference].ravel() * np.uint8(n) + _CLASS_OF_LABEL[found].ravel()
    counts = np.bincount(pairs, minlength=n * n)
    counts[0] = 0
    return counts.reshape(n, n)


def confusion_sum(matrices: Sequence[np.ndarray]) -> np.ndarray:
    """Returns the voxels of several exams together, int64 ``(4, 4)``."""
    n = len(CLASSES) + 1
    return np.sum([np.zeros((n, n), np.int64), *matrices], axis=0)


def class_scores(matrix: np.ndarray) -> dict[str, Scores]:
    """Returns the scores of each class from a matrix of ``confusion``."""
    return {name: _scores(matrix, number) for number, name in enumerate(CLASSES, start=1)}


def mean_scores(matrix: np.ndarray) -> Scores:
    """Returns the plain mean over the classes that the reference has, as the paper does over its three.

    A class of the reference that was never found enters the mean with a precision of 0.
    """
    present = [s for n, s in enumerate(class_scores(matrix).values(), start=1) if matrix[n].any()]

    def mean(values: list[float | None]) -> float | None:
        known = [value for value in values if value is not None]
        return float(np.mean(known)) if known else None

    return Scores(
        mean([s.accuracy for s in present]),
        mean([s.precision or 0.0 for s in present]),
        mean([s.recall for s in present]),
        mean([s.f1 for s in present]),
    )


def _scores(matrix: np.ndarray, number: int) -> Scores:
    both = int(matrix[number, number])
    found, reference = int(matrix[:, number].sum()), int(matrix[number].sum())
    if found + reference == 0:
        return Scores(None, None, None, None)
    return Scores(
        accuracy=1 - (found + reference - 2 * both) / int(matrix.sum()),
        precision=both / found if found else None,
        recall=both / reference if reference else None,
        f1=2 * both / (found + reference),
    )
