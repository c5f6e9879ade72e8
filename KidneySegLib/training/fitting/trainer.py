"""Trains one network by a recipe, 2D or 3D, on a CPU or a GPU, in as many sessions as it takes."""

import hashlib
import math
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean

import torch
from torch.utils.data import DataLoader, Subset

from KidneySegLib import __version__
from KidneySegLib.bundles.catalogue import find_bundle
from KidneySegLib.datasets.labelled_exam import LabelledExam
from KidneySegLib.inference.predict import Predictor
from KidneySegLib.progress import Progress, silent
from KidneySegLib.training.fitting.curves import log_epoch
from KidneySegLib.training.fitting.epochs import EpochWriter, RunClock, log_nowhere
from KidneySegLib.training.fitting.learner import Learner
from KidneySegLib.training.fitting.processes import agreed, count, is_first, own_share
from KidneySegLib.training.fitting.record import RunRecord, write_record
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
        progress: Progress = silent,
        writer: EpochWriter = log_nowhere,
    ) -> bool:
        """Trains until the last epoch ends, no epoch gets better any more, or ``minutes`` are over.

        Args:
            exams: to learn from.
            validation: to choose the weights by.
            minutes: after which the session ends; call again to continue.
            workers: processes that make patches.
            shapes: to paint lesions with.
            progress: receives the share of the schedule, and the time that is left.
            writer: takes the numbers of every epoch besides ``curves.csv``, such as TensorBoard's.

        Returns:
            Whether the run has ended.

        Raises:
            InputError: the batch cannot be divided among the processes.
            Cancelled: the receiver of progress stopped the run; what was learnt since the last checkpoint is lost.
        """
        schedule, learner = self.recipe.schedule, self.learner
        patches = Patches(self.recipe, exams, shapes)
        own = own_share(learner.step, schedule.steps, schedule.batch)
        share = schedule.batch // count()
        loader = DataLoader(Subset(patches, own), batch_size=share, num_workers=workers, persistent_workers=workers > 0)
        clock = RunClock(learner.seconds, learner.step, schedule.steps)
        saved = time.monotonic()
        end = saved + 60 * minutes
        for image, target in loader if not learner.ended else ():
            loss = learner.learn(*trim(image, target, self.recipe.stage.divisors[0]))
            progress("train", learner.step / schedule.steps, clock.message(learner.step, schedule, loss))
            if learner.step % schedule.steps_per_epoch == 0:
                self._end_epoch(validation, writer)
                progress("train", learner.step / schedule.steps, clock.message(learner.step, schedule, loss))
            learner.seconds = clock.seconds
            now = time.monotonic()
            if now - saved > CHECKPOINT_SECONDS:
                self._save(exams, validation)
                saved = now
            # the first process's clock counts, or one would wait for the others for ever
            if learner.ended or agreed(float(now > end), learner.device):
                break
        self._save(exams, validation)
        return learner.ended

    def _save(self, exams: Sequence[LabelledExam], validation: Sequence[LabelledExam]) -> None:
        """Writes the state, and what it is of."""
        self.learner.save()
        if is_first():
            write_record(self.folder, self._record(exams, validation))

    def _record(self, exams: Sequence[LabelledExam], validation: Sequence[LabelledExam]) -> RunRecord:
        learner = self.learner
        digest = hashlib.sha256(self.recipe.model_dump_json().encode()).hexdigest()[:12]
        return RunRecord(
            recipe=f"{self.recipe.stage.name}, sha256 {digest}",
            seconds=round(learner.seconds, 1),
            steps=learner.step,
            epoch=self.epoch,
            epochs=self.recipe.schedule.epochs,
            best=learner.best,
            stopped_early=learner.ended and learner.step < self.recipe.schedule.steps,
            exams=len(exams),
            patients=len({exam.patient for exam in exams}),
            validation_exams=len(validation),
            device=learner.device.type,
            processes=count(),
            torch=str(torch.__version__),
            kidneyseg=__version__,
        )

    def _end_epoch(self, validation: Sequence[LabelledExam], writer: EpochWriter) -> None:
        """Validates, logs, and keeps the weights if no epoch was better."""
        learner, plan = self.learner, self.recipe.validation
        loss = fmean(learner.losses or [math.nan])
        learner.losses = []
        best = falling = math.nan
        if is_first():
            scores = score(self.predictor, validation, plan)
            found = summary(scores, plan)
            log_epoch(self.folder, self.epoch, loss, found, scores)
            writer(self.epoch, {"training loss": loss, "Dice": found.dice, "IoU": found.iou, "loss": found.loss})
            print(f"epoch {self.epoch}: loss {loss:.4f}, {plan.choose_by} validation Dice {found.dice:.4f}", flush=True)
            weights = self.recipe.loss
            best, falling = found.dice, weights.dice * (1 - found.dice) + weights.cross_entropy * found.loss
        learner.offer(agreed(best, learner.device))
        learner.end_epoch(agreed(falling, learner.device))
