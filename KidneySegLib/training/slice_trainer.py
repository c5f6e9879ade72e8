"""Trains a 2D network in epochs; state, optimiser and learning rate are those of the 3D trainer."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean

import torch
from torch.utils.data import DataLoader, Subset

from KidneySegLib.segmentation.slice_network import SliceNetwork
from KidneySegLib.training.slice_curves import log_epoch
from KidneySegLib.training.slice_patches import SlicePatches
from KidneySegLib.training.slice_recipes import SliceRecipe
from KidneySegLib.training.slice_scores import SliceScore, mean_score, score_slice
from KidneySegLib.training.slices import LabelledSlice
from KidneySegLib.training.trainer import CHECKPOINT_SECONDS, Trainer, _write


class SliceTrainer(Trainer):
    """A run in ``folder``: ``checkpoint.pt`` (whole state), ``best.pt`` (averaged weights), ``curves.csv``."""

    recipe: SliceRecipe

    def run_epochs(
        self, slices: Sequence[LabelledSlice], validation: Sequence[LabelledSlice], *, minutes: float = math.inf
    ) -> bool:
        """Trains until the last epoch ends or ``minutes`` are over; returns whether the last epoch has ended."""
        schedule = self.recipe.schedule
        patches = SlicePatches(self.recipe, slices)
        rest = Subset(patches, range(self.step * schedule.batch, len(patches)))
        end = time.monotonic() + 60 * minutes
        saved = time.monotonic()
        losses: list[float] = []
        for image, target in DataLoader(rest, batch_size=schedule.batch):
            loss = self._learn(image.to(self.device), target.to(self.device))
            if math.isfinite(loss):
                losses.append(loss)
            self.step += 1
            if self.step % schedule.validate_every == 0:
                self._end_epoch(validation, fmean(losses or [math.nan]))
                losses = []
            if time.monotonic() - saved > CHECKPOINT_SECONDS:
                self._save()
                saved = time.monotonic()
            if time.monotonic() > end:
                break
        self._save()
        return self.step >= schedule.steps

    def network_now(self) -> SliceNetwork:
        """Returns the averaged network as it stands, ready to run."""
        return SliceNetwork(self.recipe.stage, self.average.eval(), self.device, self.precision)

    def _end_epoch(self, validation: Sequence[LabelledSlice], loss: float) -> None:
        """Validates, logs, and keeps the weights if no epoch was better."""
        epoch = self.step // self.recipe.schedule.validate_every
        network = self.network_now()
        by_patient: dict[str, list[SliceScore]] = {}
        for item in validation:
            if item.organ.any():
                by_patient.setdefault(item.patient, []).append(score_slice(network, item))
        # Patients count alike: one long exam must not choose the weights for all others.
        means = [mean_score(scores) for scores in by_patient.values()]
        middle = mean_score(means)
        log_epoch(self.folder, epoch, loss, middle)
        print(f"epoch {epoch}: loss {loss:.4f}, validation Dice {middle.dice:.4f}, IoU {middle.iou:.4f}", flush=True)
        if middle.dice > self.best:
            self.best = middle.dice
            _write(self.folder / "best.pt", self.average.state_dict())
