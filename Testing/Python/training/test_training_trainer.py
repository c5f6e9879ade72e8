"""The trainer on made exams and made slices: it learns, and an interrupted run ends like an uninterrupted one."""

import csv
import math
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
import torch
from slice_cases import RECIPE as SLICE_RECIPE
from slice_cases import write_folder
from training_cases import RECIPE, write_exams

from KidneySegLib.datasets.exams import prepare_exam
from KidneySegLib.errors import InputError
from KidneySegLib.training.cases import exams_for_folds, training_exams, validation_exams
from KidneySegLib.training.fitting.curves import read_curves
from KidneySegLib.training.fitting.learner import learning_rate
from KidneySegLib.training.fitting.trainer import Trainer
from KidneySegLib.training.patches import Patches
from KidneySegLib.training.recipe import Recipe, read_recipe

CPU = torch.device("cpu")


@pytest.fixture
def data(tmp_path) -> Path:
    write_exams(tmp_path)
    (tmp_path / "recipe.toml").write_text(RECIPE)
    return tmp_path


def trainer_of(data: Path, run: str) -> tuple[Recipe, Trainer]:
    recipe = read_recipe(data / "recipe.toml")
    trainer = Trainer(recipe, data / run, CPU)
    # bfloat16 would let rounding of one run's memory layout grow into the next step
    trainer.learner.precision = torch.float32
    return recipe, trainer


def train(data: Path, run: str, minutes: float = math.inf) -> tuple[Trainer, bool]:
    recipe, trainer = trainer_of(data, run)
    exams, validation = training_exams(recipe, data, data / "cache"), validation_exams(recipe, data, data / "cache")
    return trainer, trainer.run(exams, validation, minutes=minutes)


def test_it_learns_and_leaves_curves_and_weights(data):
    trainer, finished = train(data, "run")
    assert finished and trainer.learner.step == 40 and trainer.epoch == 2
    rows = read_curves(data / "run")
    assert [row["epoch"] for row in rows] == [1, 2]
    assert rows[1]["training_loss"] < rows[0]["training_loss"]
    assert rows[1]["dice"] == pytest.approx(trainer.learner.best, abs=1e-4) and trainer.learner.best > 0.5
    with (data / "run/validation.csv").open() as file:
        exams = list(csv.DictReader(file))
    assert [(row["epoch"], row["exam"]) for row in exams[2:]] == [("2", "two right"), ("2", "two left")]
    assert np.median([float(row["dice"]) for row in exams[2:]]) == pytest.approx(rows[1]["dice"], abs=1e-4)
    assert (data / "run/best.pt").is_file()
    assert (data / "run/curves.png").read_bytes().startswith(b"\x89PNG")


def test_an_interrupted_run_ends_like_an_uninterrupted_one(data):
    (data / "recipe.toml").write_text(RECIPE.replace("steps_per_epoch = 20", "steps_per_epoch = 4"))
    whole, _ = train(data, "whole")
    sessions, finished = 0, False
    while not finished:  # every call makes one step, since its time is over at once
        part, finished = train(data, "parts", minutes=0)
        sessions += 1
    assert sessions == 8
    # One step moves a weight by up to 1e-2: a forgotten moment or a wrong patch would show.
    for one, other in zip(whole.learner.network.parameters(), part.learner.network.parameters(), strict=True):
        assert torch.allclose(one, other, atol=1e-3)
    for one, other in zip(whole.learner.average.parameters(), part.learner.average.parameters(), strict=True):
        assert torch.allclose(one, other, atol=1e-3)
    for one, other in zip(read_curves(data / "whole"), read_curves(data / "parts"), strict=True):
        assert one == pytest.approx(other, abs=1e-2)


def test_slices_are_learnt_by_the_same_trainer(tmp_path):
    for name in ("train", "validation"):
        write_folder(tmp_path / name, patients=2)
    (tmp_path / "recipe.toml").write_text(SLICE_RECIPE)
    trainer, finished = train(tmp_path, "run")
    assert finished
    rows = read_curves(tmp_path / "run")
    assert [row["epoch"] for row in rows] == [1, 2, 3]
    assert rows[-1]["dice"] > 0.8 and rows[-1]["training_loss"] < rows[0]["training_loss"]
    assert rows[-1]["iou"] == pytest.approx(rows[-1]["dice"] / (2 - rows[-1]["dice"]), abs=0.02)


