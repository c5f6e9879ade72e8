"""The trainer on a made exam: it learns, and an interrupted run ends like an uninterrupted one."""

import csv
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
import torch
from training_cases import RECIPE, write_exams

from KidneySegLib.datasets.exams import prepare_exam
from KidneySegLib.errors import InputError
from KidneySegLib.training.fitting.learner import learning_rate
from KidneySegLib.training.fitting.trainer import Trainer
from KidneySegLib.training.recipes import read_recipe


@pytest.fixture
def data(tmp_path) -> Path:
    write_exams(tmp_path)
    (tmp_path / "recipe.toml").write_text(RECIPE)
    return tmp_path


def train(data: Path, run: str, minutes: float) -> tuple[Trainer, bool]:
    recipe = read_recipe(data / "recipe.toml")
    sets = [
        [prepare_exam(data / name, recipe.stage.spacing, data / "cache") for name in names]
        for names in (recipe.exams, recipe.validation)
    ]
    trainer = Trainer(recipe, data / run, torch.device("cpu"))
    # bfloat16 would let rounding of one run's memory layout grow into the next step
    trainer.learner.precision = torch.float32
    return trainer, trainer.run(*sets, minutes=minutes)


def test_it_learns_and_leaves_curves_and_weights(data):
    trainer, finished = train(data, "run", minutes=5)
    assert finished and trainer.learner.step == 40
    with (data / "run/curves.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["step"] for row in rows] == ["20", "40"]
    assert float(rows[-1]["loss"]) < float(rows[0]["loss"])
    assert float(rows[-1]["median"]) == pytest.approx(trainer.learner.best, abs=1e-3) and trainer.learner.best > 0.5
    assert set(rows[0]) == {"step", "loss", "median", "two right", "two left"}
    assert (data / "run/best.pt").is_file()
    assert (data / "run/curves.png").read_bytes().startswith(b"\x89PNG")


def test_an_interrupted_run_ends_like_an_uninterrupted_one(data):
    (data / "recipe.toml").write_text(RECIPE.replace("steps = 40", "steps = 12"))
    whole, _ = train(data, "whole", minutes=5)
    steps = 0
    for _ in range(20):  # every call makes one step, since its time is over at once
        part, finished = train(data, "parts", minutes=0)
        steps += 1
        if finished:
            break
    assert steps == 12
    # One step moves a weight by up to 1e-2: a forgotten moment or a wrong patch would show.
    for one, other in zip(whole.learner.network.parameters(), part.learner.network.parameters(), strict=True):
        assert torch.allclose(one, other, atol=1e-3)
    for one, other in zip(whole.learner.average.parameters(), part.learner.average.parameters(), strict=True):
        assert torch.allclose(one, other, atol=1e-3)


def test_a_step_without_a_finite_gradient_changes_nothing(data):
    trainer = Trainer(read_recipe(data / "recipe.toml"), data / "run", torch.device("cpu"))
    before = [p.clone() for p in trainer.learner.network.parameters()]
    image = torch.full((1, 1, 16, 16, 16), torch.inf)
    assert np.isnan(trainer.learner.learn(image, torch.zeros_like(image)))
    assert all(torch.equal(a, b) for a, b in zip(before, trainer.learner.network.parameters(), strict=True))


def test_the_learning_rate_rises_and_falls_to_zero(data):
    schedule = read_recipe(data / "recipe.toml").schedule
    rates = [learning_rate(schedule, step) for step in range(41)]
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


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("steps = 40", "steps = 40\ncolour = 1", "colour"),
        ('mirror = "left"', 'mirror = "up"', "mirror"),
        ('validation = ["validation/two"]', 'validation = ["train/one"]', "both train and validation"),
        ("[sampling]", "[sampling", "cannot be read"),
    ],
)
def test_wrong_recipes_are_refused(data, old, new, message):
    (data / "recipe.toml").write_text(RECIPE.replace(old, new))
    with pytest.raises(InputError, match=message):
        read_recipe(data / "recipe.toml")


def test_the_shipped_recipes_can_be_read():
    from KidneySegLib.training.recipes import find_recipe

    for name in ("ct-locator", "ct-kidney"):
        recipe = read_recipe(find_recipe(name))
        assert recipe.stage.name == name.removeprefix("ct-")
        assert not any("lits0" in exam for exam in recipe.exams)
