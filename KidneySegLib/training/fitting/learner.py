"""A network that learns: weights, their running mean, optimiser and step, and how they survive an interruption."""

from __future__ import annotations

import math
from pathlib import Path

import torch
from monai.losses import DiceLoss
from torch.nn import functional

from KidneySegLib.bundles.bundle import Bundle
from KidneySegLib.bundles.plan import NetworkPlan
from KidneySegLib.networks.factory import build_network, load_parameters
from KidneySegLib.training.fitting.warm_start import carried_over
from KidneySegLib.training.recipes import Schedule

# Gradients longer than this are shortened (nnU-Net's value).
_LONGEST_GRADIENT = 12.0
CHECKPOINT, BEST = "checkpoint.pt", "best.pt"
BACKGROUND = "background"


def learning_rate(schedule: Schedule, step: int) -> float:
    """Linear warm-up, then a cosine down to zero."""
    if step < schedule.warm_up:
        return schedule.learning_rate * (step + 1) / schedule.warm_up
    share = (step - schedule.warm_up) / max(1, schedule.steps - schedule.warm_up)
    return schedule.learning_rate * 0.5 * (1 + math.cos(math.pi * min(1.0, share)))


class Learner:
    """State of a run in ``folder``: ``checkpoint.pt`` holds all of it, ``best.pt`` the best averaged weights."""

    def __init__(
        self,
        plan: NetworkPlan,
        schedule: Schedule,
        folder: Path,
        device: torch.device,
        start: tuple[Bundle, str] | None = None,
    ) -> None:
        """Builds the network; continues from ``folder``/checkpoint.pt if it is there.

        Args:
            plan: the network.
            schedule: how long and how fast it learns.
            folder: of the run.
            device: what it learns on.
            start: bundle and stage whose weights a new run begins with; None begins with random ones.
        """
        self.exclusive = plan.exclusive
        self.first = 1 if plan.outputs[0] == BACKGROUND else 0
        self.schedule, self.folder, self.device = schedule, folder, device
        self.precision = torch.bfloat16
        folder.mkdir(parents=True, exist_ok=True)
        torch.manual_seed(schedule.seed)
        self.network = build_network(plan).to(device)
        if start is not None:
            bundle, stage = start
            load_parameters(self.network, carried_over(bundle.weights()[stage], self.network, plan))
        self.average = build_network(plan).to(device)
        self.average.load_state_dict(self.network.state_dict())
        self.optimiser = torch.optim.AdamW(
            self.network.parameters(), lr=schedule.learning_rate, weight_decay=schedule.weight_decay
        )
        self.dice = DiceLoss(sigmoid=True, batch=True, smooth_nr=1.0, smooth_dr=1.0)
        self.step, self.best = 0, -1.0
        if (folder / CHECKPOINT).is_file():
            self._load()

    def learn(self, image: torch.Tensor, target: torch.Tensor) -> float:
        """Takes one step on a batch and returns its loss: Dice and cross-entropy; NaN if the step was left out."""
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate(self.schedule, self.step)
        self.network.train()
        with torch.autocast(self.device.type, self.precision, enabled=self.precision != torch.float32):
            logits = self.network(image.to(self.device))
        loss = self._loss(logits.float(), target.to(self.device))
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(self.network.parameters(), _LONGEST_GRADIENT)
        self.step += 1
        if not torch.isfinite(norm):
            # One overflowing gradient would spoil all weights for good.
            return float("nan")
        self.optimiser.step()
        # Early weights are poor: the mean forgets them faster at the start.
        decay = min(self.schedule.average, self.step / (9 + self.step))
        with torch.no_grad():
            for mean, value in zip(self.average.parameters(), self.network.parameters(), strict=True):
                mean.lerp_(value, 1 - decay)
        return float(loss.detach())

    def _loss(self, logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Dice and cross-entropy; both tensors are ``(batch, outputs, [k,] j, i)``.

        Outputs that overlap (a mass is part of the kidney as an organ) are a yes-or-no each. Of those that exclude each
        other one is true at every voxel that is to be learnt from; where none is, nothing counts.
        """
        if self.exclusive:
            return _exclusive_loss(logits, target, self.first)
        dice: torch.Tensor = self.dice(logits, target)
        return dice + functional.binary_cross_entropy_with_logits(logits, target)

    def offer(self, score: float) -> None:
        """Keeps the averaged weights as the best ones if no validation scored higher."""
        if score > self.best:
            self.best = score
            _write(self.folder / BEST, self.average.state_dict())

    def save(self) -> None:
        """Writes the whole state."""
        state = {
            "step": self.step,
            "best": self.best,
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
        }
        _write(self.folder / CHECKPOINT, state)

    def _load(self) -> None:
        state = torch.load(self.folder / CHECKPOINT, map_location=self.device, weights_only=True)
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.step, self.best = state["step"], state["best"]


def _exclusive_loss(logits: torch.Tensor, target: torch.Tensor, first: int) -> torch.Tensor:
    """Cross-entropy and the mean Dice loss of the outputs from ``first`` on, over all voxels that have an output."""
    here = target.amax(dim=1) > 0.5
    if not here.any():
        return logits.sum() * 0
    values, truth = logits.transpose(0, 1)[:, here], target.transpose(0, 1)[:, here]
    shares = values.softmax(dim=0)
    dice = 1 - (2 * (shares * truth).sum(dim=1) + 1) / ((shares + truth).sum(dim=1) + 1)
    # an output that is not there has no Dice; cross-entropy tells it to be silent
    present, dice = truth.amax(dim=1)[first:], dice[first:]
    entropy = functional.cross_entropy(values.T, truth.argmax(dim=0))
    return entropy + (dice * present).sum() / present.sum().clamp(min=1)


def _write(path: Path, state: object) -> None:
    """Saves so that an interruption leaves the old file whole."""
    partial = path.with_suffix(".partial")
    torch.save(state, partial)
    partial.replace(path)
