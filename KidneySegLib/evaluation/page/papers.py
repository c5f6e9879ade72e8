"""Tables in the form of the papers that KidneySeg implements, each with what it was taken over."""

import math
from collections.abc import Sequence
from statistics import fmean

from KidneySegLib.evaluation.classwise import class_scores, confusion_sum
from KidneySegLib.evaluation.evaluate import CaseResult
from KidneySegLib.evaluation.metrics import Agreement, Spread
from KidneySegLib.evaluation.tables import SCORES_HEADER, Cell, ScoreTable, class_rows


def paper_tables(results: Sequence[CaseResult], name: str, training_seconds: float | None = None) -> list[ScoreTable]:
    """Returns the tables that the results have something for.

    Args:
        results: of the cases, in their order.
        name: of the model, as rows call it.
        training_seconds: of its training; None where that is not known.
    """
    tables = [_p1(results), _p2(results), _p3(results), *_p4(results, name, training_seconds)]
    return [table for table in tables if table.rows]


def _p1(results: Sequence[CaseResult]) -> ScoreTable:
    """Table I of Pérez Martínez et al. (2026) has one row per fold; an evaluation has one per patient."""
    patients: dict[str, list[CaseResult]] = {}
    for result in results:
        if result.overlap is not None:
            patients.setdefault(result.patient, []).append(result)
    measures = [
        tuple(fmean(getattr(r.overlap, field) for r in group) for field in ("dice", "iou", "loss"))
        for group in patients.values()
    ]
    rows: list[tuple[Cell, ...]] = [
        (str(number), len(group), *(None if math.isnan(value) else f"{value:.4f}" for value in values))
        for number, (group, values) in enumerate(zip(patients.values(), measures, strict=True), start=1)
    ]
    if measures:
        # the loss of a task that keeps no probability is NaN, of which there is no deviation
        cells = (
            None if any(map(math.isnan, column)) else str(Spread.of(column)) for column in zip(*measures, strict=True)
        )
        rows.append(("mean ± sd", sum(map(len, patients.values())), *cells))
    note = (
        "Form of Table I of Pérez Martínez et al. (2026), whose rows are folds; here they are patients, by number. "
        "'kidneyseg crossvalidate' gives the table by fold. Loss: mean binary cross-entropy per voxel."
    )
    return ScoreTable("paper1_table1", "Paper 1, Table I", note, ("patient", "images", "Dice", "IoU", "loss"), rows)


def _p2(results: Sequence[CaseResult]) -> ScoreTable:
    """Table II of Kilic et al. (2026)."""
    exams = [result.exam for result in results if result.exam is not None]
    rows: list[tuple[Cell, ...]] = []
    note = "Form of Table II of Kilic et al. (2026). No exam is a volume."
    if exams:
        matrix = confusion_sum([exam.confusion for exam in exams])
        rows = class_rows(matrix)
        note = (
            f"Form of Table II of Kilic et al. (2026): {len(exams)} exams, {int(matrix.sum()):,} voxels that are not "
            "background in the reference or in the result. The kidney is without its masses and cysts. The mean is "
            "over the classes that the reference has."
        )
    return ScoreTable("paper2_table2", "Paper 2, Table II", note, ("class", *SCORES_HEADER), rows)


def _p3(results: Sequence[CaseResult]) -> ScoreTable:
    """The table of Shtaiyat and Younes (2024): mean ± sd over images, of one class."""
    images = [agreement for result in results if (agreement := result.whole) is not None]
    header = ("images", "accuracy %", "precision %", "recall %", "Jaccard %", "F1 %")
    rows: list[tuple[Cell, ...]] = []
    if images:
        rows.append(
            (len(images), *(_spread(images, field) for field in ("accuracy", "precision", "recall", "iou", "dice")))
        )
    note = (
        "Form of the table of Shtaiyat and Younes (2024): mean ± sd over images, one class. Accuracy is over all "
        "pixels of an image. Images in which nothing was found have no precision, those without the structure no "
        "recall."
    )
    return ScoreTable("paper3_table", "Paper 3", note, header, rows)


def _spread(images: Sequence[Agreement], field: str) -> str | None:
    values = [100 * value for image in images if (value := getattr(image, field)) is not None]
    if not values:
        return None
    spread = Spread.of(values)
    return f"{spread.mean:.2f} ± {spread.sd:.2f}"


def _p4(results: Sequence[CaseResult], name: str, training_seconds: float | None) -> list[ScoreTable]:
    """Tables 3 to 5 of the KiTS21 study: Dice of the model, seconds, and every case."""
    cases: list[tuple[Cell, ...]] = []
    kidneys, tumours, seconds = [], [], []
    for number, result in enumerate(results, start=1):
        if result.exam is None:
            continue
        scores = class_scores(result.exam.confusion)
        kidney, tumour = scores["kidney"].f1, scores["mass"].f1
        known = [value for value in (kidney, tumour) if value is not None]
        cells = (fmean(known) if known else None, kidney, tumour)
        cases.append((number, *(None if c is None else f"{c:.4f}" for c in cells), _seconds(result.seconds)))
        kidneys += [kidney] if kidney is not None else []
        tumours += [tumour] if tumour is not None else []
        seconds += [result.seconds] if result.seconds is not None else []
    if not cases:
        return []
    means = [fmean(values) if values else None for values in (kidneys, tumours)]
    known = [value for value in means if value is not None]
    dice = (fmean(known) if known else None, *means)
    note = (
        f"Form of Table {{}} of the KiTS21 study. Dice is the mean over the {len(cases)} cases that have the class in "
        "one of the maps; the kidney is without its tumours; mean: of kidney and tumour."
    )
    models = [(name, *(None if value is None else f"{value:.4f}" for value in dice))]
    mean_seconds = fmean(seconds) if seconds else None
    times: list[tuple[Cell, ...]] = [(name, _seconds(training_seconds), _seconds(mean_seconds), len(seconds))]
    return [
        ScoreTable(
            "paper4_table3", "Paper 4, Table 3", note.format(3), ("model", "mean", "kidney", "tumour"), list(models)
        ),
        ScoreTable(
            "paper4_table4",
            "Paper 4, Table 4",
            "Form of Table 4 of the KiTS21 study: seconds of training (where known), and per case of reading, "
            "segmenting and measuring.",
            ("model", "training s", "seconds per case", "cases"),
            times,
        ),
        ScoreTable(
            "paper4_table5",
            "Paper 4, Table 5",
            note.format(5),
            ("case", "mean", "kidney", "tumour", "seconds"),
            cases,
        ),
    ]


def _seconds(value: float | None) -> str | None:
    return None if value is None else f"{value:.2f}"
