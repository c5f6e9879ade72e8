"""What changed between two exams of one patient.

Lesions are matched by their place relative to their kidney (``kidney_frame``), each with at most one; a mass is matched
with a cyst only where nothing of its own kind is near. A lesion without a partner is new or vanished if its kidney is
whole in both exams; else it may only lie outside of the image, and nothing is said about it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from KidneySegLib.errors import InputError
from KidneySegLib.findings import Findings, KidneyFinding, LesionFinding, StoneBurden
from KidneySegLib.follow_up.kidney_frame import KidneyFrame, Registration
from KidneySegLib.structures import Side
from KidneySegLib.volume import Volume

DAYS_PER_YEAR = 365.25
# How far a lesion may lie from where it is expected: outlines and kidneys' centres are good to a few millimetres, the
# centre of a large lesion is less certain, and one that grows to one side moves by half of what it grew.
MATCH_MM, MATCH_PER_DIAMETER = 10.0, 0.25
OTHER_STRUCTURE_COST = 0.5
# Two readers' diameters of the same renal mass differ by up to this much on CT (Punnen et al., J Urol 2006;176:
# 2386-2390: 3.1 mm between readers, 2.3 mm within one), so a smaller change need not be one.
READERS_DIFFER_MM = 3.1

State = Literal["matched", "new", "vanished", "unmatched"]


@dataclass(frozen=True)
class Prior:
    """An earlier result of the same patient.

    Attributes:
        labels: its label map, uint8 ``(k, j, i)``, on its own grid.
        findings: its findings.
        interval_days: days from the earlier exam to the later one; None where it is not known.
    """

    labels: Volume
    findings: Findings
    interval_days: int | None = None


@dataclass(frozen=True)
class Change:
    """One measure in two exams.

    Attributes:
        prior: earlier value; None where there is none.
        now: later value; None where there is none.
        days: days between them; None where they are not known.
        cut: whether the image cuts what was measured, in the earlier and in the later exam. Values are then at least
            what they are, and nothing is said about their change.
    """

    prior: float | None
    now: float | None
    days: int | None
    cut: tuple[bool, bool] = (False, False)

    @property
    def absolute(self) -> float | None:
        """Later minus earlier value."""
        return None if self.prior is None or self.now is None or any(self.cut) else self.now - self.prior

    @property
    def percent(self) -> float | None:
        """Change relative to the earlier value, in per cent."""
        return 100 * self.absolute / self.prior if self.absolute is not None and self.prior else None

    @property
    def per_year(self) -> float | None:
        """Absolute change per year, as if it were steady."""
        return None if self.absolute is None or not self.days else self.absolute / self.days * DAYS_PER_YEAR

    @property
    def doubling_days(self) -> float | None:
        """Time in days in which a volume doubles that grows exponentially; None if it does not grow.

        Source: Schwartz, Cancer 1961;14:1272-1294.
        """
        if not self.days or not self.prior or self.now is None or self.now <= self.prior or any(self.cut):
            return None
        return self.days * math.log(2) / math.log(self.now / self.prior)


def _cut(prior: KidneyFinding | LesionFinding | None, now: KidneyFinding | LesionFinding | None) -> tuple[bool, bool]:
    """Returns whether the image cuts something in the earlier and in the later exam."""
    return bool(prior and prior.cut_at), bool(now and now.cut_at)


@dataclass(frozen=True)
class LesionChange:
    """A mass or cyst in two exams; ``unmatched`` is one of which nothing can be said.

    Attributes:
        prior: as it was; None if it was not found.
        now: as it is; None if it was not found.
        state: what became of it.
        days: days between the exams.
    """

    prior: LesionFinding | None
    now: LesionFinding | None
    state: State
    days: int | None

    @property
    def volume_ml(self) -> Change:
        """Change of its volume."""
        before, after = (lesion.measures.volume_ml if lesion else None for lesion in (self.prior, self.now))
        return Change(before, after, self.days, _cut(self.prior, self.now))

    @property
    def axial_diameter_mm(self) -> Change:
        """Change of its maximum axial diameter."""
        before, after = (lesion.measures.axial_diameter_mm if lesion else None for lesion in (self.prior, self.now))
        return Change(before, after, self.days, _cut(self.prior, self.now))

    @property
    def within_error(self) -> bool:
        """Whether its diameter changed, if at all, by no more than two readers may differ by."""
        change = self.axial_diameter_mm.absolute
        return change is not None and abs(change) <= READERS_DIFFER_MM

    @property
    def doubling_days(self) -> float | None:
        """Doubling time of its volume in days; None if it does not grow by more than readers may differ by."""
        return None if self.within_error else self.volume_ml.doubling_days


@dataclass(frozen=True)
class SideChange:
    """Kidney and stones of one side in two exams; None where they were not found."""

    side: Side
    prior: KidneyFinding | None
    now: KidneyFinding | None
    prior_stones: StoneBurden | None
    stones: StoneBurden | None
    days: int | None

    @property
    def organ_volume_ml(self) -> Change:
        """Change of the kidney's volume, its lesions included."""
        before, after = (kidney.organ_volume_ml if kidney else None for kidney in (self.prior, self.now))
        return Change(before, after, self.days, _cut(self.prior, self.now))

    @property
    def stone_volume_ml(self) -> Change:
        """Change of the volume of all stones."""
        before, after = (burden.volume_ml if burden else 0.0 for burden in (self.prior_stones, self.stones))
        cut = tuple(bool(burden and burden.cut) for burden in (self.prior_stones, self.stones))
        return Change(before, after, self.days, (cut[0], cut[1]))


