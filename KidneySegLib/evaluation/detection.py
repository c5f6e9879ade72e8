"""Lesion by lesion, stone by stone: what was found, what was missed, what was found where there is none."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

import numpy as np

from KidneySegLib.evaluation.components import (
    Component,
    axial_size,
    length,
    measure_components,
    number_connected,
    number_reported,
)
from KidneySegLib.evaluation.matching import Group, best_ious, match
from KidneySegLib.structures import BY_KEY, BY_LABEL
from KidneySegLib.volume import Volume

# Reference lesions below this size are neither asked for nor held against the finder; stones of every size are.
LEAST_SIZE_MM = {"mass": 5.0, "cyst": 5.0, "stone": 0.0}
DETECTED = tuple(LEAST_SIZE_MM)
# A lesion called by the name of the other class is told from one that was overlooked.
MISTAKEN_FOR = {"mass": "cyst", "cyst": "mass"}


class Status(StrEnum):
    """What became of a lesion.

    A *reference* lesion is found, missed, or too small to count. A *found* one is true, false, or (where it lies on
    nothing but reference lesions too small to count) too small as well.
    """

    FOUND = "found"
    MISSED = "missed"
    TRUE = "true"
    FALSE = "false"
    TOO_SMALL = "too small"


@dataclass(frozen=True)
class ScoredLesion:
    """A mass, cyst or stone of the reference, or one that was found.

    Attributes:
        exam: the exam's name.
        structure: ``mass``, ``cyst`` or ``stone``.
        in_reference: whether it is the reference's (else it was found).
        number: its number among those of this structure and origin in the exam, from 1, the largest first.
        status: what became of it.
        component: place and size.
        dice: agreement with its counterpart, of a group of split or merged lesions with theirs; None without one.
        as_one: whether it has exactly one counterpart, which has no other.
        distance_mm: between the centres of gravity of the two; None without a counterpart.
        counterpart: of a reference lesion the class that it was found as (empty: not found); of a found one the
            structure of the reference on which most of it lies: ``background``, ``kidney``, or a lesion's.
        counterpart_ml: volume of its counterpart, or of the group's other side; None without one.
        iou: largest intersection over union with a single lesion of the other map, 0 if it touches none.
        confidence: of a found lesion: mean probability that its voxels were given, 0 to 1; of a reference lesion: the
            highest of its counterparts; None where it is not known, or without a counterpart.
    """

    exam: str
    structure: str
    in_reference: bool
    number: int
    status: Status
    component: Component
    dice: float | None
    as_one: bool
    distance_mm: float | None
    counterpart: str
    counterpart_ml: float | None
    iou: float
    confidence: float | None


class _Agreement(NamedTuple):
    """Of a group's two sides: agreement, distance of the centres of gravity, and either volume."""

    dice: float | None
    distance_mm: float | None
    reference_ml: float | None
    found_ml: float | None


NO_AGREEMENT = _Agreement(None, None, None, None)


