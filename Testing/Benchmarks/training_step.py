#!/usr/bin/env python3
"""Is the loading of data the bottleneck? A training step with its patches against the network's own step.

    python Testing/Benchmarks/training_step.py RECIPE --data DATA --prepared PREPARED --steps 12 --workers 1

Both use the same recipe, batch and device. The network's own step learns from one batch again and again; the whole step
takes new patches from the loader, as `kidneyseg train` does (whole ones, whose empty ends are not trimmed). Steps
alternate, so that what else goes on in the machine meets both; the first two of each do not count, and the medians of
the rest and their ratio are printed. Its target is 1.15. On the clock the ratio needs an idle machine. Seconds of the
processor, which without workers are printed too, do not: patches that take less of them than a step (on a CPU) are
hidden behind it by one worker on a core of its own.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from torch.utils.data import DataLoader

from KidneySegLib.inference.device import choose_device
from KidneySegLib.training.cases import shape_library, training_exams
from KidneySegLib.training.fitting.learner import Learner
from KidneySegLib.training.patches import Patches
from KidneySegLib.training.recipe import find_recipe, read_recipe

IGNORED = 2
TARGET = 1.15


def step(
    learner: Learner, batches: Iterator[list[torch.Tensor]] | None, fixed: tuple[torch.Tensor, torch.Tensor]
) -> tuple[float, float]:
    """Takes one step, with a new batch if there are any; returns seconds on the clock and of this process."""
    start = time.perf_counter(), time.process_time()
    if batches is not None:
        image, target = next(batches)
        fixed = image, target
    learner.learn(*fixed)
    if learner.device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - start[0], time.process_time() - start[1]


def report(what: str, own: Sequence[float], whole: Sequence[float]) -> None:
    medians = [statistics.median(seconds[IGNORED:]) for seconds in (own, whole)]
    ratio = medians[1] / medians[0]
    print(f"{what}: network alone {medians[0]:.3f} s, with its patches {medians[1]:.3f} s, ratio {ratio:.3f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipe")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--prepared", type=Path, help="folder of prepared exams; default: a temporary one")
    parser.add_argument("--exams", type=int, default=0, help="only so many of the recipe's exams; 0 takes all")
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--device", default="auto")
    options = parser.parse_args()
    recipe = read_recipe(find_recipe(options.recipe))
    if options.exams:
        recipe = recipe.changed(leave_out=recipe.data.train[options.exams :])
    with tempfile.TemporaryDirectory() as folder:
        cache = options.prepared or Path(folder) / "prepared"
        exams = training_exams(recipe, options.data, cache)
        patches = Patches(recipe, exams, shape_library(recipe, options.data, cache, exams))
        learner = Learner(recipe, Path(folder) / "run", choose_device(options.device).torch_device)
        loader = DataLoader(patches, batch_size=recipe.schedule.batch, num_workers=options.workers)
        batches = iter(loader)
        image, target = next(batches)
        fixed = image, target
        own, whole = [], []
        for _ in range(options.steps):
            own.append(step(learner, None, fixed))
            whole.append(step(learner, batches, fixed))
    print(f"{options.workers} workers, target {TARGET}")
    report("on the clock", *([clock for clock, _ in times] for times in (own, whole)))
    if options.workers == 0:
        report("of the processor", *([processor for _, processor in times] for times in (own, whole)))


if __name__ == "__main__":
    main()
