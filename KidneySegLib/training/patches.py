"""Draws training patches. Patch ``n`` depends only on the recipe's seed and on ``n``, so that a run resumes exactly."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch.utils.data import Dataset

from KidneySegLib.datasets.exams import Exam
from KidneySegLib.hounsfield import HALF_TISSUE
from KidneySegLib.inference.organ_channels import ORGAN_INPUTS, organ_channels
from KidneySegLib.inference.window_channels import window_channels
from KidneySegLib.training.augmentation.acquisition import acquire
from KidneySegLib.training.augmentation.contrast import change_contrast
from KidneySegLib.training.augmentation.spatial import sample
from KidneySegLib.training.recipes import Recipe
from KidneySegLib.training.synthesis.lesions import synthesise
from KidneySegLib.training.synthesis.organ_masks import drawn_organ, outlined_kidney
from KidneySegLib.training.synthesis.scene import Scene
from KidneySegLib.training.synthesis.shapes import ShapeLibrary

# How far beyond half a kidney's box a patch centre may lie, and how often a place inside the body is tried for.
_REACH_MM = 15.0
_TRIES = 20
# How far from a voxel of a lesion the centre of its patch may lie, along every axis.
_NEAR_MM = 25.0
# Tells the random numbers of masks from those of the patch.
_MASKS = 1_000_000


def _inside_body(exam: Exam, rng: np.random.Generator) -> np.ndarray:
    """Returns a random place ``(k, j, i)`` in soft tissue, or anywhere if luck fails."""
    for _ in range(_TRIES):
        centre = rng.uniform(0, np.array(exam.hu.shape) - 1)
        if -50 < exam.hu[tuple(centre.astype(int))] < 200:
            break
    return centre


def _near_lesion(exam: Exam, rng: np.random.Generator) -> tuple[np.ndarray, bool]:
    """Returns a place near one of the exam's lesions, and whether it lies in a left kidney's box."""
    places = np.argwhere(exam.lesions)
    centre = places[int(rng.integers(len(places)))] + rng.uniform(-_NEAR_MM, _NEAR_MM, 3) / np.array(exam.spacing)
    middles = [(np.abs((np.array(low) + np.array(up)) / 2 - centre)[2], side) for side, low, up in exam.boxes]
    return centre, min(middles)[1] == "left"


class Patches(Dataset[tuple[torch.Tensor, torch.Tensor]]):
    """A list of augmented patches: image ``(inputs, k, j, i)``, target ``(outputs, k, j, i)`` in {0, 1}.

    A plain image lies in -1..1. With the inputs of ``organ_channels`` the outputs exclude each other, and all are 0
    outside the organ's mask: nothing is to be learnt there.
    """

    def __init__(self, recipe: Recipe, exams: Sequence[Exam], shapes: ShapeLibrary | None = None) -> None:
        """Takes the recipe, its prepared exams and, if the recipe names them, shapes of lesions."""
        self.shapes = shapes
        self.recipe = recipe
        self.exams = list(exams)
        # Exams that show more kidney are drawn more often, up to one whole kidney; those without any still count.
        volumes = [float(e.organ.sum()) * float(np.prod(e.spacing)) / 1000 for e in self.exams]
        weights = np.clip(volumes, 50, 150) * [recipe.sampling.diseased if e.lesions.any() else 1.0 for e in self.exams]
        self.weights = weights / weights.sum()

    def __len__(self) -> int:
        """Number of patches of the whole schedule."""
        return self.recipe.schedule.steps * self.recipe.schedule.batch

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Returns patch number ``index``."""
        hu, targets = self.draw(index)
        stage = self.recipe.stage
        if stage.network.inputs != ORGAN_INPUTS:
            return window_channels(hu, stage), self._outputs(targets)
        # The draw gives the organ in the place of the parenchyma.
        rng = np.random.default_rng((self.recipe.schedule.seed, index, _MASKS))
        region = drawn_organ(targets[0], hu, stage.spacing, rng)
        lesions = (targets[1:] >= 0.5) & region
        healthy = region & ~lesions.any(dim=0)
        kidney = outlined_kidney(region, lesions, stage.spacing, rng)
        return organ_channels(hu, region, kidney, stage), torch.cat([healthy[None], lesions]).float()

    def _outputs(self, targets: torch.Tensor) -> torch.Tensor:
        """Returns the targets in {0, 1}; outputs that exclude each other have the organ's lesions taken out of it."""
        present = (targets >= 0.5).float()
        outputs = self.recipe.stage.network.outputs
        if not self.recipe.stage.network.exclusive:
            return present
        lesions = [n for n, name in enumerate(outputs) if name in ("mass", "cyst")]
        kidney, background = outputs.index("kidney"), outputs.index("background")
        # where the border of a mass and a cyst meets in a voxel, the larger share has it
        first, second = lesions
        present[first] *= targets[first] >= targets[second]
        present[second] *= targets[second] > targets[first]
        present[kidney] *= 1 - present[lesions].amax(dim=0)
        present[background] *= 1 - present[[kidney, *lesions]].amax(dim=0)
        return present

    def draw(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Returns HU ``(k, j, i)`` and the outputs' shares ``(outputs, k, j, i)`` of patch number ``index``."""
        recipe = self.recipe
        rng = np.random.default_rng((recipe.schedule.seed, index))
        exam = self.exams[int(rng.choice(len(self.exams), p=self.weights))]
        centre, mirror = self._place(exam, rng)
        spacing = recipe.stage.spacing
        sampled = sample(exam, centre, recipe.stage.patch, spacing, mirror=mirror, ranges=recipe.spatial, rng=rng)
        hu = change_contrast(sampled, recipe.contrast, rng)
        scene = Scene(hu, sampled.organ, sampled.mass, sampled.cyst, sampled.depth, spacing, exam.thickness)
        synthesise(scene, recipe.synthesis, self.shapes, rng)
        # Air and what lies outside the scan is no kidney, however a lesion was pushed there.
        tissue = scene.hu > HALF_TISSUE
        maps = {"kidney": scene.organ, "parenchyma": scene.organ, "mass": scene.mass, "cyst": scene.cyst}
        maps = {name: share * tissue for name, share in maps.items()} | {"background": torch.ones_like(scene.hu)}
        targets = torch.stack([maps[name] for name in recipe.stage.network.outputs])
        return acquire(scene.hu, targets, spacing, exam.thickness, recipe.acquisition, rng)

    def _place(self, exam: Exam, rng: np.random.Generator) -> tuple[np.ndarray, bool]:
        """Returns the patch's centre in store voxels and whether it is mirrored."""
        sampling = self.recipe.sampling
        if exam.boxes and rng.random() < sampling.on_kidney:
            side, lower, upper = exam.boxes[int(rng.integers(len(exam.boxes)))]
            # In a slab the box is short: a centre far outside it would show nothing but padding.
            extent = (np.array(upper) - np.array(lower)) * np.array(exam.spacing)
            reach = np.minimum(sampling.jitter_mm, extent / 2 + _REACH_MM)
            jitter = reach * rng.uniform(-1, 1, 3) / np.array(exam.spacing)
            centre = (np.array(lower) + np.array(upper) - 1) / 2 + jitter
            mirror = side == "left"
            if rng.random() < sampling.on_lesion and exam.lesions.any():
                centre, mirror = _near_lesion(exam, rng)
        else:
            centre = _inside_body(exam, rng)
            mirror = bool(centre[2] > exam.hu.shape[2] / 2)
        if sampling.mirror == "random":
            mirror = bool(rng.random() < 0.5)
        return centre, mirror
