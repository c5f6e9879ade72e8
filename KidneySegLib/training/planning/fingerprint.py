"""The fingerprint of a data set: what nnU-Net's rules plan from (Isensee et al., Nat Methods 2021)."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from KidneySegLib.datasets.exams import read_exam
from KidneySegLib.errors import InputError

# Voxels of the foreground that are looked at in each exam: every exam counts as much as any other.
_SAMPLES = 100_000
_CLIPPED = (0.5, 99.5)


@dataclass(frozen=True)
class Fingerprint:
    """Of labelled exams.

    Attributes:
        spacings: mm along k, j, i of each exam.
        shapes: voxels along k, j, i of each exam.
        lowest: percentile 0.5 of the HU of labelled voxels.
        highest: percentile 99.5.
        mean: of these HU.
        deviation: their standard deviation.
    """

    spacings: tuple[tuple[float, float, float], ...]
    shapes: tuple[tuple[int, int, int], ...]
    lowest: float
    highest: float
    mean: float
    deviation: float


def fingerprint(folders: Sequence[Path]) -> Fingerprint:
    """Reads exams and takes their fingerprint.

    Args:
        folders: with ``image.nii.gz`` and ``mask.nii.gz``, as ``datasets.exams`` has them.

    Raises:
        InputError: one cannot be read, or nothing is labelled in any.
    """
    spacings, shapes, values = [], [], []
    for number, folder in enumerate(folders):
        image, labels = read_exam(folder)
        i, j, k = image.spacing
        spacings.append((k, j, i))
        shapes.append((image.voxels.shape[0], image.voxels.shape[1], image.voxels.shape[2]))
        inside = image.voxels[labels.voxels > 0]
        if inside.size:
            values.append(np.random.default_rng(number).choice(inside, _SAMPLES))
    if not values:
        raise InputError("None of the exams has a labelled voxel, so there is nothing to plan from.")
    hu = np.concatenate(values).astype(np.float64)
    lowest, highest = np.percentile(hu, _CLIPPED)
    return Fingerprint(
        tuple(spacings), tuple(shapes), float(lowest), float(highest), float(hu.mean()), float(max(hu.std(), 1.0))
    )
