"""Trains one network by a recipe, on a CPU or a GPU, in as many sessions as it takes."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean, median

import torch
from torch.utils.data import DataLoader, Subset

from KidneySegLib.bundles.catalogue import find_bundle
from KidneySegLib.datasets.exams import Exam
from KidneySegLib.inference.predict import Predictor
from KidneySegLib.training.fitting.curves import log_curves
from KidneySegLib.training.fitting.learner import Learner
from KidneySegLib.training.fitting.validation import score
from KidneySegLib.training.patches import Patches
from KidneySegLib.training.recipes import Recipe
from KidneySegLib.training.synthesis.shapes import ShapeLibrary

CHECKPOINT_SECONDS = 180


def trim(image: torch.Tensor, target: torch.Tensor, divisor: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Takes off slices at both ends that lie outside every scan of the batch, as inference fits its tiles to a slab.

    Instance normalisation would otherwise see mostly padding in a short scan.

    Args:
        image: ``(batch, inputs, k, j, i)``; the first input has its smallest value outside the scan.
        target: the same grid.
        divisor: the remaining number of slices is a multiple of it.
    """
    first_channel = image[:, :1]
    filled = torch.nonzero((first_channel > first_channel.amin()).any(dim=4).any(dim=3).any(dim=1).any(dim=0))
    if filled.numel() == 0:
        return image, target
    first, last = int(filled[0]), int(filled[-1]) + 1
    size = min(image.shape[2], -(-(last - first) // divisor) * divisor)
    first = min(max(0, (first + last - size) // 2), image.shape[2] - size)
    return image.narrow(2, first, size), target.narrow(2, first, size)


class Trainer:
    """A run in ``folder``.

    ``checkpoint.pt`` holds the whole state, ``best.pt`` the averaged weights with the best median validation Dice,
    ``curves.csv`` loss and Dice by step.
    """

    def __init__(self, recipe: Recipe, folder: Path, device: torch.device) -> None:
        """Begins a run, or continues the one in ``folder``."""
        self.recipe, self.folder = recipe, folder
        start = None if recipe.start is None else (find_bundle(recipe.start[0], "ct"), recipe.start[1])
        self.learner = Learner(recipe.stage.network, recipe.schedule, folder, device, start)

    def run(
        self,
        exams: Sequence[Exam],
        validation: Sequence[Exam],
        *,
        minutes: float,
        workers: int = 0,
        shapes: ShapeLibrary | None = None,
    ) -> bool:
        """Trains until the schedule ends or ``minutes`` are over; returns whether the schedule has ended."""
        schedule, learner = self.recipe.schedule, self.learner
        patches = Patches(self.recipe, exams, shapes)
        rest = Subset(patches, range(learner.step * schedule.batch, len(patches)))
        loader = DataLoader(rest, batch_size=schedule.batch, num_workers=workers, persistent_workers=workers > 0)
        end = saved = time.monotonic()
        end += 60 * minutes
        losses: list[float] = []
        for image, target in loader:
            image, target = trim(image, target, self.recipe.stage.divisor)
            loss = learner.learn(image, target)
            if math.isfinite(loss):
                losses.append(loss)
            if learner.step % schedule.validate_every == 0 or learner.step == schedule.steps:
                self._validate(validation, fmean(losses or [math.nan]))
                losses = []
            now = time.monotonic()
            if now - saved > CHECKPOINT_SECONDS:
                learner.save()
                saved = now
            if now > end:
                break
        if losses:
            self._validate(validation, fmean(losses))
        learner.save()
        return learner.step >= schedule.steps

    def _validate(self, exams: Sequence[Exam], loss: float) -> None:
        learner = self.learner
        predictor = Predictor(self.recipe.stage, (learner.average.eval(),), learner.device, learner.precision)
        scores = score(predictor, exams, boxed=self.recipe.sampling.mirror == "left")
        # The median: one exam that is out of the network's reach must not choose the weights for all others.
        middle = median(scores.values())
        log_curves(self.folder, learner.step, loss, middle, scores)
        print(f"step {learner.step}: loss {loss:.4f}, median validation Dice {middle:.4f}", flush=True)
        learner.offer(middle)
