"""Found label maps against reference ones: exam by exam, and over all exams."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from typing import TypeVar

import numpy as np

from KidneySegLib.datasets.exams import assign_sides, body_middle
from KidneySegLib.evaluation.candidates import ScoredCandidate, score_candidates
from KidneySegLib.evaluation.classwise import confusion, confusion_sum
from KidneySegLib.evaluation.detection import DETECTED, ScoredLesion, Status, detect
from KidneySegLib.evaluation.metrics import TOLERANCE_MM, Agreement, agreement
from KidneySegLib.geometry.boxes import box_of, padded
from KidneySegLib.measuring.instances import Confidence, LesionCandidate
from KidneySegLib.structures import BY_KEY, KIDNEYS, Side
from KidneySegLib.volume import Volume

T = TypeVar("T", Side, str)

# The border between small and large lesions of a kind.
LARGE_MM = {"mass": 10.0, "cyst": 10.0, "stone": 3.0}


@dataclass(frozen=True)
class StoneVoxels:
    """Stones as voxels of one exam or of several together.

    Attributes:
        reference: voxels that the reference calls stone.
        found: voxels found to be stone.
        both: voxels that both call stone.
        reference_ml: volume of the first.
        found_ml: volume of the second.
    """

    reference: int
    found: int
    both: int
    reference_ml: float
    found_ml: float

    def __add__(self, other: StoneVoxels) -> StoneVoxels:
        """Takes two together."""
        return StoneVoxels(*map(sum, zip(astuple(self), astuple(other), strict=True)))

    @property
    def dice(self) -> float | None:
        """Dice coefficient; None if there is no stone in either map."""
        total = self.reference + self.found
        return 2 * self.both / total if total else None

    @property
    def volume_ratio(self) -> float | None:
        """Found over reference volume; None if the reference has no stone."""
        return self.found_ml / self.reference_ml if self.reference_ml else None


NO_STONE = StoneVoxels(0, 0, 0, 0.0, 0.0)


@dataclass(frozen=True)
class ExamResult:
    """Agreement on one exam.

    Attributes:
        exam: its name.
        organs: agreement per side on the kidney together with its masses, cysts and stones; a side that is in neither
            map is left out.
        structures: the same on all masses, all cysts and all stones; one that is in neither map is left out.
        confusion: voxels by class, see ``classwise.confusion``.
        stones: stone voxels.
        lesions: masses, cysts and stones of the reference and those found.
        candidates: masses and cysts below the operating point, which count as found nowhere.
    """

    exam: str
    organs: dict[Side, Agreement]
    structures: dict[str, Agreement]
    confusion: np.ndarray
    stones: StoneVoxels
    lesions: tuple[ScoredLesion, ...]
    candidates: tuple[ScoredCandidate, ...] = ()

    def has(self, *structures: str) -> bool:
        """Whether the reference has a lesion of one of these structures, however small."""
        return any(lesion.in_reference and lesion.structure in structures for lesion in self.lesions)


@dataclass(frozen=True)
class Detection:
    """How many lesions of a kind were found in a set of exams.

    Attributes:
        structure: ``mass``, ``cyst``, ``stone``, or ``mass or cyst``.
        size: ``all`` or a range in mm: of the reference lesion, for false ones of the found one.
        reference: lesions of the reference that count.
        found: those found.
        as_one: those found as exactly one lesion each.
        dice: mean Dice of the found ones with their counterparts; None if none was found.
        distance_mm: mean distance of their centres of gravity.
        false: found lesions that are none.
        scans: exams.
        scans_without: exams whose reference has no lesion of this kind.
        false_without: false ones in those exams.
    """

    structure: str
    size: str
    reference: int
    found: int
    as_one: int
    dice: float | None
    distance_mm: float | None
    false: int
    scans: int
    scans_without: int
    false_without: int

    @property
    def missed(self) -> int:
        """Lesions of the reference that were not found."""
        return self.reference - self.found

    @property
    def sensitivity(self) -> float | None:
        """Share of the reference's lesions that were found; None if there is none."""
        return self.found / self.reference if self.reference else None

    @property
    def false_per_scan(self) -> float | None:
        """False lesions per exam."""
        return self.false / self.scans if self.scans else None

    @property
    def false_per_scan_without(self) -> float | None:
        """False lesions per exam without lesions of the kind; None if every exam has one."""
        return self.false_without / self.scans_without if self.scans_without else None


