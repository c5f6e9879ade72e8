"""Draws training patches. Patch ``n`` depends only on the recipe's seed and on ``n``, so that a run resumes exactly."""

from collections.abc import Sequence

import numpy as np
import torch
from torch.utils.data import Dataset

from KidneySegLib.datasets.labelled_exam import LabelledExam
from KidneySegLib.datasets.whole_grid import on_grid
from KidneySegLib.inference.organ_channels import ORGAN_INPUTS, organ_channels
from KidneySegLib.inference.window_channels import window_channels
from KidneySegLib.training.augmentation.patch import Patch
from KidneySegLib.training.augmentation.spatial import sample
from KidneySegLib.training.recipe import Recipe
from KidneySegLib.training.synthesis.organ_masks import drawn_organ, outlined_kidney
from KidneySegLib.training.synthesis.shapes import ShapeLibrary

# Tells the random numbers of masks from those of the patch.
_MASKS = 1_000_000


class Patches(Dataset[tuple[torch.Tensor, torch.Tensor]]):
    """A list of augmented patches: image ``(inputs, k, j, i)``, target ``(outputs, k, j, i)`` in {0, 1}; 2D is k = 1.

    The outputs of a network that exclude each other, and those where the inputs come with an organ's mask, are all 0
    where nothing is to be learnt: outside the field of view, and outside that mask.
    """

    def __init__(self, recipe: Recipe, exams: Sequence[LabelledExam], shapes: ShapeLibrary | None = None) -> None:
        """Takes the recipe, its prepared exams and, if the recipe names them, shapes of lesions."""
        grid = recipe.stage.grid
        self.recipe, self.shapes = recipe, shapes
        self.exams = list(exams) if grid is None else [on_grid(exam, grid) for exam in exams]
        self.weights = None if recipe.sampling.weight == "each" else recipe.sampling.weights(self.exams)

    def __len__(self) -> int:
        """Number of patches of the whole schedule."""
        return self.recipe.schedule.steps * self.recipe.schedule.batch

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Returns patch number ``index``."""
        patch, stage = self.draw(index), self.recipe.stage
        if stage.network.inputs != ORGAN_INPUTS:
            return window_channels(patch.hu, stage), _targets(patch, stage.network.outputs, stage.network.exclusive)
        rng = np.random.default_rng((self.recipe.schedule.seed, index, _MASKS))
        masks = self.recipe.augmentation.masks
        region = drawn_organ(patch.organ, patch.hu, stage.spacing, masks, rng)
        shares = {"mass": patch.mass, "cyst": patch.cyst}
        lesions = torch.stack([shares[name] for name in stage.network.outputs[1:]])
        lesions = (lesions >= 0.5) & region
        healthy = region & ~lesions.any(dim=0)
        kidney = outlined_kidney(region, lesions, stage.spacing, masks, rng)
        return organ_channels(patch.hu, region, kidney, stage), torch.cat([healthy[None], lesions]).float()

    def draw(self, index: int) -> Patch:
        """Returns patch number ``index`` before it is turned into what a network sees."""
        recipe = self.recipe
        rng = np.random.default_rng((recipe.schedule.seed, index))
        if self.weights is None:
            exam = self.exams[recipe.sampling.in_turn(self.exams, index, recipe.schedule.seed)]
        else:
            exam = self.exams[int(rng.choice(len(self.exams), p=self.weights))]
        stage, augmentation = recipe.stage, recipe.augmentation
        spacing = stage.spacing if stage.grid is None else exam.spacing
        size = np.array(stage.patch) * spacing / np.array(exam.spacing)
        centre, mirror = recipe.sampling.place(exam, rng, size.tolist())
        patch = sample(exam, centre, stage.patch, spacing, mirror=mirror, ranges=augmentation.spatial, rng=rng)
        patch.library = self.shapes
        for transform in augmentation.patient:
            transform.apply(patch, rng)
        patch.clear_air()
        for transform in augmentation.scanner:
            transform.apply(patch, rng)
        return patch


def _targets(patch: Patch, outputs: Sequence[str], exclusive: bool) -> torch.Tensor:
    """Returns the targets in {0, 1}; outputs that exclude each other have the organ's lesions taken out of it."""
    maps = {"kidney": patch.organ, "parenchyma": patch.organ, "mass": patch.mass, "cyst": patch.cyst}
    maps["background"] = patch.in_view
    targets = torch.stack([maps.get(name, patch.organ) for name in outputs])
    present = (targets >= 0.5).float()
    if not exclusive:
        return present
    lesions = [n for n, name in enumerate(outputs) if name in ("mass", "cyst")]
    kidney, background = outputs.index("kidney"), outputs.index("background")
    if len(lesions) == 2:
        # where the border of a mass and a cyst meets in a voxel, the larger share has it
        first, second = lesions
        present[first] *= targets[first] >= targets[second]
        present[second] *= targets[second] > targets[first]
    if lesions:  # a lesion that the network has no output for is kidney
        present[kidney] *= 1 - present[lesions].amax(dim=0)
    present[background] *= 1 - present[[kidney, *lesions]].amax(dim=0)
    return present