def detect(
    exam: str,
    structure: str,
    found: np.ndarray,
    reference: np.ndarray,
    grid: Volume,
    first_slice: int = 0,
    percent: np.ndarray | None = None,
) -> list[ScoredLesion]:
    """Compares the lesions of one structure.

    Args:
        exam: the exam's name.
        structure: ``mass``, ``cyst`` or ``stone``.
        found: label map that was found, uint8 ``(k, j, i)``, canonical orientation, values of ``structures``.
        reference: the true one.
        grid: any volume on their grid.
        first_slice: index of the grid's first slice within the whole exam.
        percent: uint8 ``(k, j, i)``: probability of each found voxel's label in per cent; None where it is not known.

    Returns:
        The reference's lesions, then those found, each the largest first.
    """
    label = BY_KEY[structure].label
    size = length if structure == "stone" else axial_size
    reference_ids, found_ids = number_connected(reference == label), _found(structure, found, grid)
    references = measure_components(reference_ids, grid, size, first_slice)
    pieces = measure_components(found_ids, grid, size, first_slice)
    mistaken = _mistaken(structure, found, reference_ids, grid)
    lies_on = _lies_on(found_ids, reference)
    best_found, best_reference = best_ious(found_ids, reference_ids)
    sure = _confidences(structure, found_ids, percent)
    lesions = []
    for group in match(found_ids, reference_ids):
        mine, its = [references[n - 1] for n in group.references], [pieces[n - 1] for n in group.found]
        both = _agreement(group, mine, its) if group.matched else NO_AGREEMENT
        counted = [n for n in group.references if references[n - 1].size_mm >= LEAST_SIZE_MM[structure]]
        as_one = group.matched and len(counted) == 1 and len(group.found) == 1
        for n, part in zip(group.references, mine, strict=True):
            status = (Status.FOUND if group.matched else Status.MISSED) if n in counted else Status.TOO_SMALL
            one, called = as_one and n in counted, structure if group.matched else mistaken.get(n, "")
            values = (both.dice, one, both.distance_mm, called, both.found_ml, float(best_reference[n]))
            known = [sure[f] for f in group.found if f in sure] if group.matched else []
            lesions.append(ScoredLesion(exam, structure, True, n, status, part, *values, max(known, default=None)))
        for n, part in zip(group.found, its, strict=True):
            status = (Status.TRUE if counted else Status.TOO_SMALL) if group.matched else Status.FALSE
            values = (both.dice, as_one, both.distance_mm, lies_on[n - 1], both.reference_ml, float(best_found[n]))
            lesions.append(ScoredLesion(exam, structure, False, n, status, part, *values, sure.get(n)))
    return sorted(lesions, key=lambda lesion: (not lesion.in_reference, lesion.number))


def _confidences(structure: str, found_ids: np.ndarray, percent: np.ndarray | None) -> dict[int, float]:
    """Returns the mean probability of every found lesion by its number, 0 to 1; none where it is not known."""
    if percent is None or structure not in MISTAKEN_FOR:
        return {}
    ids = found_ids.ravel()
    voxels = np.bincount(ids)
    means = np.bincount(ids, weights=percent.ravel()) / np.maximum(voxels, 1) / 100
    return {number: float(means[number]) for number in range(1, len(voxels)) if means[number] > 0}


def _found(structure: str, found: np.ndarray, grid: Volume) -> np.ndarray:
    label = BY_KEY[structure].label
    return number_connected(found == label) if structure == "stone" else number_reported(found, label, grid)


def _mistaken(structure: str, found: np.ndarray, reference_ids: np.ndarray, grid: Volume) -> dict[int, str]:
    """Returns the reference lesions, by number, that were found as the other class, and that class."""
    if structure not in MISTAKEN_FOR:
        return {}
    other = MISTAKEN_FOR[structure]
    groups = (group for group in match(_found(other, found, grid), reference_ids) if group.matched)
    return {number: other for group in groups for number in group.references}


def _agreement(group: Group, references: Sequence[Component], pieces: Sequence[Component]) -> _Agreement:
    centres = [
        np.average([part.centroid_lps_mm for part in side], axis=0, weights=[part.voxels for part in side])
        for side in (references, pieces)
    ]
    volumes = [sum(part.volume_ml for part in side) for side in (references, pieces)]
    return _Agreement(group.dice, float(np.linalg.norm(centres[0] - centres[1])), *volumes)


def _lies_on(found_ids: np.ndarray, reference: np.ndarray) -> list[str]:
    """Returns for every found lesion the structure of the reference that holds most of its voxels."""
    names = {0: "background"} | {s.label: "kidney" if s.side else s.key for s in BY_LABEL.values()}
    inside = found_ids > 0
    pairs = found_ids[inside].astype(np.int64) * len(names) + reference[inside]
    counts = np.bincount(pairs, minlength=(int(found_ids.max()) + 1) * len(names)).reshape(-1, len(names))
    return [names[int(row.argmax())] for row in counts[1:]]
