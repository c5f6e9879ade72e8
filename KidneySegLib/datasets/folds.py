"""Splits exams for cross-validation: by patient, or at random as a protocol that leaks."""

from collections.abc import Sequence
from enum import StrEnum

import numpy as np

from KidneySegLib.datasets.labelled_exam import LabelledExam
from KidneySegLib.errors import InputError


class Split(StrEnum):
    """How exams (volumes, or slices as exams of their own) are divided.

    ``RANDOM`` puts neighbouring slices of one patient on both sides, so its numbers are too good. It exists only to
    repeat the protocol of Pérez Martínez et al., 2026.
    """

    PATIENT = "patient"
    RANDOM = "random"

    @property
    def leaks(self) -> bool:
        """Whether slices of one patient are on both sides."""
        return self is Split.RANDOM


def make_folds(exams: Sequence[LabelledExam], count: int, split: Split, seed: int = 0) -> list[list[int]]:
    """Returns the indices of the exams that each fold validates on; each exam is in exactly one fold.

    By patient, folds are balanced: patients go, the one with most exams first, where fewest exams are.

    Raises:
        InputError: there are fewer patients (or exams) than folds, or fewer than two folds.
    """
    if count < 2:
        raise InputError("Cross-validation needs at least two folds.")
    rng = np.random.default_rng(seed)
    if split is Split.RANDOM:
        groups = [[n] for n in rng.permutation(len(exams)).tolist()]
    else:
        patients: dict[str, list[int]] = {}
        for n, item in enumerate(exams):
            patients.setdefault(item.patient, []).append(n)
        groups = sorted(patients.values(), key=lambda group: (-len(group), rng.random()))
    if len(groups) < count:
        what = "exams" if split is Split.RANDOM else "patients"
        raise InputError(f"There are only {len(groups)} {what}, too few for {count} folds.")
    folds: list[list[int]] = [[] for _ in range(count)]
    for group in groups:
        min(folds, key=len).extend(group)
    return [sorted(fold) for fold in folds]
