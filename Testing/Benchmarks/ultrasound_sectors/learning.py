"""Training on the frames of ``sources``, from the weights of the bundle."""

from __future__ import annotations

import math
import pickle
import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from KidneySegLib.bundles.catalogue import find_bundle
from KidneySegLib.datasets.labelled_exam import LabelledExam
from KidneySegLib.inference.window_channels import window_channels
from KidneySegLib.training.augmentation.spatial import sample
from KidneySegLib.training.fitting.learner import Learner
from KidneySegLib.training.recipe import Recipe

SHARES = {"crop": 0.17, "pseudo": 0.13, "ct": 0.22, "real": 0.22, "empty": 0.09, "old": 0.12, "none": 0.05}
BATCH, SAVED_EVERY, SEED = 8, 500, 11


def recipe_of(steps: int) -> Recipe:
    """Returns the bundle's recipe with a longer schedule and wider turns and sizes."""
    file = find_bundle("us-kidney", "ultrasound").folder / "recipe-ultrasound.toml"
    raw = tomllib.loads(file.read_text(encoding="utf-8"))
    raw["optimiser"]["learning_rate"] = 1e-3
    raw["schedule"].update(batch=BATCH, warm_up=50, average=0.998, epochs=1, steps_per_epoch=steps)
    raw["augmentation"]["shadow"]["probability"] = 0.2
    raw["augmentation"]["spatial"] = {
        "rotation": 18.0,
        "scale": 1.25,
        "stretch": 1.12,
        "elastic": 0.4,
        "elastic_mm": 2.5,
    }
    return Recipe.model_validate(raw)


def read_frames(work: Path) -> dict[str, list[LabelledExam]]:
    pools = {}
    for kind, frames in pickle.loads((work / "frames.pkl").read_bytes()).items():
        pools[kind] = []
        for name, spacing, grey, mask in frames:
            none = np.zeros_like(mask)
            pools[kind].append(LabelledExam(name, name, spacing, grey.astype(np.int16), mask, mask, none, none, none))
    return pools


def placed(kind: str, exam: LabelledExam, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, float]:
    """Returns spacing and centre of what is seen of a frame, and by how much that is moved by chance."""
    spacing, centre, jitter = np.array(exam.spacing), (np.array(exam.hu.shape) - 1) / 2.0, 6.0
    if kind in ("crop", "pseudo"):
        if rng.random() < 0.5:  # crops had been stretched to squares
            share = math.exp(rng.uniform(math.log(0.45), math.log(1.1)))
            spacing = spacing * [1, min(1, share), min(1, 1 / share)]
        if rng.random() < 0.15:
            spacing, jitter = spacing * [1, *([rng.uniform(0.5, 0.9)] * 2)], 14.0
    elif kind in ("ct", "real", "old") and rng.random() < 0.25:
        inside = np.argwhere(exam.organ[0])
        if len(inside):
            extent = np.ptp(inside, axis=0) * spacing[1:]
            zoom = np.clip(128 * rng.uniform(0.35, 0.8) / extent.max(), 1, 2.5)
            centre, spacing, jitter = np.array([0, *inside.mean(0)]), spacing * [1, zoom, zoom], 16.0
    elif rng.random() < 0.3:
        spacing = spacing * [1, *np.exp(rng.normal(0, 0.12, 2))]
    return spacing, centre, jitter


def draw(
    pools: dict[str, list[LabelledExam]], recipe: Recipe, rng: np.random.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    kinds = [kind for kind in SHARES if pools[kind]]
    shares = np.array([SHARES[kind] for kind in kinds])
    kind = kinds[int(rng.choice(len(kinds), p=shares / shares.sum()))]
    exam = pools[kind][int(rng.integers(len(pools[kind])))]
    spacing, centre, jitter = placed(kind, exam, rng)
    centre = centre + np.array([0, *rng.uniform(-jitter, jitter, 2)]) / spacing
    stage, changes = recipe.stage, recipe.augmentation
    shown = replace(exam, spacing=tuple(spacing))
    mirror = rng.random() < 0.5
    patch = sample(shown, centre, stage.patch, stage.spacing, mirror=mirror, ranges=changes.spatial, rng=rng)
    patch.library = None
    for each in changes.patient:
        each.apply(patch, rng)
    patch.clear_air()
    for each in changes.scanner:
        each.apply(patch, rng)
    return window_channels(patch.hu, stage), (patch.organ >= 0.5).float()[None]


def train(work: Path, steps: int) -> None:
    recipe, pools = recipe_of(steps), read_frames(work)
    start = (find_bundle("us-kidney", "ultrasound"), "ultrasound")
    learner = Learner(recipe, work / "run", torch.device("cpu"), start)
    while learner.step < steps:
        rng = np.random.default_rng((SEED, learner.step))
        batch = [draw(pools, recipe, rng) for _ in range(BATCH)]
        learner.learn(torch.stack([image for image, _ in batch]), torch.stack([target for _, target in batch]))
        if learner.step % SAVED_EVERY == 0 or learner.step == steps:
            print(learner.step, f"loss {np.mean(learner.losses):.4f}", flush=True)
            learner.losses = []
            learner.save()
