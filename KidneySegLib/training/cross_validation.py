"""Cross-validation of a recipe, for volumes and slices: every fold is trained and scored on what it did not see."""

from __future__ import annotations

import csv
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from KidneySegLib.datasets.folds import make_folds
from KidneySegLib.datasets.labelled_exam import LabelledExam
from KidneySegLib.evaluation.metrics import Overlap, Spread, mean_overlap
from KidneySegLib.evaluation.outline_pictures import Compared, draw_boxes, draw_comparison
from KidneySegLib.inference.predict import Predictor
from KidneySegLib.training.fitting.curves import draw_curves, read_curves
from KidneySegLib.training.fitting.trainer import Trainer
from KidneySegLib.training.fitting.validation import Score, outlines, regions, score
from KidneySegLib.training.recipe import Folds, Recipe
from KidneySegLib.training.synthesis.shapes import ShapeLibrary

# Exams per fold in the side-by-side picture: the worst, the middle and the best one.
SHOWN = (0.0, 0.5, 1.0)
MEASURES = ("dice", "iou", "loss")

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
        folder: gets a run per fold, ``crossvalidation.md``, ``exams.csv`` and pictures.
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
        mean = ", ".join(f"{name} {getattr(fold.mean, name):.4f}" for name in MEASURES)
        tell(f"Fold {number}: {len(train)} exams for training, {len(valid)} for validation, {mean}")
        pictures += _pictures(trainer.predictor, recipe, valid, fold)
    (folder / "crossvalidation.md").write_text(table(results, recipe.folds, exams), encoding="utf-8")
    _write_files(folder, results, pictures)
    return results


def table(folds: Sequence[Fold], plan: Folds, exams: Sequence[LabelledExam]) -> str:
    """Returns one row per fold, then mean ± sd over folds, as Markdown (the form of Pérez Martínez et al., 2026)."""
    means = [fold.mean for fold in folds]
    spreads = [str(Spread.of([getattr(mean, name) for mean in means])) for name in MEASURES]
    kind = "slices" if all(exam.hu.shape[0] == 1 for exam in exams) else "exams"
    patients = len({exam.patient for exam in exams})
    note = f"{len(folds)}-fold cross-validation, {len(exams)} {kind} of {patients} patients. " + (
        f"Split of {kind} at random: those of one patient are on both sides, so these numbers LEAK and are too good; "
        "they only repeat the published protocol."
        if plan.split.leaks
        else "Split by patient: no patient is on both sides."
    )
    lines = [f"| fold | {kind} | Dice | IoU | validation loss |", "|---|---|---|---|---|"]
    lines += [
        f"| {n} | {len(fold.scores)} | " + " | ".join(f"{getattr(mean, name):.4f}" for name in MEASURES) + " |"
        for n, (fold, mean) in enumerate(zip(folds, means, strict=True), start=1)
    ]
    lines.append(f"| mean ± sd | {sum(len(fold.scores) for fold in folds)} | {' | '.join(spreads)} |")
    return f"{note} Validation loss: mean binary cross-entropy per voxel.\n\n" + "\n".join(lines) + "\n"


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
