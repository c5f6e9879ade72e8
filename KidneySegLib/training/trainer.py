"""Trains one network by a recipe, on a CPU or a GPU, in as many sessions as it takes."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean, median

import torch
from monai.losses import DiceLoss
from torch.utils.data import DataLoader, Subset

from KidneySegLib.bundles.catalogue import find_bundle
from KidneySegLib.networks.factory import build_network, parameters
from KidneySegLib.segmentation.predict import Predictor
from KidneySegLib.training.curves import log_curves
from KidneySegLib.training.exams import Exam
from KidneySegLib.training.patches import Patches
from KidneySegLib.training.recipes import Recipe, Schedule
from KidneySegLib.training.shapes import ShapeLibrary
from KidneySegLib.training.validation import score

CHECKPOINT_SECONDS = 180


def learning_rate(schedule: Schedule, step: int) -> float:
    """Linear warm-up, then a cosine down to zero."""
    if step < schedule.warm_up:
        return schedule.learning_rate * (step + 1) / schedule.warm_up
    share = (step - schedule.warm_up) / max(1, schedule.steps - schedule.warm_up)
    return schedule.learning_rate * 0.5 * (1 + math.cos(math.pi * min(1.0, share)))


def trim(image: torch.Tensor, target: torch.Tensor, divisor: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Takes off slices at both ends that lie outside every scan of the batch, as inference fits its tiles to a slab.

    Instance normalisation would otherwise see mostly padding in a short scan.

    Args:
        image: ``(batch, 1, k, j, i)``, -1 outside the scan.
        target: the same shape.
        divisor: the remaining number of slices is a multiple of it.
    """
    filled = torch.nonzero((image > -1).any(dim=4).any(dim=3).any(dim=1).any(dim=0))
    if filled.numel() == 0:
        return image, target
    first, last = int(filled[0]), int(filled[-1]) + 1
    size = min(image.shape[2], -(-(last - first) // divisor) * divisor)
    first = min(max(0, (first + last - size) // 2), image.shape[2] - size)
    return image.narrow(2, first, size), target.narrow(2, first, size)


class Trainer:
    """State of a run: weights, their running mean, optimiser, step. Lives in ``folder``.

    ``checkpoint.pt`` holds the whole state, ``best.pt`` the averaged weights with the best median validation Dice,
    ``curves.csv`` loss and Dice by step.
    """

    def __init__(self, recipe: Recipe, folder: Path, device: torch.device) -> None:
        """Builds the network; continues from ``folder``/checkpoint.pt if it is there."""
        self.recipe, self.folder, self.device = recipe, folder, device
        self.precision = torch.bfloat16
        folder.mkdir(parents=True, exist_ok=True)
        torch.manual_seed(recipe.schedule.seed)
        self.network = build_network(recipe.stage.network).to(device)
        self._start_from_bundle()
        self.average = build_network(recipe.stage.network).to(device)
        self.average.load_state_dict(self.network.state_dict())
        schedule = recipe.schedule
        self.optimiser = torch.optim.AdamW(
            self.network.parameters(), lr=schedule.learning_rate, weight_decay=schedule.weight_decay
        )
        self.dice = DiceLoss(sigmoid=True, batch=True, smooth_nr=1.0, smooth_dr=1.0, reduction="none")
        self.step, self.best = 0, -1.0
        if (folder / "checkpoint.pt").is_file():
            self._load()

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
        schedule = self.recipe.schedule
        patches = Patches(self.recipe, exams, shapes)
        rest = Subset(patches, range(self.step * schedule.batch, len(patches)))
        loader = DataLoader(rest, batch_size=schedule.batch, num_workers=workers, persistent_workers=workers > 0)
        end = saved = time.monotonic()
        end += 60 * minutes
        losses: list[float] = []
        for image, target in loader:
            image, target = trim(image, target, self.recipe.stage.divisor)
            loss = self._learn(image.to(self.device), target.to(self.device))
            if math.isfinite(loss):
                losses.append(loss)
            self.step += 1
            if self.step % schedule.validate_every == 0 or self.step == schedule.steps:
                self._validate(validation, fmean(losses or [math.nan]))
                losses = []
            now = time.monotonic()
            if now - saved > CHECKPOINT_SECONDS:
                self._save()
                saved = now
            if now > end:
                break
        if losses:
            self._validate(validation, fmean(losses))
        self._save()
        return self.step >= schedule.steps

    def _learn(self, image: torch.Tensor, target: torch.Tensor) -> float:
        schedule = self.recipe.schedule
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate(schedule, self.step)
        self.network.train()
        with torch.autocast(self.device.type, self.precision, enabled=self.precision != torch.float32):
            logits = self.network(image)
        loss = self._loss(logits.float(), target)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(self.network.parameters(), 12.0)
        if not torch.isfinite(norm):
            # A patch of nothing but air can make a gradient overflow; one such step would spoil all weights for good.
            return float("nan")
        self.optimiser.step()
        # Early weights are poor: the mean forgets them faster at the start.
        decay = min(schedule.average, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            for mean, value in zip(self.average.parameters(), self.network.parameters(), strict=True):
                mean.lerp_(value, 1 - decay)
        return float(loss.detach())

    def _loss(self, logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Dice and cross-entropy; both tensors are ``(batch, outputs, k, j, i)``.

        Outputs overlap (a mass is part of the kidney as an organ), so each is a yes-or-no of its own.
        """
        dice = self.dice(logits, target).flatten()
        counts = torch.ones_like(dice)
        if not self.recipe.schedule.dice_of_absent:
            counts = target.amax(dim=(0, 2, 3, 4))
        entropy = torch.nn.functional.binary_cross_entropy_with_logits(logits, target)
        return (dice * counts).sum() / counts.sum().clamp(min=1) + entropy * logits.shape[1]

    def _validate(self, exams: Sequence[Exam], loss: float) -> None:
        self.average.eval()
        predictor = Predictor(self.recipe.stage, self.average, self.device, self.precision)
        scores = score(predictor, exams, boxed=self.recipe.sampling.mirror == "left")
        # The median: one exam that is out of the network's reach must not choose the weights for all others.
        middle = median(scores.values())
        log_curves(self.folder, self.step, loss, middle, scores)
        print(f"step {self.step}: loss {loss:.4f}, median validation Dice {middle:.4f}", flush=True)
        if middle > self.best:
            self.best = middle
            _write(self.folder / "best.pt", self.average.state_dict())

    def _start_from_bundle(self) -> None:
        """Takes the weights of a bundle's stage; outputs are matched by name, new ones start at random."""
        if self.recipe.start is None:
            return
        name, stage = self.recipe.start
        bundle = find_bundle(name, "ct")
        given, old = bundle.weights()[stage], bundle.stage(stage).network.outputs
        for key, value in parameters(self.network).items():
            if value.shape == given[key].shape:
                value.copy_(given[key])
            else:
                for row, output in enumerate(self.recipe.stage.network.outputs):
                    if output in old:
                        value[row] = given[key][old.index(output)]

    def _save(self) -> None:
        state = {
            "step": self.step,
            "best": self.best,
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
        }
        _write(self.folder / "checkpoint.pt", state)

    def _load(self) -> None:
        state = torch.load(self.folder / "checkpoint.pt", map_location=self.device, weights_only=True)
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.step, self.best = state["step"], state["best"]


def _write(path: Path, state: object) -> None:
    """Saves so that an interruption leaves the old file whole."""
    partial = path.with_suffix(".partial")
    torch.save(state, partial)
    partial.replace(path)