@dataclass(frozen=True)
class Comparison:
    """What changed.

    Attributes:
        sides: kidneys and stones, right before left; only sides where either exam has something.
        lesions: the later exam's lesions in their order, then what vanished or was not matched of the earlier one.
        days: days between the exams; None where they are not known.
        same_phase: whether both exams were taken in the same contrast phase, so that densities and borders compare.
    """

    sides: tuple[SideChange, ...]
    lesions: tuple[LesionChange, ...]
    days: int | None
    same_phase: bool


def compare(labels: Volume, findings: Findings, prior: Prior) -> Comparison:
    """Compares a result with an earlier one.

    Args:
        labels: label map of the later exam, uint8 ``(k, j, i)``, on its grid.
        findings: its findings.
        prior: the earlier result.

    Raises:
        InputError: one of the exams is a single slice or ultrasound, its sides are in doubt, the interval is not
            positive, or both results are of the same images.
    """
    if not (findings.in_patient and prior.findings.in_patient):  # a loop has as many frames as a volume slices
        raise InputError("Ultrasound images cannot be compared: they hardly show the same plane. Compare CT volumes.")
    if 1 in (labels.voxels.shape[0], prior.labels.voxels.shape[0]):
        raise InputError("Single slices cannot be compared: they hardly show the same place. Compare volumes.")
    if prior.interval_days is not None and prior.interval_days <= 0:
        raise InputError("The prior exam must be older than this one. Check the dates.")
    if _images(findings) and _images(findings) == _images(prior.findings):
        raise InputError("Both results are of the same images. Give the result of an earlier exam.")
    if not (findings.sides_certain and prior.findings.sides_certain):
        raise InputError(
            "In one of the exams the anatomy contradicts the header, so right and left are not certain and kidneys "
            "cannot be compared. Correct its header, segment it again, then compare."
        )
    registration = Registration.between(KidneyFrame.of(prior.labels), KidneyFrame.of(labels))
    return Comparison(
        sides=tuple(_sides(findings, prior)),
        lesions=tuple(_lesions(findings, prior, registration)),
        days=prior.interval_days,
        same_phase=(findings.phase and findings.phase.phase) == (prior.findings.phase and prior.findings.phase.phase),
    )


def _images(findings: Findings) -> tuple[str, ...]:
    """Returns the identifiers of the images behind a result; none where it was not made from DICOM."""
    return tuple(findings.provenance.input.source.get("sop_instance_uids") or ())


def match(
    prior: Sequence[LesionFinding], now: Sequence[LesionFinding], registration: Registration
) -> list[tuple[int, int]]:
    """Returns pairs of indices of the lesions that are the same, found by their place relative to their kidney."""
    from scipy.optimize import linear_sum_assignment

    apart = 1e3
    costs = np.full((len(prior), len(now)), apart)
    for row, before in enumerate(prior):
        if before.side not in registration.centres:
            continue
        expected = registration.to_now(np.array(before.measures.centroid_lps_mm), before.side)
        for column, after in enumerate(now):
            if after.side is before.side:
                distance = float(np.linalg.norm(expected - after.measures.centroid_lps_mm))
                cost = distance / _reach_mm(before, after)
                other = OTHER_STRUCTURE_COST if after.structure != before.structure else 0.0
                costs[row, column] = cost + other if cost <= 1 else apart
    rows, columns = linear_sum_assignment(costs)
    return [(int(row), int(column)) for row, column in zip(rows, columns, strict=True) if costs[row, column] < apart]


def _reach_mm(before: LesionFinding, after: LesionFinding) -> float:
    """Returns how far two lesions may lie apart and still be the same."""
    lengths = before.longest_mm, after.longest_mm
    return MATCH_MM + MATCH_PER_DIAMETER * max(lengths) + abs(lengths[1] - lengths[0]) / 2


def _lesions(findings: Findings, prior: Prior, registration: Registration) -> list[LesionChange]:
    days, earlier = prior.interval_days, prior.findings.lesions
    pairs = {after: before for before, after in match(earlier, findings.lesions, registration)}
    whole = _whole_in(findings) & _whole_in(prior.findings)
    changes = []
    for number, lesion in enumerate(findings.lesions):
        if number in pairs:
            changes.append(LesionChange(earlier[pairs[number]], lesion, "matched", days))
        else:
            changes.append(LesionChange(None, lesion, "new" if lesion.side in whole else "unmatched", days))
    for number, lesion in enumerate(earlier):
        if number not in pairs.values():
            changes.append(LesionChange(lesion, None, "vanished" if lesion.side in whole else "unmatched", days))
    return changes


def _whole_in(findings: Findings) -> set[Side]:
    """Returns the sides whose kidney was found and is not cut by the image."""
    return {kidney.side for kidney in findings.kidneys if not kidney.cut_at}


def _sides(findings: Findings, prior: Prior) -> list[SideChange]:
    burdens = [{burden.side: burden for burden in one.stone_burden} for one in (prior.findings, findings)]
    changes = []
    for side in Side:
        before, after = prior.findings.kidney(side), findings.kidney(side)
        stones_before, stones_after = (burden.get(side) for burden in burdens)
        if before or after or stones_before or stones_after:
            changes.append(SideChange(side, before, after, stones_before, stones_after, prior.interval_days))
    return changes
