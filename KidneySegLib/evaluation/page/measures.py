"""The page's own tables: measures with intervals, volumes, detection, panoptic quality, calibration."""

import math
from collections.abc import Callable, Sequence

from KidneySegLib.evaluation.detection import ScoredLesion, Status
from KidneySegLib.evaluation.evaluate import CaseResult
from KidneySegLib.evaluation.metrics import TOLERANCE_MM, Agreement
from KidneySegLib.evaluation.statistics.bland_altman import limits_of_agreement
from KidneySegLib.evaluation.statistics.bootstrap import Interval, bootstrap, mean
from KidneySegLib.evaluation.statistics.calibration import Reliability
from KidneySegLib.evaluation.statistics.froc import FALSE_ALARMS, froc, sensitivity_at
from KidneySegLib.evaluation.statistics.panoptic import SIZES_MM, panoptic_quality
from KidneySegLib.evaluation.tables import Cell, ScoreTable

STRUCTURES = ("kidney", "mass", "cyst", "stone")
LESIONS = ("mass", "cyst", "stone")
_MEASURES: dict[str, Callable[[Agreement], float | None]] = {
    "Dice (F1)": lambda a: a.dice,
    "IoU": lambda a: a.iou,
    "accuracy": lambda a: a.accuracy,
    "precision": lambda a: a.precision,
    "recall": lambda a: a.recall,
    "surface Dice, readers": lambda a: a.reader_surface_dice,
    "HD95 mm": lambda a: a.hd95_mm,
}


def agreement_table(results: Sequence[CaseResult]) -> ScoreTable:
    """Returns the mean of every measure with its interval, by structure."""
    tolerances = ", ".join(f"{name} {mm} mm" for name, mm in TOLERANCE_MM.items())
    note = (
        "Means with 95 % confidence intervals by bootstrap over patients. An item is a kidney with its lesions (of a "
        "slice: all kidneys), or all masses, cysts or stones of an exam; items in neither map are left out, those in "
        "only one have Dice 0. Accuracy is over all voxels of the image. Surface Dice within the distance at which "
        f"expert readers differ (KiTS23: {tolerances}). HD95 is over the items that both maps have."
    )
    rows: list[tuple[Cell, ...]] = []
    for structure in STRUCTURES:
        records = _records(results, structure)
        if records:
            cells = [_interval(records, measure) for measure in _MEASURES.values()]
            rows.append((structure, len(records), len({patient for patient, _ in records}), *map(_cell, cells)))
    return ScoreTable("agreement", "Agreement", note, ("structure", "items", "patients", *_MEASURES), rows)


def volume_table(results: Sequence[CaseResult]) -> ScoreTable:
    """Returns bias and limits of agreement of the volumes (Bland and Altman)."""
    note = "Found minus reference. Limits of agreement: bias ± 1.96 sd. Items in only one of the maps count with 0 ml."
    rows: list[tuple[Cell, ...]] = []
    for structure in STRUCTURES:
        records = [agreement for _, agreement in _records(results, structure)]
        limits = limits_of_agreement([a.found_ml for a in records], [a.reference_ml for a in records])
        if limits is not None:
            errors = [abs(a.volume_error_percent) for a in records if a.reference_ml]
            values = (f"{value:.2f}" for value in (limits.bias, limits.low, limits.high))
            rows.append((structure, limits.count, *values, mean(errors)))
    header = ("structure", "items", "bias ml", "lower limit ml", "upper limit ml", "mean absolute error %")
    return ScoreTable("volumes", "Volumes (Bland–Altman)", note, header, rows)


def detection_table(results: Sequence[CaseResult]) -> ScoreTable:
    """Returns sensitivity and false alarms per exam with intervals, and the sensitivities of the FROC curve."""
    exams = [(result.patient, result.exam.lesions) for result in results if result.exam is not None]
    rates = tuple(f"{rate:g}" for rate in FALSE_ALARMS)
    note = (
        "Lesion by lesion (rule: IoU of at least 0.10). Intervals by bootstrap over patients. The last columns are the "
        f"sensitivity at {', '.join(rates)} false alarms per exam at most (FROC); where no confidence is known, every "
        "lesion counts as certain."
    )
    rows: list[tuple[Cell, ...]] = []
    for structure in LESIONS if exams else ():
        records = [(patient, [one for one in lesions if one.structure == structure]) for patient, lesions in exams]
        curve = froc([one for _, lesions in records for one in lesions], len(exams))
        at = (f"{sensitivity_at(curve, rate):.3f}" if curve else None for rate in FALSE_ALARMS)
        values = (bootstrap(records, _sensitivity), bootstrap(records, _false_alarms), bootstrap(records, _alarm_rate))
        rows.append((structure, _count(records), *map(_cell, values), *at))
    counts = ("structure", "lesions", "sensitivity", "false alarms per exam", "exams with a false alarm")
    return ScoreTable("lesion_detection", "Lesions: sensitivity, false alarms, FROC", note, (*counts, *rates), rows)


