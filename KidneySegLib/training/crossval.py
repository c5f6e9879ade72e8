"""Cross-validation of a slice recipe, reported as Pérez Martínez et al. (2026) do."""

from __future__ import annotations

import csv
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from KidneySegLib.datasets.folds import Split, make_folds
from KidneySegLib.datasets.slices import LabelledSlice
from KidneySegLib.evaluation.slice_pictures import Compared, draw_boxes, draw_comparison
from KidneySegLib.evaluation.slice_scores import SliceScore, Spread, mean_score, score_slice
from KidneySegLib.training.fitting.slice_curves import draw_curves, read_curves
from KidneySegLib.training.fitting.slice_trainer import SliceTrainer
from KidneySegLib.training.slice_recipes import SliceRecipe

# Slices per fold in the side-by-side picture: the worst, the middle and the best one.
SHOWN = (0.0, 0.5, 1.0)


@dataclass(frozen=True)
class Fold:
    """One fold after its last epoch.

    Attributes:
        names: of its validation slices.
        scores: on each of them.
    """

    names: tuple[str, ...]
    scores: tuple[SliceScore, ...]

    @property
    def mean(self) -> SliceScore:
        """Mean over the slices."""
        return mean_score(self.scores)


def cross_validate(
    recipe: SliceRecipe,
    slices: Sequence[LabelledSlice],
    folder: Path,
    device: torch.device,
    *,
    folds: int,
    split: Split,
    minutes: float = math.inf,
    tell: Callable[[str], None] = print,
) -> list[Fold] | None:
    """Trains and validates every fold; continues what is in ``folder``.

    Only slices with kidney count, as in the paper. The weights after the last epoch count, not those of the epoch
    that was best on the fold's own validation slices.

    Returns:
        The folds, or None where ``minutes`` were over before the last one ended.

    Raises:
        InputError: there are too few patients or slices.
    """
    end = time.monotonic() + 60 * minutes
    shown = [item for item in slices if item.organ.any()]
    results, pictures = [], []
    for number, validation in enumerate(make_folds(shown, folds, split, recipe.schedule.seed), start=1):
        held_out = set(validation)
        train = [item for n, item in enumerate(shown) if n not in held_out]
        valid = [shown[n] for n in validation]
        trainer = SliceTrainer(recipe, folder / f"fold-{number}", device)
        if not trainer.run(train, valid, minutes=(end - time.monotonic()) / 60):
            return None
        fold = Fold(tuple(item.name for item in valid), tuple(score_slice(trainer.predictor, item) for item in valid))
        results.append(fold)
        tell(f"Fold {number}: {len(train)} slices for training, {len(valid)} for validation, {_row(fold.mean)}")
        ranked = sorted(range(len(valid)), key=lambda n: fold.scores[n].dice)
        chosen = [ranked[round(share * (len(ranked) - 1))] for share in SHOWN]
        pictures += [Compared.of(trainer.predictor, valid[n], fold.scores[n].dice) for n in dict.fromkeys(chosen)]
    _write_files(folder, results, pictures)
    return results


def table(folds: Sequence[Fold], split: Split, slices: int, patients: int) -> str:
    """Returns the paper's table as Markdown: one row per fold, then mean ± sd over folds."""
    means = [fold.mean for fold in folds]
    spreads = [Spread.of([getattr(mean, name) for mean in means]) for name in ("dice", "iou", "loss")]
    note = (
        f"{len(folds)}-fold cross-validation, {slices} slices of {patients} patients. "
        + (
            "Split of slices at random: slices of one patient are on both sides, so these numbers LEAK and are too "
            "good; they only repeat the published protocol."
            if split.leaks
            else "Split by patient: no patient is on both sides."
        )
        + " Validation loss: mean binary cross-entropy per pixel."
    )
    lines = ["| fold | slices | Dice | IoU | validation loss |", "|---|---|---|---|---|"]
    lines += [
        f"| {n} | {len(fold.scores)} | {mean.dice:.4f} | {mean.iou:.4f} | {mean.loss:.4f} |"
        for n, (fold, mean) in enumerate(zip(folds, means, strict=True), start=1)
    ]
    lines.append(f"| mean ± sd | {sum(len(fold.scores) for fold in folds)} | " + " | ".join(map(str, spreads)) + " |")
    return note + "\n\n" + "\n".join(lines) + "\n"


def _write_files(folder: Path, folds: Sequence[Fold], pictures: Sequence[Compared]) -> None:
    with (folder / "slices.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("fold", "slice", "dice", "iou", "loss"))
        for number, fold in enumerate(folds, start=1):
            for name, score in zip(fold.names, fold.scores, strict=True):
                writer.writerow((number, name, f"{score.dice:.4f}", f"{score.iou:.4f}", f"{score.loss:.5f}"))
    draw_curves([read_curves(folder / f"fold-{n + 1}") for n in range(len(folds))], folder / "curves.png")
    draw_boxes([fold.scores for fold in folds], folder / "boxes.png")
    draw_comparison(pictures, folder / "comparison.png")


def _row(score: SliceScore) -> str:
    return f"Dice {score.dice:.4f}, IoU {score.iou:.4f}, loss {score.loss:.4f}"
