"""A network that learns: weights, their running mean, optimiser and step, and how they survive an interruption."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from pickle import UnpicklingError

import torch
from monai.losses import DiceLoss
from torch.nn import functional

from KidneySegLib.bundles.bundle import Bundle
from KidneySegLib.errors import InputError
from KidneySegLib.inference.device import fast_bfloat16
from KidneySegLib.networks.encoder_weights import load_encoders
from KidneySegLib.networks.factory import build_network, load_parameters, parameters
from KidneySegLib.training.fitting.processes import is_first, spread
from KidneySegLib.training.fitting.warm_start import carried_over
from KidneySegLib.training.recipe import Loss, Recipe, Schedule

CHECKPOINT, BEST = "checkpoint.pt", "best.pt"
BACKGROUND = "background"
_PRECISIONS = {"bfloat16": torch.bfloat16, "float32": torch.float32}
_OPTIMISERS: dict[str, Callable[..., torch.optim.Optimizer]] = {
    "adamw": torch.optim.AdamW,
    "adam": torch.optim.Adam,
    "sgd": torch.optim.SGD,
}
# of the denominator of Dice
_LEAST = 1e-8
_THRESHOLD = 1e-4
# nnU-Net's power, and by how much a plateau lowers the rate
_POWER, _LOWERED = 0.9, 0.1


def learning_rate(highest: float, schedule: Schedule, step: int, lowered: int = 0) -> float:
    """Returns the rate of a step: linear warm-up to the highest one, then what the schedule says.

    Args:
        highest: rate.
        schedule: of the recipe.
        step: from 0.
        lowered: how often a plateau has lowered it.
    """
    if step < schedule.warm_up:
        return highest * (step + 1) / schedule.warm_up
    if schedule.fall in ("never", "plateau"):
        return highest * _LOWERED**lowered
    if schedule.fall == "poly":
        return highest * max(0.0, 1 - step // schedule.steps_per_epoch / schedule.epochs) ** _POWER
    share = (step - schedule.warm_up) / max(1, schedule.steps - schedule.warm_up)
    return highest * 0.5 * (1 + math.cos(math.pi * min(1.0, share)))


@dataclass(frozen=True)
class Plateau:
    """What is known of a loss that no longer falls.

    Attributes:
        best: loss so far.
        waited: epochs since then.
        lowered: how often the rate was lowered.
    """

    best: float = math.inf
    waited: int = 0
    lowered: int = 0

    def after(self, loss: float, patience: int) -> Plateau:
        """Returns what is known after one more epoch; as torch's ``ReduceLROnPlateau``, whose threshold is 1e-4."""
        if loss < self.best * (1 - _THRESHOLD):
            return Plateau(loss, 0, self.lowered)
        if self.waited + 1 > patience:
            return Plateau(self.best, 0, self.lowered + 1)
        return Plateau(self.best, self.waited + 1, self.lowered)