def panoptic_table(results: Sequence[CaseResult]) -> ScoreTable:
    """Returns panoptic quality by structure and size."""
    note = (
        "PQ = SQ × RQ; a pair has an IoU above 0.5. Sizes are axial diameters (of stones: lengths) of the reference "
        "lesion, of false ones their own."
    )
    lesions = [one for result in results if result.exam is not None for one in result.exam.lesions]
    rows: list[tuple[Cell, ...]] = []
    for structure in LESIONS:
        of_kind = [lesion for lesion in lesions if lesion.structure == structure]
        for low, high in ((0.0, math.inf), *SIZES_MM) if of_kind else ():
            one = panoptic_quality(of_kind, low, high)
            size = (
                "all"
                if (low, high) == (0.0, math.inf)
                else f"{low:g} to {high:g} mm".replace("to inf mm", "mm or more")
            )
            values = (f"{v:.3f}" if v is not None else None for v in (one.quality, one.segmentation, one.recognition))
            rows.append((structure, size, *values, one.pairs, one.missed, one.false))
    header = ("structure", "size", "PQ", "SQ", "RQ", "pairs", "missed", "false")
    return ScoreTable("panoptic", "Panoptic quality", note, header, rows)


def calibration_table(results: Sequence[CaseResult]) -> ScoreTable:
    """Returns the bins of the reliability curve and the expected calibration error."""
    total = total_reliability(results)
    rows: list[tuple[Cell, ...]] = []
    if total is not None and total.error is not None:
        rows = [(f"{probability:.3f}", f"{share:.3f}", count) for probability, share, count in total.curve()]
        rows.append((f"ECE {total.error:.4f}", None, int(total.voxels.sum())))
    note = (
        "Of volumes: voxels of found masses and cysts, and how many of them the reference calls the same. Of slices: "
        "pixels with a probability of 0.01 or more, or in the reference, and how many of them are kidney. ECE: "
        "expected calibration error over ten bins."
    )
    return ScoreTable("calibration", "Calibration", note, ("mean probability", "share that is right", "voxels"), rows)


def total_reliability(results: Sequence[CaseResult]) -> Reliability | None:
    """Returns the reliability of all cases together; None where no probability is known."""
    known = [result.reliability for result in results if result.reliability is not None]
    return sum(known[1:], start=known[0]) if known else None


def measure_tables(results: Sequence[CaseResult]) -> list[ScoreTable]:
    """Returns all tables of this file that have rows."""
    makers = (agreement_table, volume_table, detection_table, panoptic_table, calibration_table)
    return [table for make in makers if (table := make(results)).rows]


def case_table(results: Sequence[CaseResult]) -> ScoreTable:
    """Returns every item with its measures, for further work and for the comparison with another model."""
    rows: list[tuple[Cell, ...]] = []
    for result in results:
        for structure, a in result.structures:
            values = (a.dice, a.iou, a.accuracy, a.precision, a.recall, a.surface_dice, a.reader_surface_dice)
            rows.append((result.name, result.patient, structure, *values, a.hd95_mm, a.reference_ml, a.found_ml))
    header = ("case", "patient", "structure", "dice", "iou", "accuracy", "precision", "recall", "surface_dice_2mm")
    more = ("surface_dice_readers", "hd95_mm", "reference_ml", "found_ml")
    return ScoreTable("structures_by_case", "", "", (*header, *more), rows)


def _records(results: Sequence[CaseResult], structure: str) -> list[tuple[str, Agreement]]:
    return [(result.patient, a) for result in results for name, a in result.structures if name == structure]


def _interval(
    records: Sequence[tuple[str, Agreement]], measure: Callable[[Agreement], float | None]
) -> Interval | None:
    values = [(patient, value) for patient, a in records if (value := measure(a)) is not None]
    return bootstrap(values, mean) if values else None


def _cell(interval: Interval | None) -> str | None:
    return None if interval is None else str(interval)


def _count(records: Sequence[tuple[str, list[ScoredLesion]]]) -> int:
    return sum(one.status in (Status.FOUND, Status.MISSED) for _, lesions in records for one in lesions)


def _sensitivity(exams: Sequence[list[ScoredLesion]]) -> float | None:
    found = sum(one.status is Status.FOUND for lesions in exams for one in lesions)
    missed = sum(one.status is Status.MISSED for lesions in exams for one in lesions)
    return found / (found + missed) if found + missed else None


def _false_alarms(exams: Sequence[list[ScoredLesion]]) -> float | None:
    return sum(one.status is Status.FALSE for lesions in exams for one in lesions) / len(exams)


def _alarm_rate(exams: Sequence[list[ScoredLesion]]) -> float | None:
    return sum(any(one.status is Status.FALSE for one in lesions) for lesions in exams) / len(exams)
