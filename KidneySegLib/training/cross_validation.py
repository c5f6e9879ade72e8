"""Cross-validation of a recipe, for volumes and slices: every fold is trained and scored on what it did not see."""

from __future__ import annotations

import csv
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from KidneySegLib.datasets.folds import make_folds
from KidneySegLib.datasets.labelled_exam import LabelledExam
from KidneySegLib.evaluation.latex import latex
from KidneySegLib.evaluation.metrics import Overlap, Spread, mean_overlap
from KidneySegLib.evaluation.outline_pictures import Compared, draw_boxes, draw_comparison
from KidneySegLib.evaluation.tables import Cell, ScoreTable
from KidneySegLib.inference.predict import Predictor
from KidneySegLib.training.fitting.curves import draw_curves, read_curves
from KidneySegLib.training.fitting.trainer import Trainer
from KidneySegLib.training.fitting.validation import Score, outlines, regions, score
from KidneySegLib.training.recipe import Folds, Recipe
from KidneySegLib.training.synthesis.shapes import ShapeLibrary

# Exams per fold in the side-by-side picture: the worst, the middle and the best one.
SHOWN = (0.0, 0.5, 1.0)
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
        exams: that show the organ.
        folder: gets a run per fold with what its network says of the exams that it did not see, the table as Markdown,
            CSV and LaTeX, ``exams.csv`` and pictures.
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
    results, pictures = [], []
    split = make_folds(exams, recipe.folds.count, recipe.folds.split, recipe.schedule.seed)
    for number, validation in enumerate(split, start=1):
        held_out = set(validation)
        train = [exam for n, exam in enumerate(exams) if n not in held_out]
        valid = [exams[n] for n in validation]
        trainer = Trainer(recipe, folder / f"fold-{number}", device)
        if not trainer.run(train, valid, minutes=(end - time.monotonic()) / 60, shapes=library(train)):
            return None
        fold = Fold(tuple(score(trainer.predictor, valid, recipe.validation)))
        results.append(fold)
        _keep_predictions(trainer.predictor, recipe, valid, folder / f"fold-{number}" / PREDICTIONS)
        mean = ", ".join(f"{name} {getattr(fold.mean, name):.4f}" for name in MEASURES)
        tell(f"Fold {number}: {len(train)} exams for training, {len(valid)} for validation, {mean}")
        pictures += _pictures(trainer.predictor, recipe, valid, fold)
    rows = fold_table(results, recipe.folds, exams)
    (folder / "crossvalidation.md").write_text(f"{rows.note}\n\n{rows.lines()}", encoding="utf-8")
    (folder / "crossvalidation.tex").write_text(latex(rows), encoding="utf-8")
    with (folder / "crossvalidation.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([rows.header, *rows.rows])
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


def _keep_predictions(predictor: Predictor, recipe: Recipe, exams: Sequence[LabelledExam], folder: Path) -> None:
    """Writes what a fold's network says of each exam that it did not see, one compressed file per region.

    A file is called by the number of its region in the fold and holds, on the prepared grid ``(k, j, i)``: ``spacing``
    (mm along k, j, i), and by output ``NAME_percent`` (probability, uint8), ``NAME_found`` and ``NAME_reference``
    (bool, packed by ``numpy.packbits`` along the flattened array; ``shape`` says how to unpack them).
    """
    folder.mkdir(parents=True, exist_ok=True)
    places = [region for exam in exams for region in regions(exam, recipe.validation)]
    for number, region in enumerate(places, start=1):
        arrays: dict[str, np.ndarray] = {"spacing": np.array(region.spacing), "shape": np.array(region.hu.shape)}
        for output, (probability, _, kept) in outlines(predictor, region, recipe.validation).items():
            reference = region.references.get(output, region.references["kidney"])
            arrays[f"{output}_percent"] = np.rint(100 * probability).astype(np.uint8)
            arrays[f"{output}_found"], arrays[f"{output}_reference"] = np.packbits(kept), np.packbits(reference)
        np.savez_compressed(folder / f"{number:04d}.npz", allow_pickle=False, **arrays)
    with (folder / "regions.csv").open("w", newline="", encoding="utf-8") as file:
        rows = [(f"{number:04d}", region.name, region.patient) for number, region in enumerate(places, start=1)]
        csv.writer(file).writerows([("file", "region", "patient"), *rows])


def _pictures(predictor: Predictor, recipe: Recipe, exams: Sequence[LabelledExam], fold: Fold) -> list[Compared]:
    """Returns the worst, the middle and the best exam of a fold in the slice with most of the organ."""
    dice = {one.name: one.overlap.dice for one in fold.scores}
    places = [region for exam in exams for region in regions(exam, recipe.validation) if region.name in dice]
    places.sort(key=lambda region: dice[region.name])
    chosen = dict.fromkeys(round(share * (len(places) - 1)) for share in SHOWN)
    pictures = []
    for region in [places[n] for n in chosen]:
        output, (_, outline, kept) = next(iter(outlines(predictor, region, recipe.validation).items()))
        reference = region.references.get(output, region.references["kidney"])
        k = int(reference.sum(axis=(1, 2)).argmax())
        title = f"{region.name}\nDice {dice[region.name]:.3f}"
        shown = {"manual": reference[k], "automatic (threshold)": outline[k], "post-processed": kept[k]}
        pictures.append(Compared(title, region.hu[k], shown))
    return pictures


def _write_files(folder: Path, folds: Sequence[Fold], pictures: Sequence[Compared]) -> None:
    with (folder / "exams.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("fold", "exam", "patient", *MEASURES))
        for number, fold in enumerate(folds, start=1):
            for one in fold.scores:
                values = (f"{getattr(one.overlap, name):.5f}" for name in MEASURES)
                writer.writerow((number, one.name, one.patient, *values))
    draw_curves([read_curves(folder / f"fold-{n + 1}") for n in range(len(folds))], folder / "curves.png")
    draw_boxes([[one.overlap for one in fold.scores] for fold in folds], folder / "boxes.png")
    draw_comparison(pictures, folder / "comparison.png")
