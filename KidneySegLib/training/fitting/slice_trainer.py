"""Trains a 2D network in epochs, in as many sessions as it takes."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean

import torch
from torch.utils.data import DataLoader, Subset

from KidneySegLib.bundles.catalogue import find_bundle
from KidneySegLib.datasets.slices import LabelledSlice
from KidneySegLib.evaluation.slice_scores import SliceScore, mean_score, score_slice
from KidneySegLib.inference.predict import Predictor
from KidneySegLib.training.fitting.learner import Learner
from KidneySegLib.training.fitting.slice_curves import log_epoch
from KidneySegLib.training.slice_patches import SlicePatches
from KidneySegLib.training.slice_recipes import SliceRecipe

CHECKPOINT_SECONDS = 180


class SliceTrainer:
    """A run in ``folder``: ``checkpoint.pt`` (whole state), ``best.pt`` (averaged weights), ``curves.csv``."""

    def __init__(self, recipe: SliceRecipe, folder: Path, device: torch.device) -> None:
        """Begins a run, or continues the one in ``folder``."""
        self.recipe, self.folder = recipe, folder
        start = None if recipe.start is None else (find_bundle(recipe.start[0], "ct-slice"), recipe.start[1])
        self.learner = Learner(recipe.stage.network, recipe.schedule, folder, device, start)

    @property
    def epoch(self) -> int:
        """Number of finished epochs."""
        return self.learner.step // self.recipe.schedule.validate_every

    @property
    def predictor(self) -> Predictor:
        """The averaged network as it stands, ready to run."""
        learner = self.learner
        return Predictor(self.recipe.stage, (learner.average.eval(),), learner.device, learner.precision)

    def run(
        self, slices: Sequence[LabelledSlice], validation: Sequence[LabelledSlice], *, minutes: float = math.inf
    ) -> bool:
        """Trains until the last epoch ends or ``minutes`` are over; returns whether the last epoch has ended."""
        schedule, learner = self.recipe.schedule, self.learner
        patches = SlicePatches(self.recipe, slices)
        rest = Subset(patches, range(learner.step * schedule.batch, len(patches)))
        start = saved = time.monotonic()
        losses: list[float] = []
        for image, target in DataLoader(rest, batch_size=schedule.batch):
            losses.append(learner.learn(image, target))
            if learner.step % schedule.validate_every == 0:
                self._end_epoch(validation, losses)
                losses = []
            now = time.monotonic()
            if now - saved > CHECKPOINT_SECONDS:
                learner.save()
                saved = now
            if now - start > 60 * minutes:
                break
        learner.save()
        return learner.step >= schedule.steps

    def _end_epoch(self, validation: Sequence[LabelledSlice], losses: Sequence[float]) -> None:
        """Validates, logs, and keeps the weights if no epoch was better."""
        finite = [loss for loss in losses if math.isfinite(loss)]
        loss = fmean(finite or [math.nan])
        score = validate(self.predictor, validation)
        log_epoch(self.folder, self.epoch, loss, score)
        print(f"epoch {self.epoch}: loss {loss:.4f}, validation Dice {score.dice:.4f}, IoU {score.iou:.4f}", flush=True)
        self.learner.offer(score.dice)


def validate(predictor: Predictor, validation: Sequence[LabelledSlice]) -> SliceScore:
    """Returns the mean over patients of their mean over slices with kidney.

    Patients count alike: one long exam must not choose the weights for all others.
    """
    by_patient: dict[str, list[SliceScore]] = {}
    for item in validation:
        if item.organ.any():
            by_patient.setdefault(item.patient, []).append(score_slice(predictor, item))
    return mean_score([mean_score(scores) for scores in by_patient.values()])
