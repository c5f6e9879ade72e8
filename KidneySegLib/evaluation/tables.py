"""An evaluation as tables: one CSV file each, and one Markdown page with those that are for reading."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from KidneySegLib.evaluation.classwise import CLASSES, Scores, class_scores, mean_scores
from KidneySegLib.evaluation.detection import ScoredLesion, Status
from KidneySegLib.evaluation.volumes import Evaluation, ExamResult

Cell = str | int | float | None

_ORGAN_MEASURES = ("dice", "surface_dice_2mm", "hd95_mm", "volume_error_percent", "reference_ml", "found_ml")
ORGAN_HEADER = ("exam", "side", *_ORGAN_MEASURES)
SCORES_HEADER = ("accuracy %", "precision %", "recall %", "F1 %")
NAMES = {"kidney": "kidney", "mass": "solid mass", "cyst": "cyst"}


@dataclass(frozen=True)
class ScoreTable:
    """A table of an evaluation.

    Attributes:
        name: of its file, without suffix.
        title: its heading.
        note: what the numbers are, in a few sentences.
        header: column names; those that end in ``%`` get two decimals.
        rows: the cells; None and NaN are left empty.
    """

    name: str
    title: str
    note: str
    header: tuple[str, ...]
    rows: list[tuple[Cell, ...]]

    def write_csv(self, folder: Path) -> None:
        """Writes the table as ``NAME.csv`` into a folder."""
        with (folder / f"{self.name}.csv").open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([self.header, *self.rows])

    def markdown(self) -> str:
        """Returns heading, note and table as Markdown."""
        return f"## {self.title}\n\n{self.note}\n\n{self.lines()}"

    def lines(self) -> str:
        """Returns the table alone as Markdown."""
        lines = [self.header, tuple("---" for _ in self.header), *(self.cells(row) for row in self.rows)]
        return "".join(f"| {' | '.join(line)} |\n" for line in lines)

    def cells(self, row: Sequence[Cell]) -> tuple[str, ...]:
        """Returns a row as it is read."""
        return tuple(_text(cell, column) for cell, column in zip(row, self.header, strict=True))


def organ_rows(exam: ExamResult) -> list[tuple[Cell, ...]]:
    """Returns the rows of ``ORGAN_HEADER`` for one exam."""
    rows: list[tuple[Cell, ...]] = []
    for side, organ in exam.organs.items():
        measures = (organ.dice, organ.surface_dice, organ.hd95_mm, organ.volume_error_percent)
        rows.append((exam.exam, side.value, *measures, organ.reference_ml, organ.found_ml))
    return rows or [(exam.exam, "none in view, none found", *[None] * len(_ORGAN_MEASURES))]


def make_tables(evaluation: Evaluation) -> tuple[list[ScoreTable], list[ScoreTable]]:
    """Returns the tables for reading, and those with every exam and every lesion for further work."""
    first = (_organs, _classes, _detection, _mistakes, _candidates)
    pages = (*first, _masses_and_cysts, _stones, _detection_by_exam, _attention)
    files = (_classes_by_exam, _voxels, _lesions)
    return [make(evaluation) for make in pages], [make(evaluation) for make in files]


def write_tables(folder: Path, pages: Sequence[ScoreTable], files: Sequence[ScoreTable]) -> Path:
    """Writes all tables as CSV and ``pages``, those for reading, as ``evaluation.md``, whose path it returns.

    Raises:
        OSError: the files cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for table in (*pages, *files):
        table.write_csv(folder)
    page = folder / "evaluation.md"
    page.write_text("\n".join(table.markdown() for table in pages), encoding="utf-8")
    return page


def _organs(evaluation: Evaluation) -> ScoreTable:
    note = (
        "The kidney is compared as an organ: together with its masses, cysts and stones, each of which belongs to the "
        "nearer kidney."
    )
    rows = [row for exam in evaluation.exams for row in organ_rows(exam)]
    return ScoreTable("evaluation", "Kidneys", note, ORGAN_HEADER, rows)


def _classes(evaluation: Evaluation) -> ScoreTable:
    return class_table(evaluation.confusion, f"Voxels of all {len(evaluation.exams)} exams together.")


def class_table(matrix: np.ndarray, source: str) -> ScoreTable:
    """Returns the scores of kidney, solid mass and cyst, voxel by voxel.

    Args:
        matrix: of ``classwise.confusion``, of all exams together.
        source: a sentence that says which exams.
    """
    note = (
        f"{source} {int(matrix.sum()):,} voxels are not background in the reference or in the result. The kidney is "
        "without its masses and cysts and with its stones. Accuracy: the share of those voxels on which both agree "
        "whether they belong to the class. F1 is the Dice coefficient. The mean is over the classes that the reference "
        "has; a class in neither map stays empty."
    )
    return ScoreTable(
        "classes", "Kidney, solid mass, cyst: voxels", note, ("class", *SCORES_HEADER), class_rows(matrix)
    )


