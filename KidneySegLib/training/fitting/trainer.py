"""Trains one network by a recipe, 2D or 3D, on a CPU or a GPU, in as many sessions as it takes."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean

import torch
from torch.utils.data import DataLoader, Subset

from KidneySegLib.bundles.catalogue import find_bundle
from KidneySegLib.datasets.labelled_exam import LabelledExam
from KidneySegLib.inference.predict import Predictor
from KidneySegLib.training.fitting.curves import log_epoch
from KidneySegLib.training.fitting.learner import Learner
from KidneySegLib.training.fitting.validation import score, summary
from KidneySegLib.training.patches import Patches
from KidneySegLib.training.recipe import Recipe
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

    ``checkpoint.pt`` holds the whole state, ``best.pt`` the averaged weights that validated best, ``curves.csv`` and
    ``validation.csv`` losses and scores by epoch.
    """

    def __init__(self, recipe: Recipe, folder: Path, device: torch.device) -> None:
        """Begins a run, or continues the one in ``folder``."""
        self.recipe, self.folder = recipe, folder
        start = recipe.start
        weights = None if start is None else (find_bundle(start.bundle, recipe.task), start.stage)
        self.learner = Learner(recipe, folder, device, weights)

    @property
    def epoch(self) -> int:
        """Number of finished epochs."""
        return self.learner.step // self.recipe.schedule.steps_per_epoch

    @property
    def predictor(self) -> Predictor:
        """The averaged network as it stands, ready to run."""
        learner = self.learner
        return Predictor(self.recipe.stage, (learner.average.eval(),), learner.device, learner.precision)

    def run(
        self,
        exams: Sequence[LabelledExam],
        validation: Sequence[LabelledExam],
        *,
        minutes: float = math.inf,
        workers: int = 0,
        shapes: ShapeLibrary | None = None,
    ) -> bool:
        """Trains until the last epoch ends or ``minutes`` are over; returns whether the last epoch has ended."""
        schedule, learner = self.recipe.schedule, self.learner
        patches = Patches(self.recipe, exams, shapes)
        rest = Subset(patches, range(learner.step * schedule.batch, len(patches)))
        loader = DataLoader(rest, batch_size=schedule.batch, num_workers=workers, persistent_workers=workers > 0)
        end = saved = time.monotonic()
        end += 60 * minutes
        for image, target in loader:
            learner.learn(*trim(image, target, self.recipe.stage.divisor))
            if learner.step % schedule.steps_per_epoch == 0:
                self._end_epoch(validation)
            now = time.monotonic()
            if now - saved > CHECKPOINT_SECONDS:
                learner.save()
                saved = now
            if now > end:
                break
        learner.save()
        return learner.step >= schedule.steps

    def _end_epoch(self, validation: Sequence[LabelledExam]) -> None:
        """Validates, logs, and keeps the weights if no epoch was better."""
        learner, plan = self.learner, self.recipe.validation
        loss = fmean(learner.losses or [math.nan])
        learner.losses = []
        scores = score(self.predictor, validation, plan)
        found = summary(scores, plan)
        log_epoch(self.folder, self.epoch, loss, found, scores)
        print(f"epoch {self.epoch}: loss {loss:.4f}, {plan.choose_by} validation Dice {found.dice:.4f}", flush=True)
        learner.offer(found.dice)
