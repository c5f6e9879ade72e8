"""Recipes: everything that decides a training run, in one TOML file, for volumes and slices alike."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, model_validator

from KidneySegLib.bundles.declaration import Count, Positive, Share, Whole, short_reason
from KidneySegLib.bundles.plan import StagePlan
from KidneySegLib.datasets.folds import Split
from KidneySegLib.errors import InputError
from KidneySegLib.inference.organ_channels import ORGAN_INPUTS
from KidneySegLib.inference.window_channels import WINDOW_INPUTS
from KidneySegLib.resources import resource_folder
from KidneySegLib.training.augmentation.pipeline import SYNTHESIS, Augmentation
from KidneySegLib.training.declared import Declared, NotNegative
from KidneySegLib.training.frame_sources import FrameData
from KidneySegLib.training.sampling import Sampling

# The only output of a network may have any other name: it is the organ that the data show.
OUTPUTS = frozenset({"background", "kidney", "parenchyma", "mass", "cyst"})


class Start(Declared):
    """Weights that a run begins with.

    Attributes:
        bundle: by name or folder.
        stage: of that bundle.
    """

    bundle: str
    stage: str


class SliceData(Declared):
    """How slices are taken.

    Attributes:
        distance_mm: between those taken from one exam for training.
        validation_distance_mm: the same for validation and cross-validation.
        pixel_mm: pixel size of folders of slices whose list states none.
    """

    distance_mm: Positive
    validation_distance_mm: Positive
    pixel_mm: Positive


class Data(Declared):
    """What is learnt from.

    Attributes:
        train: folders below the data folder, for training; a name with ``*`` stands for all that fit.
        validation: the same, for choosing the weights.
        patients: patients of exams that are not named after them, so that no fold has one patient on both sides.
        slices: how slices are taken, for a task of slices.
        frames: further frames to train on, for ultrasound.
    """

    train: tuple[str, ...]
    validation: tuple[str, ...]
    patients: dict[str, str] = {}
    slices: SliceData | None = None
    frames: FrameData | None = None

    @model_validator(mode="after")
    def _apart(self) -> Data:
        overlap = set(self.train) & set(self.validation)
        if overlap:
            raise ValueError(f"in both train and validation: {', '.join(sorted(overlap))}")
        return self


class Loss(Declared):
    """Weights of the parts of the loss.

    Attributes:
        dice: of 1 - Dice; of outputs that exclude each other without the background.
        cross_entropy: of the cross-entropy.
        smooth: added to both parts of the fraction that Dice is, in voxels.
        count_absent: of outputs that exclude each other: whether one that a batch does not show has a Dice all the
            same, as in MONAI and nnU-Net, or counts in the cross-entropy alone.
        each_patch: of the same: whether every patch of a batch has a Dice of its own, or the batch one.
        deep_supervision: whether all levels on the way up are compared, each with half the weight of the next finer
            one and the coarsest with none, as nnU-Net does it; for its networks.
    """

    dice: NotNegative = 1.0
    cross_entropy: NotNegative = 1.0
    smooth: NotNegative = 1.0
    count_absent: bool = False
    each_patch: bool = False
    deep_supervision: bool = False


class Optimiser(Declared):
    """What takes the steps.

    Attributes:
        kind: of torch's optimisers; ``sgd`` with Nesterov's momentum.
        learning_rate: the highest.
        weight_decay: see torch.
        momentum: of ``sgd``.
        longest_gradient: longer ones are shortened (12 is nnU-Net's value).
    """

    kind: Literal["adamw", "adam", "sgd"] = "adamw"
    learning_rate: Positive = 1e-3
    weight_decay: NotNegative = 1e-2
    momentum: Share = 0.99
    longest_gradient: Positive = 12.0


class Schedule(Declared):
    """How long a network learns, and how the learning rate falls.

    Attributes:
        fall: ``cosine``: to zero along a cosine; ``poly``: to zero with the power 0.9 of what is left, epoch by epoch
            (nnU-Net); ``plateau``: to a tenth after ``patience`` epochs in which the validation loss did not fall;
            ``never``.
        patience: of ``plateau``.
        epochs: each ends with a validation.
        steps_per_epoch: optimiser steps.
        batch: patches per step.
        warm_up: steps of linear rise at the start.
        average: decay of the running mean of weights that is validated and exported.
        seed: of weights and patches.
        stop_after: a run ends when so many epochs in a row have not validated better; None: it never ends early.
        precision: of the network's own computations; losses and weights always have 32 bits, and so has everything
            on a CPU without instructions for bfloat16.
    """

    fall: Literal["cosine", "poly", "plateau", "never"] = "cosine"
    patience: Count = 10
    epochs: Count
    steps_per_epoch: Count
    batch: Count = 1
    warm_up: Annotated[Whole, Field(ge=0)] = 100
    average: Share = 0.998
    seed: Annotated[Whole, Field(ge=0)] = 0
    stop_after: Count | None = None
    precision: Literal["bfloat16", "float32"] = "bfloat16"

    @property
    def steps(self) -> int:
        """Optimiser steps in all."""
        return self.epochs * self.steps_per_epoch


class Validation(Declared):
    """How a network is scored while it trains, and in a cross-validation.

    Attributes:
        boxes: in one box around each reference kidney, left ones mirrored; else in the whole exam.
        choose_by: of the Dice of all exams, ``median`` (one exam out of reach must not choose the weights for all
            others) or ``mean`` over patients.
        largest_regions: whether only the two largest regions of a slice count, as the task of slices has it.
    """

    boxes: bool = False
    choose_by: Literal["median", "mean"] = "median"
    largest_regions: bool = False


class Folds(Declared):
    """Cross-validation.

    Attributes:
        count: number of folds.
        split: ``patient``, or ``random``, which leaks and only repeats a published protocol.
    """

    count: Annotated[Whole, Field(ge=2)] = 5
    split: Split = Split.PATIENT


class Recipe(Declared):
    """A training run of one stage.

    Attributes:
        task: what reads the data: see ``training.cases``.
        stage: the plan that goes into the bundle: inputs, network, grid, members of an ensemble.
        start: weights that the run begins with; None: random ones.
        data: what is learnt from.
        loss: what is made small.
        optimiser: what takes the steps.
        schedule: how long.
        sampling: where patches are taken.
        augmentation: how patches are varied.
        validation: how the network is scored.
        folds: of the cross-validation.
    """

    task: str
    stage: StagePlan
    start: Start | None = None
    data: Data
    loss: Loss = Loss()
    optimiser: Optimiser = Optimiser()
    schedule: Schedule
    sampling: Sampling
    augmentation: Augmentation = Augmentation()
    validation: Validation = Validation()
    folds: Folds = Folds()

    @model_validator(mode="after")
    def _trainable(self) -> Recipe:
        outputs = self.stage.network.outputs
        unknown = set(outputs) - OUTPUTS
        if unknown and len(outputs) > 1:
            raise ValueError(f"outputs that cannot be trained: {', '.join(sorted(unknown))}")
        inputs = self.stage.network.inputs
        if inputs != ORGAN_INPUTS and not set(inputs) <= set(WINDOW_INPUTS):
            raise ValueError(f"inputs must be some of {', '.join(WINDOW_INPUTS)}, or all of {', '.join(ORGAN_INPUTS)}")
        if "zscore" in inputs and not self.stage.whole:
            raise ValueError("zscore needs a network that sees images whole: a tile has another mean than its image")
        if any(self.stage.flipped):
            raise ValueError("flipped axes are those of imported models: networks are trained in our orientation")
        if self.loss.deep_supervision and not self.stage.network.architecture.startswith("nnunet-"):
            raise ValueError("deep supervision needs one of nnU-Net's networks")
        if self.stage.grid and any(p > g for p, g in zip(self.stage.patch, self.stage.grid, strict=True)):
            raise ValueError("a patch cannot be larger than the grid of whole exams")
        return self

    @property
    def members(self) -> int:
        """Number of networks that are trained one after another, with other random numbers: an ensemble's."""
        return self.stage.ensemble.members if self.stage.ensemble else 1

    def member(self, number: int) -> Recipe:
        """Returns the recipe of one network, from 0, of the ensemble."""
        schedule = self.schedule.model_copy(update={"seed": self.schedule.seed + number})
        return self.model_copy(update={"stage": replace(self.stage, ensemble=None), "schedule": schedule})

    def changed(
        self,
        *,
        train: Sequence[str] = (),
        validation: Sequence[str] = (),
        leave_out: Sequence[str] = (),
        more: Sequence[str] = (),
        synthesis: bool = True,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        start: str = "",
        folds: int | None = None,
        split: Split | None = None,
    ) -> Recipe:
        """Returns the recipe with what a command line says otherwise; None and the defaults keep the recipe's own.

        Args:
            train: folders to train on, in place of the recipe's.
            validation: folders to choose the weights on, likewise.
            leave_out: exams, by folder name or as the recipe names them, that are not trained on.
            more: folders below the data folder that are trained on as well.
            synthesis: False takes the synthetic lesions out.
            epochs: length of the schedule.
            steps_per_epoch: length of an epoch.
            start: bundle whose stage of the same name the weights are taken from.
            folds: number of folds.
            split: how they are divided.

        Raises:
            InputError: an exam to leave out is not in the recipe, or a number is out of range.
        """
        train = tuple(train) or self.data.train
        left = {name for name in train if name in leave_out or Path(name).name in leave_out}
        if len(left) < len(set(leave_out)):
            raise InputError(f"Not all exams to leave out are in the recipe; it has: {', '.join(train)}.")
        return self._with(
            data={
                "train": (*(name for name in train if name not in left), *more),
                "validation": tuple(validation) or self.data.validation,
            },
            schedule={"epochs": epochs, "steps_per_epoch": steps_per_epoch},
            augmentation={} if synthesis else dict.fromkeys(SYNTHESIS),
            folds={"count": folds, "split": split},
            start=Start(bundle=start, stage=self.stage.name) if start else self.start,
        )

    def _with(self, start: Start | None, augmentation: Mapping[str, None], **tables: Mapping[str, Any]) -> Recipe:
        """Returns the recipe with other values in its tables, which are checked anew."""
        changes: dict[str, Any] = {"start": start, "augmentation": self.augmentation.model_copy(update=augmentation)}
        for name, values in tables.items():
            table: Declared = getattr(self, name)
            given = {key: value for key, value in values.items() if value is not None}
            try:
                changes[name] = type(table).model_validate(table.model_dump() | given)
            except ValidationError as error:
                raise InputError(f"An option is out of range ({short_reason(error)}).") from error
        return self.model_copy(update=changes)


def find_recipe(name: str) -> Path:
    """Returns the file of a shipped recipe by its name, or the path that ``name`` is."""
    shipped = resource_folder() / "Recipes" / f"{name}.toml"
    return shipped if shipped.is_file() else Path(name)


def read_recipe(path: Path) -> Recipe:
    """Reads a recipe.

    Raises:
        InputError: the file is missing, is not TOML, or a field is missing, unknown or out of range.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"The recipe cannot be read: {error}") from error
    try:
        return Recipe.model_validate(data)
    except ValidationError as error:
        raise InputError(
            f"The recipe '{path.name}' has a missing, unknown or wrong field ({short_reason(error)})."
        ) from error