def class_rows(matrix: np.ndarray) -> list[tuple[Cell, ...]]:
    """Returns a row for each class, then their mean; cells of ``SCORES_HEADER`` behind the name."""
    scores = class_scores(matrix)
    rows: list[tuple[Cell, ...]] = [(NAMES[name], *percent_cells(scores[name])) for name in CLASSES]
    return [*rows, ("mean", *percent_cells(mean_scores(matrix)))]


def _classes_by_exam(evaluation: Evaluation) -> ScoreTable:
    rows: list[tuple[Cell, ...]] = []
    for exam in evaluation.exams:
        scores = class_scores(exam.confusion)
        rows += [(exam.exam, NAMES[name], *percent_cells(scores[name])) for name in CLASSES]
    return ScoreTable("classes_by_exam", "", "", ("exam", "class", *SCORES_HEADER), rows)


def _voxels(evaluation: Evaluation) -> ScoreTable:
    """Returns the voxels by exam, the reference's class and the class found."""
    names = ("background", *(NAMES[name] for name in CLASSES))
    rows: list[tuple[Cell, ...]] = []
    for exam in evaluation.exams:
        pairs = np.argwhere(exam.confusion > 0)
        rows += [(exam.exam, names[r], names[f], int(exam.confusion[r, f])) for r, f in pairs]
    return ScoreTable("voxels", "", "", ("exam", "reference", "found", "voxels"), rows)


def _detection(evaluation: Evaluation) -> ScoreTable:
    note = (
        "Lesions of the reference are connected bodies of voxels (26 neighbours); masses and cysts count from 5 mm of "
        "axial diameter, stones from one voxel, their size is the length in any direction. Masses and cysts found are "
        "those that the findings list. One is found if the IoU with its counterpart is at least 0.10; split and merged "
        "ones are taken together for that, but are not found as one. Dice and distance of the centres of gravity are "
        "means over those found. False ones go by their own size; the last column counts them in the exams without "
        "such lesions."
    )
    header: tuple[str, ...] = ("structure", "size", "reference", "found", "as one", "missed", "sensitivity %")
    header += ("Dice", "distance mm", "false", "scans", "false per scan", "scans without", "false per scan without")
    rows: list[tuple[Cell, ...]] = []
    for row in evaluation.detections():
        counts = (row.reference, row.found, row.as_one, row.missed, _times_100(row.sensitivity), row.dice)
        false = (row.false, row.scans, row.false_per_scan, row.scans_without, row.false_per_scan_without)
        rows.append((row.structure, row.size, *counts, row.distance_mm, *false))
    return ScoreTable("detection", "Masses, cysts and stones: detection", note, header, rows)


def _candidates(evaluation: Evaluation) -> ScoreTable:
    note = (
        "Masses and cysts below the operating point are listed apart and count as found nowhere above. On a lesion: "
        "most of it is mass or cyst in the reference. Exams without: those whose reference has neither mass nor cyst."
    )
    header = ("exams", "number", "candidates", "on a lesion", "on none", "candidates per exam")
    rows: list[tuple[Cell, ...]] = []
    without = [exam for exam in evaluation.exams if not exam.has("mass", "cyst")]
    for name, exams in (("all", evaluation.exams), ("without", without)):
        candidates = [candidate for exam in exams for candidate in exam.candidates]
        right = sum(candidate.is_lesion for candidate in candidates)
        share = len(candidates) / len(exams) if exams else None
        rows.append((name, len(exams), len(candidates), right, len(candidates) - right, share))
    return ScoreTable("candidates", "Candidates", note, header, rows)


def _detection_by_exam(evaluation: Evaluation) -> ScoreTable:
    note = "The same exam by exam; exams without lesions in which none was found are left out."
    header = ("exam", "structure", "reference", "found", "as one", "missed", "false", "Dice", "distance mm")
    rows: list[tuple[Cell, ...]] = []
    for exam, row in evaluation.detections_by_exam():
        counts = (row.reference, row.found, row.as_one, row.missed, row.false)
        rows.append((exam, row.structure, *counts, row.dice, row.distance_mm))
    return ScoreTable("detection_by_exam", "Detection by exam", note, header, rows)