class Learner:
    """State of a run in ``folder``: ``checkpoint.pt`` holds all of it, ``best.pt`` the best averaged weights."""

    def __init__(
        self,
        recipe: Recipe,
        folder: Path,
        device: torch.device,
        start: tuple[Bundle, str] | None = None,
    ) -> None:
        """Builds the network; continues from ``folder``/checkpoint.pt if it is there.

        Args:
            recipe: network, loss, optimiser and schedule.
            folder: of the run.
            device: what it learns on.
            start: bundle and stage whose weights a new run begins with, of an ensemble those of the first member; None
                begins with random ones.
        """
        plan = recipe.stage.network
        self.recipe, self.folder, self.device = recipe, folder, device
        self.first = 1 if plan.outputs[0] == BACKGROUND else 0
        emulated = device.type == "cpu" and not fast_bfloat16()
        self.precision = torch.float32 if emulated else _PRECISIONS[recipe.schedule.precision]
        folder.mkdir(parents=True, exist_ok=True)
        torch.manual_seed(recipe.schedule.seed)
        self.network = build_network(plan).to(device)
        if start is not None:
            bundle, stage = start
            values = bundle.stage(stage).members_of(bundle.weights()[stage])[0]
            load_parameters(self.network, carried_over(values, self.network, plan))
        self.average = build_network(plan).to(device)
        self.average.load_state_dict(self.network.state_dict())
        optimiser = recipe.optimiser
        momentum = {"momentum": optimiser.momentum, "nesterov": True} if optimiser.kind == "sgd" else {}
        self.optimiser = _OPTIMISERS[optimiser.kind](
            self.network.parameters(), lr=optimiser.learning_rate, weight_decay=optimiser.weight_decay, **momentum
        )
        smooth = recipe.loss.smooth
        self.dice = DiceLoss(sigmoid=True, batch=not recipe.loss.each_patch, smooth_nr=smooth, smooth_dr=smooth)
        self.step, self.best, self.seconds = 0, -1.0, 0.0
        self.waited = 0  # epochs since the best one
        self.plateau = Plateau()
        self.losses: list[float] = []  # of the steps since the last validation
        if (folder / CHECKPOINT).is_file():
            self._load()
        # after loading: the wrapper copies the first process's weights to all others
        if recipe.loss.deep_supervision:
            self.network.supervised = True
        self.trained = spread(self.network, device)

    def begin_with_encoders(self, folder: Path) -> None:
        """Loads the weights of the network's residual encoders; see ``networks.encoder_weights``.

        Raises:
            InputError: the network has none, or a file is missing or another network's.
        """
        load_encoders(self.network, folder)
        self.average.load_state_dict(self.network.state_dict())

    def learn(self, image: torch.Tensor, target: torch.Tensor) -> float:
        """Takes one step and returns its loss; NaN if the step was left out.

        Args:
            image: batch ``(batch, inputs, k, j, i)``; k = 1 for a 2D network.
            target: ``(batch, outputs, k, j, i)``.
        """
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate(
                self.recipe.optimiser.learning_rate, self.recipe.schedule, self.step, self.plateau.lowered
            )
        if self.recipe.stage.network.dimensions == 2:
            image, target = image[:, :, 0], target[:, :, 0]
        self.network.train()
        with torch.autocast(self.device.type, self.precision, enabled=self.precision != torch.float32):
            answer = self.trained(image.to(self.device))
        levels = answer if isinstance(answer, list) else [answer]
        loss = self._loss([logits.float() for logits in levels], target.to(self.device))
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.recipe.optimiser.longest_gradient)
        self.step += 1
        if not torch.isfinite(norm):
            # One overflowing gradient would spoil all weights for good.
            return float("nan")
        self.optimiser.step()
        # Early weights are poor: the mean forgets them faster at the start.
        decay = min(self.recipe.schedule.average, self.step / (9 + self.step))
        with torch.no_grad():
            values = parameters(self.network)
            for name, mean in parameters(self.average).items():
                mean.lerp_(values[name], 1 - decay)
        self.losses.append(float(loss.detach()))
        return self.losses[-1]

    def _loss(self, levels: Sequence[torch.Tensor], target: torch.Tensor) -> torch.Tensor:
        """Mean loss of logits at several resolutions, finest first, ``(batch, outputs, [k,] j, i)`` each.

        Each level has half the weight of the next finer one, the coarsest none (unless it is the only one).
        """
        counted = levels[: max(1, len(levels) - 1)]
        shares = [0.5**number for number in range(len(counted))]
        losses = []
        for logits in counted:
            truth = target
            if logits.shape != target.shape:
                truth = functional.interpolate(target, size=logits.shape[2:], mode="nearest-exact")
            losses.append(self._loss_of(logits, truth))
        weighted = torch.stack([share * loss for share, loss in zip(shares, losses, strict=True)])
        # the coarsest level counts nothing, but takes part: processes wait for the gradient of every parameter
        return weighted.sum() / sum(shares) + (0 * levels[-1].sum() if len(levels) > 1 else 0)

    def _loss_of(self, logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Dice and cross-entropy; both tensors are ``(batch, outputs, [k,] j, i)``.

        Outputs that overlap (a mass is part of the kidney as an organ) are a yes-or-no each. Of those that exclude each
        other one is true at every voxel that is to be learnt from; where none is, nothing counts.
        """
        parts = self.recipe.loss
        if self.recipe.stage.network.exclusive:
            entropy, dice = _exclusive_losses(logits, target, self.first, parts)
        else:
            dice, entropy = self.dice(logits, target), functional.binary_cross_entropy_with_logits(logits, target)
        return parts.dice * dice + parts.cross_entropy * entropy

    def offer(self, score: float) -> None:
        """Keeps the averaged weights as the best ones if no validation scored higher."""
        self.waited += 1
        if score > self.best:
            self.best, self.waited = score, 0
            if is_first():
                _write(self.folder / BEST, self.average.state_dict())

    @property
    def ended(self) -> bool:
        """Whether the last step was taken, or the recipe waits no longer for a better epoch."""
        schedule = self.recipe.schedule
        return self.step >= schedule.steps or (schedule.stop_after is not None and self.waited >= schedule.stop_after)

    def end_epoch(self, loss: float) -> None:
        """Takes the loss on the validation exams, by which a plateau is known."""
        self.plateau = self.plateau.after(loss, self.recipe.schedule.patience)

    def save(self) -> None:
        """Writes the whole state; of several processes, which all have the same, the first one does."""
        if not is_first():
            return
        state = {
            "step": self.step,
            "best": self.best,
            "waited": self.waited,
            "seconds": self.seconds,
            "losses": self.losses,
            "plateau": astuple(self.plateau),
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
        }
        _write(self.folder / CHECKPOINT, state)

    def _load(self) -> None:
        try:
            state = torch.load(self.folder / CHECKPOINT, map_location=self.device, weights_only=True)
            self.network.load_state_dict(state["network"])
            self.average.load_state_dict(state["average"])
            self.optimiser.load_state_dict(state["optimiser"])
        except (RuntimeError, KeyError, TypeError, ValueError, EOFError, UnpicklingError) as error:
            raise InputError(
                "The folder holds the run of a recipe with another network or optimiser, or its checkpoint is damaged. "
                "Choose another folder, or delete the run."
            ) from error
        self.step, self.best, self.losses = state["step"], state["best"], state["losses"]
        # runs of earlier versions have none of them
        self.waited, self.seconds = state.get("waited", 0), state.get("seconds", 0.0)
        self.plateau = Plateau(*state.get("plateau", ()))


def _exclusive_losses(
    logits: torch.Tensor, target: torch.Tensor, first: int, plan: Loss
) -> tuple[torch.Tensor, torch.Tensor]:
    """Cross-entropy, and the mean Dice loss of the outputs from ``first`` on, over all voxels that have an output."""
    here = target.amax(dim=1) > 0.5
    if not here.any():
        return logits.sum() * 0, logits.sum() * 0
    values, truth = logits.transpose(0, 1)[:, here], target.transpose(0, 1)[:, here]
    entropy = functional.cross_entropy(values.T, truth.argmax(dim=0))
    if not plan.each_patch:
        return entropy, _dice_loss(values, truth, first, plan)
    patches = [n for n in range(len(logits)) if here[n].any()]
    losses = [_dice_loss(logits[n][:, here[n]], target[n][:, here[n]], first, plan) for n in patches]
    return entropy, torch.stack(losses).mean()


def _dice_loss(values: torch.Tensor, truth: torch.Tensor, first: int, plan: Loss) -> torch.Tensor:
    """Returns the mean Dice loss of the outputs from ``first`` on; logits and truth are ``(outputs, voxels)``."""
    shares = values.softmax(dim=0)
    both, either = (shares * truth).sum(dim=1), (shares + truth).sum(dim=1)
    dice = (1 - (2 * both + plan.smooth) / (either + plan.smooth).clamp(min=_LEAST))[first:]
    if plan.count_absent:
        return dice.mean()
    # an output that is not there has no Dice; cross-entropy tells it to be silent
    present = truth.amax(dim=1)[first:]
    return (dice * present).sum() / present.sum().clamp(min=1)


def _write(path: Path, state: object) -> None:
    """Saves so that an interruption leaves the old file whole."""
    partial = path.with_suffix(".partial")
    torch.save(state, partial)
    partial.replace(path)
