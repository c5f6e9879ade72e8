"""Masses and cysts below the operating point, against a reference: what a reader is asked to look at besides."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from KidneySegLib.measuring.instances import LesionCandidate
from KidneySegLib.structures import BY_LABEL


@dataclass(frozen=True)
class ScoredCandidate:
    """A candidate.

    Attributes:
        structure: ``mass`` or ``cyst``.
        volume_ml: its size.
        confidence: as it was told; None where it is not known.
        lies_on: what most of it is in the reference: ``background``, ``kidney``, or a lesion's structure.
    """

    structure: str
    volume_ml: float
    confidence: float | None
    lies_on: str

    @property
    def is_lesion(self) -> bool:
        """Whether most of it is a mass or cyst, of whichever kind."""
        return self.lies_on in ("mass", "cyst")


def score_candidates(
    candidates: Sequence[LesionCandidate], reference: np.ndarray, voxel_mm3: float
) -> tuple[ScoredCandidate, ...]:
    """Compares candidates with a reference.

    Args:
        candidates: on the reference's grid.
        reference: uint8 ``(k, j, i)``, values of ``structures``.
        voxel_mm3: volume of a voxel.
    """
    return tuple(_scored(candidate, reference, voxel_mm3) for candidate in candidates)


def _scored(candidate: LesionCandidate, reference: np.ndarray, voxel_mm3: float) -> ScoredCandidate:
    body = candidate.instance.body
    inside = reference[body.box][body.mask]
    label = int(np.bincount(inside).argmax())
    structure = BY_LABEL.get(label)
    lies_on = "background" if structure is None else "kidney" if structure.side else structure.key
    return ScoredCandidate(
        candidate.instance.structure.key, inside.size * voxel_mm3 / 1000, candidate.confidence, lies_on
    )