def _masses_and_cysts(evaluation: Evaluation) -> ScoreTable:
    note = (
        "Every mass and cyst of the reference that counts. Of split and merged ones, found volume and Dice are those "
        "of the group."
    )
    header = ("exam", "structure", "number", "size mm", "reference ml", "found as", "as one", "found ml", "Dice")
    rows: list[tuple[Cell, ...]] = []
    for one in evaluation.lesions:
        if one.structure != "stone" and one.status in (Status.FOUND, Status.MISSED):
            size = (f"{one.component.size_mm:.1f}", one.component.volume_ml)
            result = (one.counterpart or "not found", "yes" if one.as_one else "", one.counterpart_ml, one.dice)
            rows.append((one.exam, one.structure, one.number, *size, *result))
    return ScoreTable("masses_and_cysts", "Masses and cysts one by one", note, header, rows)


def _mistakes(evaluation: Evaluation) -> ScoreTable:
    note = (
        "Lesions of the reference by what they were found as; the last row holds those found where the reference has "
        "neither mass nor cyst. (False lesions that lie on a lesion of the other class are in `lesions.csv`.)"
    )
    counts = evaluation.mistakes()
    names = ("mass", "cyst", "none")
    rows: list[tuple[Cell, ...]] = [
        (row, *(None if row == column == "none" else counts[row, column] for column in names)) for row in names
    ]
    header = ("reference", "found as mass", "found as cyst", "not found")
    return ScoreTable("mistakes", "Mass or cyst", note, header, rows)


def _stones(evaluation: Evaluation) -> ScoreTable:
    note = (
        "Stone voxels: Dice, and found over reference volume. The last row takes the voxels of all exams together. "
        "Exams without stone in either map are left out."
    )
    header = ("exam", "Dice", "reference ml", "found ml", "found / reference")
    named = [(exam.exam, exam.stones) for exam in evaluation.exams] + [("all", evaluation.stones)]
    rows: list[tuple[Cell, ...]] = [
        (name, stones.dice, stones.reference_ml, stones.found_ml, stones.volume_ratio)
        for name, stones in named
        if stones.dice is not None
    ]
    return ScoreTable("stones", "Stones: voxels", note, header, rows)


def _attention(evaluation: Evaluation) -> ScoreTable:
    note = (
        "Where to look: what was missed, and what was found that the reference does not have (which may be the "
        "reference's fault). Places are centres of gravity in mm LPS; slices count from the feet, from 1."
    )
    header = ("exam", "structure", "what", "number", "size mm", "ml", "x", "y", "z", "slice", "counterpart")
    rows: list[tuple[Cell, ...]] = []
    for lesion in evaluation.lesions:
        if lesion.status in (Status.MISSED, Status.FALSE):
            part = lesion.component
            x, y, z = (f"{x:.1f}" for x in part.centroid_lps_mm)
            size = (f"{part.size_mm:.1f}", f"{part.volume_ml:.3f}")
            rows.append((*_identity(lesion), *size, x, y, z, part.slice_index + 1, lesion.counterpart))
    return ScoreTable("attention", "Missed and false", note, header, rows)


def _lesions(evaluation: Evaluation) -> ScoreTable:
    about = ("exam", "structure", "what", "number", "in_reference", "voxels", "volume_ml", "size_mm")
    place = ("x_lps_mm", "y_lps_mm", "z_lps_mm", "slice_from_feet")
    match = ("dice", "as_one", "distance_mm", "counterpart", "counterpart_ml")
    rows: list[tuple[Cell, ...]] = []
    for lesion in evaluation.lesions:
        part = lesion.component
        size = (part.voxels, part.volume_ml, part.size_mm)
        where = (*part.centroid_lps_mm, part.slice_index + 1)
        rest = (lesion.dice, int(lesion.as_one), lesion.distance_mm, lesion.counterpart, lesion.counterpart_ml)
        rows.append((*_identity(lesion), int(lesion.in_reference), *size, *where, *rest))
    return ScoreTable("lesions", "", "", (*about, *place, *match), rows)


def _identity(lesion: ScoredLesion) -> tuple[str, str, str, int]:
    return lesion.exam, lesion.structure, lesion.status.value, lesion.number


def percent_cells(scores: Scores) -> tuple[float | None, ...]:
    """Returns the cells of ``SCORES_HEADER``."""
    return tuple(_times_100(x) for x in (scores.accuracy, scores.precision, scores.recall, scores.f1))


def _times_100(value: float | None) -> float | None:
    return None if value is None else 100 * value


def _text(value: Cell, column: str) -> str:
    if value is None:
        return ""
    if not isinstance(value, float):
        return str(value)
    if column.endswith("%"):
        return f"{value:.2f}"
    return f"{value:.3f}" if abs(value) < 2 else f"{value:.1f}"