@dataclass(frozen=True)
class Evaluation:
    """Agreement over a set of exams.

    Attributes:
        exams: the results in the order of the exams.
    """

    exams: tuple[ExamResult, ...]

    @property
    def confusion(self) -> np.ndarray:
        """Voxels by class over all exams."""
        return confusion_sum([exam.confusion for exam in self.exams])

    @property
    def stones(self) -> StoneVoxels:
        """Stone voxels over all exams."""
        return sum((exam.stones for exam in self.exams), start=NO_STONE)

    @property
    def lesions(self) -> tuple[ScoredLesion, ...]:
        """Lesions of all exams."""
        return tuple(lesion for exam in self.exams for lesion in exam.lesions)

    def detections(self) -> list[Detection]:
        """Returns how many were found by structure and size, and of masses and cysts together."""
        rows = []
        for structure in DETECTED:
            border = LARGE_MM[structure]
            ranges = {"all": (0.0, np.inf), f"< {border:g} mm": (0.0, border), f"≥ {border:g} mm": (border, np.inf)}
            rows += [_count(self.exams, (structure,), name, *limits) for name, limits in ranges.items()]
        return [*rows, _count(self.exams, ("mass", "cyst"), "all", 0.0, np.inf)]

    def detections_by_exam(self) -> list[tuple[str, Detection]]:
        """Returns for every exam and structure what was found; no row where there is nothing and nothing was found."""
        rows = [(exam.exam, _count([exam], (s,), "all", 0.0, np.inf)) for exam in self.exams for s in DETECTED]
        return [(name, row) for name, row in rows if row.reference or row.false]

    def mistakes(self) -> dict[tuple[str, str], int]:
        """Returns lesions by (what the reference has, what was found), each ``mass``, ``cyst`` or ``none``.

        The row ``none`` has the false lesions that do not lie on a lesion of the other class.
        """
        names = ("mass", "cyst")
        table = {(row, column): 0 for row in (*names, "none") for column in (*names, "none")}
        for lesion in self.lesions:
            if lesion.structure in names and lesion.status in (Status.FOUND, Status.MISSED):
                table[lesion.structure, lesion.counterpart or "none"] += 1
            elif lesion.structure in names and lesion.status is Status.FALSE and lesion.counterpart not in names:
                table["none", lesion.structure] += 1
        return table


def evaluate_labels(
    exam: str,
    image: Volume,
    found: np.ndarray,
    reference: np.ndarray,
    confidence: Confidence | None = None,
    candidates: Sequence[LesionCandidate] = (),
) -> ExamResult:
    """Compares two label maps of one exam.

    Args:
        exam: the exam's name.
        image: the exam, on their grid, in canonical orientation (``Volume.canonical``).
        found: what was found, uint8 ``(k, j, i)``, values of ``structures``.
        reference: what is held to be true.
        confidence: of the network in the masses and cysts that it found; None where that is not known.
        candidates: masses and cysts below the operating point, on the same grid.
    """
    possible = score_candidates(candidates, reference, image.voxel_volume)
    labelled = (found > 0) | (reference > 0)
    box = padded(box_of(labelled), (1, 1, 1), labelled.shape) if labelled.any() else (slice(0, 1),) * 3
    middle = body_middle(image.voxels) - box[2].start
    found, reference, grid = found[box], reference[box], image.crop(box)
    percent = None if confidence is None else confidence.on(box)
    lesions: list[ScoredLesion] = []
    for structure in DETECTED:
        lesions += detect(exam, structure, found, reference, grid, box[0].start, percent)
    sides = [assign_sides(each, grid.spacing[::-1], middle) for each in (found, reference)]
    return ExamResult(
        exam,
        _agreements({side: KIDNEYS[side].label for side in Side}, sides, grid, image.voxels.size),
        _agreements({key: BY_KEY[key].label for key in DETECTED}, (found, reference), grid, image.voxels.size),
        confusion(found, reference),
        _stones(found, reference, grid),
        tuple(lesions),
        possible,
    )


def _agreements(
    labels: Mapping[T, int], maps: Sequence[np.ndarray], grid: Volume, image_voxels: int
) -> dict[T, Agreement]:
    """Returns the agreement on each of these labels that is in one of the maps: that found, that of the reference."""
    agreements = {}
    for key, label in labels.items():
        found, reference = (each == label for each in maps)
        if found.any() or reference.any():
            tolerance = TOLERANCE_MM.get("kidney" if isinstance(key, Side) else key)
            agreements[key] = agreement(
                found, reference, grid.spacing[::-1], reader_tolerance_mm=tolerance, image_voxels=image_voxels
            )
    return agreements


def _stones(found: np.ndarray, reference: np.ndarray, grid: Volume) -> StoneVoxels:
    label = BY_KEY["stone"].label
    first, second = reference == label, found == label
    counts = int(first.sum()), int(second.sum())
    volumes = [count * grid.voxel_volume / 1000 for count in counts]
    return StoneVoxels(*counts, int((first & second).sum()), *volumes)


def _count(exams: Sequence[ExamResult], structures: tuple[str, ...], size: str, low: float, high: float) -> Detection:
    def of(lesions: Sequence[ScoredLesion], *status: Status) -> list[ScoredLesion]:
        inside = (one for one in lesions if one.structure in structures and low <= one.component.size_mm < high)
        return [lesion for lesion in inside if lesion.status in status]

    everything = [lesion for exam in exams for lesion in exam.lesions]
    without = [exam for exam in exams if not exam.has(*structures)]
    found = of(everything, Status.FOUND)
    return Detection(
        structure=" or ".join(structures),
        size=size,
        reference=len(of(everything, Status.FOUND, Status.MISSED)),
        found=len(found),
        as_one=sum(lesion.as_one for lesion in found),
        dice=_mean(lesion.dice for lesion in found),
        distance_mm=_mean(lesion.distance_mm for lesion in found),
        false=len(of(everything, Status.FALSE)),
        scans=len(exams),
        scans_without=len(without),
        false_without=sum(len(of(exam.lesions, Status.FALSE)) for exam in without),
    )


def _mean(values: Iterator[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None
