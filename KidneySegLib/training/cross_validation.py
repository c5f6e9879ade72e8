"""Cross-validation of a recipe, for volumes and slices: every fold is trained and scored on what it did not see."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from KidneySegLib.datasets.folds import make_folds
from KidneySegLib.datasets.labelled_exam import LabelledExam
from KidneySegLib.evaluation.classwise import confusion_sum
from KidneySegLib.evaluation.latex import latex
from KidneySegLib.evaluation.metrics import Overlap, Spread, mean_overlap
from KidneySegLib.evaluation.outline_pictures import Compared, draw_boxes, draw_comparison
from KidneySegLib.evaluation.tables import Cell, ScoreTable, class_table
from KidneySegLib.training.fitting.curves import draw_curves, read_curves
from KidneySegLib.training.fitting.trainer import Trainer
from KidneySegLib.training.fitting.validation import Score
from KidneySegLib.training.out_of_fold import judge
from KidneySegLib.training.recipe import Folds, Recipe
from KidneySegLib.training.synthesis.shapes import ShapeLibrary

MEASURES = ("dice", "iou", "loss")
PREDICTIONS = "out-of-fold"

Library = Callable[[Sequence[LabelledExam]], ShapeLibrary | None]


@dataclass(frozen=True)
class Fold:
    """One fold after its last epoch.

    Attributes:
        scores: on its validation exams.
    """

    scores: tuple[Score, ...]

    @property
    def mean(self) -> Overlap:
        """Mean over the scores."""
        return mean_overlap([one.overlap for one in self.scores])


def cross_validate(
    recipe: Recipe,
    exams: Sequence[LabelledExam],
    learnt: Sequence[LabelledExam],
    folder: Path,
    device: torch.device,
    *,
    library: Library = lambda exams: None,
    minutes: float = math.inf,
    tell: Callable[[str], None] = print,
) -> list[Fold] | None:
    """Trains and scores every fold; continues what is in ``folder``.

    The weights after the last epoch count, not those of the epoch that was best on the fold's own validation exams.

    Args:
        recipe: says how many folds, and how they are split.
        exams: that show the organ; they are split and scored.
        learnt: what a fold learns from, less its own patients. A split at random learns from ``exams`` alone.
        folder: gets a run per fold with what its network says of the exams that it did not see, the table (of a network
            for kidney, mass and cyst that of their voxels, too) as Markdown, CSV and LaTeX, ``exams.csv`` and pictures.
        device: what it runs on.
        library: gives the shapes to paint lesions with; its textures come from the exams of the fold alone.
        minutes: after which it stops.
        tell: called with a line for each fold.

    Returns:
        The folds, or None where ``minutes`` were over before the last one ended.

    Raises:
        InputError: there are too few patients or exams.
    """
    end = time.monotonic() + 60 * minutes
    results: list[Fold] = []
    pictures: list[Compared] = []
    matrices: list[np.ndarray] = []
    split = make_folds(exams, recipe.folds.count, recipe.folds.split, recipe.schedule.seed)
    for number, validation in enumerate(split, start=1):
        valid = [exams[n] for n in validation]
        if recipe.folds.split.leaks:
            held_out = set(validation)
            train = [exam for n, exam in enumerate(exams) if n not in held_out]
        else:
            unseen = {exam.patient for exam in valid}
            train = [exam for exam in learnt if exam.patient not in unseen]
        trainer = Trainer(recipe, folder / f"fold-{number}", device)
        if not trainer.run(train, valid, minutes=(end - time.monotonic()) / 60, shapes=library(train)):
            return None
        seen = judge(trainer.predictor, recipe, valid, folder / f"fold-{number}" / PREDICTIONS)
        fold = Fold(seen.scores)
        results.append(fold)
        pictures += seen.pictures
        matrices += seen.confusions
        mean = ", ".join(f"{name} {getattr(fold.mean, name):.4f}" for name in MEASURES)
        tell(f"Fold {number}: {len(train)} exams for training, {len(valid)} for validation, {mean}")
    tables = [fold_table(results, recipe.folds, exams)]
    if matrices:
        tables.append(class_table(confusion_sum(matrices), "Of the folds' networks on exams that they did not see."))
    for table in tables:
        (folder / f"{table.name}.md").write_text(f"{table.note}\n\n{table.lines()}", encoding="utf-8")
        (folder / f"{table.name}.tex").write_text(latex(table), encoding="utf-8")
        table.write_csv(folder)
    _write_files(folder, results, pictures)
    return results


def fold_table(folds: Sequence[Fold], plan: Folds, exams: Sequence[LabelledExam]) -> ScoreTable:
    """Returns one row per fold, then mean ± sd over folds (Table I of Pérez Martínez et al., 2026)."""
    means = [fold.mean for fold in folds]
    kind = "slices" if all(exam.hu.shape[0] == 1 for exam in exams) else "exams"
    patients = len({exam.patient for exam in exams})
    note = f"{len(folds)}-fold cross-validation, {len(exams)} {kind} of {patients} patients. " + (
        f"Split of {kind} at random: those of one patient are on both sides, so these numbers LEAK and are too good; "
        "they only repeat the published protocol."
        if plan.split.leaks
        else "Split by patient: no patient is on both sides."
    )
    rows: list[tuple[Cell, ...]] = [
        (str(n), len(fold.scores), *(f"{getattr(mean, name):.4f}" for name in MEASURES))
        for n, (fold, mean) in enumerate(zip(folds, means, strict=True), start=1)
    ]
    spreads = (str(Spread.of([getattr(mean, name) for mean in means])) for name in MEASURES)
    rows.append(("mean ± sd", sum(len(fold.scores) for fold in folds), *spreads))
    note += " Validation loss: mean binary cross-entropy per voxel."
    header = ("fold", kind, "Dice", "IoU", "validation loss")
    return ScoreTable("crossvalidation", "Cross-validation", note, header, rows)


def _write_files(folder: Path, folds: Sequence[Fold], pictures: Sequence[Compared]) -> None:
    rows: list[tuple[Cell, ...]] = [
        (number, one.name, one.patient, *(f"{getattr(one.overlap, name):.5f}" for name in MEASURES))
        for number, fold in enumerate(folds, start=1)
        for one in fold.scores
    ]
    ScoreTable("exams", "", "", ("fold", "exam", "patient", *MEASURES), rows).write_csv(folder)
    draw_curves([read_curves(folder / f"fold-{n + 1}") for n in range(len(folds))], folder / "curves.png")
    draw_boxes([[one.overlap for one in fold.scores] for fold in folds], folder / "boxes.png")
    draw_comparison(pictures, folder / "comparison.png")