def test_augmented_slices_depend_on_their_number_alone(tmp_path):
    write_folder(tmp_path / "train", patients=2)
    (tmp_path / "recipe.toml").write_text(SLICE_RECIPE)
    recipe = read_recipe(tmp_path / "recipe.toml")
    exams = training_exams(recipe, tmp_path, tmp_path / "cache")
    patches = Patches(recipe, exams)
    image, target = patches[7]
    assert image.shape == target.shape == (1, 1, 64, 64)
    assert image.min() >= 0 and image.max() <= 1
    assert set(target.unique().tolist()) <= {0.0, 1.0}
    again, same = Patches(recipe, exams)[7]
    assert torch.equal(image, again) and torch.equal(target, same)
    assert not torch.equal(image, patches[8][0])


def test_exams_of_a_patient_by_another_name_stay_together(data):
    text = RECIPE.replace("[optimiser]", '[data.patients]\n"train/one" = "somebody"\n[optimiser]')
    (data / "recipe.toml").write_text(text)
    ((exam,), (learnt,)) = exams_for_folds(read_recipe(data / "recipe.toml"), data, data / "cache")
    assert learnt is exam and (exam.name, exam.patient) == ("one", "somebody")


def test_a_task_without_a_data_set_is_told(data):
    (data / "recipe.toml").write_text(RECIPE.replace('task = "ct"', 'task = "mr"'))
    with pytest.raises(InputError, match="'mr'"):
        training_exams(read_recipe(data / "recipe.toml"), data, data / "cache")


def test_a_step_without_a_finite_gradient_changes_nothing(data):
    _, trainer = trainer_of(data, "run")
    before = [p.clone() for p in trainer.learner.network.parameters()]
    image = torch.full((1, 1, 16, 16, 16), torch.inf)
    assert np.isnan(trainer.learner.learn(image, torch.zeros_like(image)))
    assert all(torch.equal(a, b) for a, b in zip(before, trainer.learner.network.parameters(), strict=True))


def test_the_loss_is_weighed_as_the_recipe_says(data):
    losses = []
    for parts in ("dice = 1.0\ncross_entropy = 0.0", "dice = 0.0\ncross_entropy = 1.0", "dice = 2.0"):
        (data / "recipe.toml").write_text(RECIPE.replace("[optimiser]", f"[loss]\n{parts}\n[optimiser]"))
        _, trainer = trainer_of(data, f"run{len(losses)}")
        image = torch.linspace(-1, 1, 16**3).view(1, 1, 16, 16, 16)
        losses.append(trainer.learner.learn(image, (image > 0).float()))
    assert losses[2] == pytest.approx(2 * losses[0] + losses[1], rel=1e-4)


def test_the_learning_rate_rises_and_falls_to_zero(data):
    schedule = read_recipe(data / "recipe.toml").schedule
    rates = [learning_rate(1e-2, schedule, step) for step in range(41)]
    assert rates[0] == pytest.approx(1e-2 / 3) and max(rates) == pytest.approx(1e-2)
    assert rates[-1] == pytest.approx(0, abs=1e-9)
    assert rates[3:] == sorted(rates[3:], reverse=True)


def test_image_and_mask_must_share_a_grid(data):
    folder = data / "train/one"
    mask = sitk.ReadImage(str(folder / "mask.nii.gz"))
    mask.SetOrigin((5.0, 0.0, 0.0))
    sitk.WriteImage(mask, str(folder / "mask.nii.gz"))
    with pytest.raises(InputError, match="not on the same grid"):
        prepare_exam(folder, (4.0, 4.0, 4.0), data / "cache")


@pytest.mark.parametrize(("fast", "precision"), [(True, torch.bfloat16), (False, torch.float32)])
def test_a_cpu_that_would_emulate_bfloat16_learns_in_32_bits(data, monkeypatch, fast, precision):
    monkeypatch.setattr("KidneySegLib.training.fitting.learner.fast_bfloat16", lambda: fast)
    assert Trainer(read_recipe(data / "recipe.toml"), data / "run", CPU).learner.precision is precision
