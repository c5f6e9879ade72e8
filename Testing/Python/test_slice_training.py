"""Slices for training, folds, epochs that resume, and the numbers of the tables."""

from __future__ import annotations

import csv
import json
import math

import numpy as np
import pytest
import SimpleITK as sitk
import torch
from PIL import Image
from slice_cases import RECIPE, made_slice, write_folder

from KidneySegLib.datasets.folds import Split, make_folds
from KidneySegLib.datasets.slices import LabelledSlice, load_slices
from KidneySegLib.errors import InputError
from KidneySegLib.evaluation.slice_scores import SliceScore, Spread, cross_entropy, dice_and_iou
from KidneySegLib.evaluation.slices import SliceResult, StoneCounts, count_stones, make_table
from KidneySegLib.resources import resource_folder
from KidneySegLib.training.crossval import Fold, table
from KidneySegLib.training.fitting.slice_curves import read_curves
from KidneySegLib.training.fitting.slice_trainer import SliceTrainer
from KidneySegLib.training.recipe_files import is_slice_recipe, read_stage
from KidneySegLib.training.slice_data import training_slices, validation_slices
from KidneySegLib.training.slice_patches import SlicePatches
from KidneySegLib.training.slice_recipes import SliceRecipe, read_slice_recipe

CPU = torch.device("cpu")


def recipe_of(tmp_path, text: str = RECIPE) -> SliceRecipe:
    path = tmp_path / "recipe.toml"
    path.write_text(text)
    return read_slice_recipe(path)


def slices_of(patients: dict[str, int]) -> list[LabelledSlice]:
    empty = np.zeros((4, 4))
    return [
        LabelledSlice(f"{patient} {n}", patient, (1.0, 1.0), empty.astype(np.int16), empty > 0, empty > 0)
        for patient, count in patients.items()
        for n in range(count)
    ]


# --- recipe ---


def test_the_shipped_recipe_has_the_paper_s_settings():
    path = resource_folder() / "Recipes" / "ct-slice.toml"
    recipe = read_slice_recipe(path)
    assert is_slice_recipe(path) and not is_slice_recipe(path.with_name("ct-kidney.toml"))
    assert recipe.epochs == 25 and recipe.stage.threshold == 0.65
    assert recipe.stage.network.outputs == ("kidney",) and recipe.stage.equalise is not None
    assert recipe.schedule.steps == 25 * recipe.schedule.validate_every
    assert recipe.schedule.validate_every == recipe.slices_per_epoch // recipe.schedule.batch
    assert read_stage(path) == recipe.stage
    assert not any("lits0" in name for name in recipe.train)
    assert all("train/" in name or "/train" in name or "negative" in name for name in recipe.train)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("epochs = 3", "epochs = 0", "at least one step"),
        ("epochs = 3", "", "epochs"),
        ("rotation = 5.0", "rotations = 5.0", "rotations"),
        ('validation = ["validation"]', 'validation = ["train"]', "both train and validation"),
    ],
)
def test_wrong_recipes_are_refused(tmp_path, old, new, message):
    with pytest.raises(InputError, match=message):
        recipe_of(tmp_path, RECIPE.replace(old, new))


def test_shorter_epochs_keep_their_number(tmp_path):
    recipe_of(tmp_path)
    recipe = read_slice_recipe(tmp_path / "recipe.toml", slices_per_epoch=8)
    assert (recipe.epochs, recipe.schedule.steps, recipe.schedule.validate_every) == (3, 6, 2)


# --- slices ---


def test_drawn_slices_of_a_folder_are_read_near_the_working_grid(tmp_path):
    write_folder(tmp_path / "train", patients=2)
    slices = load_slices(tmp_path / "train", 4.0, distance_mm=3, pixel_mm=9.0, window=(-160, 240))
    assert [item.name for item in slices] == ["p0 0", "p0 1", "p1 2", "p1 3"]
    assert [item.patient for item in slices] == ["p0", "p0", "p1", "p1"]
    first = slices[0]
    # 2 mm pixels of the list, not the recipe's 9 mm; stored at three quarters of 4 mm
    assert first.hu.shape == (85, 85) and first.spacing == pytest.approx((256 / 85, 256 / 85))
    _, kidneys, _ = made_slice()
    assert first.organ.sum() * (256 / 85) ** 2 == pytest.approx((kidneys > 0).sum() * 4, rel=0.05)
    assert first.hu.min() == -160


def test_slices_of_an_exam_are_those_with_kidney_and_some_beyond(tmp_path):
    labels = np.zeros((60, 32, 32), np.uint8)
    labels[25:35, 10:20, 4:14] = 1
    labels[35, 10, 4:6] = 1  # the rim of the pole is left out
    for name, array in (("image", np.where(labels > 0, 30, -100).astype(np.int16)), ("mask", labels)):
        image = sitk.GetImageFromArray(array)
        image.SetSpacing((2.0, 2.0, 4.0))
        (tmp_path / "exam").mkdir(exist_ok=True)
        sitk.WriteImage(image, str(tmp_path / "exam" / f"{name}.nii.gz"))
    slices = load_slices(tmp_path / "exam", 1.5, distance_mm=4, pixel_mm=1, window=(-160, 240))
    # read in canonical order: the file's k runs to the head
    assert [item.name for item in slices if item.organ.any()] == [f"exam {n}" for n in range(26, 36)]
    assert [item.name for item in slices if not item.organ.any()] == [
        f"exam {n}" for n in (*range(1, 26), *range(37, 61))
    ]
    assert {item.spacing for item in slices} == {(2.0, 2.0)}


def test_folders_that_are_no_folders_of_slices_are_told(tmp_path):
    write_folder(tmp_path / "train", patients=1)
    options = {"distance_mm": 3, "pixel_mm": 1, "window": (-160, 240)}
    (tmp_path / "train" / "images" / "0.png").unlink()
    with pytest.raises(InputError, match=r"images/0\.png"):
        load_slices(tmp_path / "train", 4.0, **options)
    (tmp_path / "train" / "slices.json").write_text('{"image": 1}')
    with pytest.raises(InputError, match="list of entries"):
        load_slices(tmp_path / "train", 4.0, **options)


def test_a_mask_of_another_size_is_refused(tmp_path):
    write_folder(tmp_path / "train", patients=1)
    Image.fromarray(np.zeros((64, 64), np.uint8)).save(tmp_path / "train" / "kidneys" / "0.png")
    with pytest.raises(InputError, match="different sizes"):
        load_slices(tmp_path / "train", 4.0, distance_mm=3, pixel_mm=1, window=(-160, 240))


def test_augmented_slices_depend_on_their_number_alone(tmp_path):
    write_folder(tmp_path / "train", patients=2)
    recipe = recipe_of(tmp_path)
    slices = training_slices(recipe, tmp_path)
    patches = SlicePatches(recipe, slices)
    image, target = patches[7]
    assert image.shape == target.shape == (1, 64, 64)
    assert image.min() >= 0 and image.max() <= 1
    assert set(target.unique().tolist()) <= {0.0, 1.0}
    again, same = SlicePatches(recipe, slices)[7]
    assert torch.equal(image, again) and torch.equal(target, same)
    assert not torch.equal(image, patches[8][0])
    shares = [float(patches[n][1].mean()) for n in range(20)]
    expected = (slices[0].organ.mean()) * (256 / 256) ** 2  # both fields of view are 256 mm wide
    assert np.mean(shares) == pytest.approx(expected, rel=0.25)


# --- training ---


def test_training_learns_resumes_exactly_and_logs_every_epoch(tmp_path):
    for name in ("train", "validation"):
        write_folder(tmp_path / name, patients=2)
    recipe = recipe_of(tmp_path)
    slices, validation = training_slices(recipe, tmp_path), validation_slices(recipe, tmp_path)
    whole = SliceTrainer(recipe, tmp_path / "whole", CPU)
    whole.learner.precision = torch.float32
    assert whole.run(slices, validation)
    rows = read_curves(tmp_path / "whole")
    assert [row["epoch"] for row in rows] == [1, 2, 3]
    assert rows[-1]["dice"] > 0.8 and rows[-1]["training_loss"] < rows[0]["training_loss"]
    assert rows[-1]["iou"] == pytest.approx(rows[-1]["dice"] / (2 - rows[-1]["dice"]), abs=0.02)
    assert (tmp_path / "whole" / "curves.png").is_file()

    finished, sessions = False, 0
    while not finished:
        part = SliceTrainer(recipe, tmp_path / "parts", CPU)
        part.learner.precision = torch.float32
        finished = part.run(slices, validation, minutes=0.02)
        sessions += 1
    for one, other in zip(whole.learner.network.parameters(), part.learner.network.parameters(), strict=True):
        assert torch.equal(one, other)
    assert [row["epoch"] for row in read_curves(tmp_path / "parts")] == [1, 2, 3]


# --- folds ---


def test_no_patient_is_on_both_sides_and_every_slice_is_validated_once():
    slices = slices_of({"a": 7, "b": 5, "c": 4, "d": 4, "e": 3, "f": 2, "g": 1})
    folds = make_folds(slices, 3, Split.PATIENT)
    assert sorted(n for fold in folds for n in fold) == list(range(len(slices)))
    held_out = [{slices[n].patient for n in fold} for fold in folds]
    assert not (held_out[0] & held_out[1] or held_out[0] & held_out[2] or held_out[1] & held_out[2])
    assert sorted(map(len, folds)) == [8, 9, 9]
    assert folds == make_folds(slices, 3, Split.PATIENT)


def test_a_random_split_leaks_and_says_so():
    slices = slices_of({"a": 10, "b": 10})
    folds = make_folds(slices, 5, Split.RANDOM)
    assert sorted(n for fold in folds for n in fold) == list(range(20))
    assert any(len({slices[n].patient for n in fold}) == 2 for fold in folds)
    assert Split.RANDOM.leaks and not Split.PATIENT.leaks
    result = [Fold(("a 1",), (SliceScore(0.9, 0.8, 0.1),))]
    assert "LEAK" in table(result, Split.RANDOM, 20, 2)
    assert "LEAK" not in table(result, Split.PATIENT, 20, 2)


def test_too_few_patients_are_refused():
    with pytest.raises(InputError, match="only 2 patients"):
        make_folds(slices_of({"a": 10, "b": 10}), 5, Split.PATIENT)
    with pytest.raises(InputError, match="two folds"):
        make_folds(slices_of({"a": 10}), 1, Split.RANDOM)


# --- numbers ---


def test_dice_iou_and_loss_of_known_masks():
    found, reference = np.zeros((4, 5), bool), np.zeros((4, 5), bool)
    found[:2], reference[1:3] = True, True
    assert dice_and_iou(found, reference) == (0.5, pytest.approx(1 / 3))
    assert dice_and_iou(reference & False, reference & False) == (1.0, 1.0)
    probability = np.where(reference, 0.8, 0.25)
    assert cross_entropy(probability, reference) == pytest.approx(-(math.log(0.8) + math.log(0.75)) / 2)


def test_spread_is_mean_and_sample_deviation():
    assert str(Spread.of([0.9, 0.95, 1.0])) == "0.9500 ± 0.0500"
    assert str(Spread.of([0.5])) == "0.5000 ± 0.0000"


def test_the_paper_s_table_over_folds():
    folds = [
        Fold(("a", "b"), (SliceScore(0.9, 0.8, 0.02), SliceScore(1.0, 1.0, 0.04))),
        Fold(("c",), (SliceScore(0.85, 0.74, 0.05),)),
    ]
    text = table(folds, Split.PATIENT, 3, 3)
    assert "2-fold cross-validation, 3 slices of 3 patients. Split by patient" in text
    assert "| 1 | 2 | 0.9500 | 0.9000 | 0.0300 |" in text
    assert "| mean ± sd | 3 | 0.9000 ± 0.0707 | 0.8200 ± 0.1131 | 0.0400 ± 0.0141 |" in text


def test_the_evaluation_s_tables():
    results = [
        SliceResult("1", "a", SliceScore(0.9, 0.8, 0.02), StoneCounts(8, 10, 10, 2, 1, 1), None),
        SliceResult("2", "a", SliceScore(1.0, 1.0, 0.04), StoneCounts(0, 0, 0, 0, 0, 0), None),
        SliceResult("3", "b", SliceScore(0.8, 0.7, 0.06), None, None),
        SliceResult("4", "b", None, StoneCounts(4, 4, 6, 1, 1, 0), None),
    ]
    text = make_table(results)
    assert "Kidneys, 3 slices of 2 patients" in text
    assert "| slices | 0.9000 ± 0.1000 | 0.8333 ± 0.1528 | 0.0400 ± 0.0200 |" in text
    assert "| patients | 0.8750 ± 0.1061 | 0.8000 ± 0.1414 | 0.0450 ± 0.0212 |" in text
    assert "Stones, 3 slices." in text
    assert "| 0.8000 | 0.8000 ± 0.0000 | 3 | 2 | 0.667 | 0.333 |" in text


def test_stones_are_counted_as_bodies():
    reference, found = np.zeros((20, 20), bool), np.zeros((20, 20), bool)
    reference[2:4, 2:4] = reference[10, 10] = reference[11, 11] = True
    found[3:5, 2:4] = found[15:17, 15:17] = True
    assert count_stones(found, reference) == StoneCounts(both=2, found=8, reference=6, stones=2, hit=1, false=1)
    nothing = np.zeros((20, 20), bool)
    assert count_stones(nothing, nothing) == StoneCounts(0, 0, 0, 0, 0, 0)


# --- commands ---


def test_from_training_to_a_measured_picture(tmp_path):
    from typer.testing import CliRunner

    from KidneySegLib.commands.app import app

    def call(*arguments: object) -> str:
        result = CliRunner().invoke(app, list(map(str, arguments)), catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.output

    for name in ("train", "validation"):
        write_folder(tmp_path / name, patients=3)
    recipe_of(tmp_path)
    recipe, run, bundle = tmp_path / "recipe.toml", tmp_path / "run", tmp_path / "slices"
    output = call("train", recipe, "--data", tmp_path, "-o", run, "--device", "cpu", "--threads", "1")
    assert "Epoch 3 of 3" in output
    call("export", f"{recipe}={run}", "-o", bundle, "--version", "1", "--licence", "CC0", "--task", "ct-slice")

    picture = tmp_path / "validation" / "images" / "1.png"
    options = ("--task", "ct-slice", "--model", bundle, "--device", "cpu")
    output = call("segment", picture, "-o", tmp_path / "out", *options, "--pixel-mm", "2", "--progress", "none")
    assert "Right kidney: length" in output and " ml" not in output
    findings = json.loads((tmp_path / "out" / "findings.json").read_text())
    assert [kidney["side"] for kidney in findings["kidneys"]] == ["right", "left"]
    assert findings["kidneys"][0]["length_mm"] == pytest.approx(52, abs=6)
    assert findings["provenance"]["settings"]["window_given"] is False

    window = ("--window", "-160", "240")
    call("segment", picture, "-o", tmp_path / "own", *options, "--pixel-mm", "2", *window, "--progress", "none")
    again = json.loads((tmp_path / "own" / "findings.json").read_text())
    assert again["provenance"]["settings"]["window_hu"] == [-160.0, 240.0]
    assert "scale_from_kidneys" not in {flag["code"] for flag in again["flags"]}
    # grey 128 is 41 HU in that window; without one the kidneys are given 35 HU
    assert [round(f["kidneys"][1]["hu_p50"]) for f in (findings, again)] == [35, 41]

    table = call("evaluate", tmp_path / "validation", "-o", tmp_path / "evaluation", *options)
    assert "Kidneys, 6 slices of 3 patients" in table and "Stones, 7 slices" in table
    with (tmp_path / "evaluation" / "slices.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 7 and min(float(row["dice"]) for row in rows[:6]) > 0.8 and rows[6]["dice"] == ""
    assert (tmp_path / "evaluation" / "comparison.png").is_file()
    assert (tmp_path / "evaluation" / "slices.md").read_text() in table

    folds = ("--folds", "2", "--slices-per-epoch", "4", "--device", "cpu")
    table = call("crossval", recipe, "--data", tmp_path, "-o", tmp_path / "folds", *folds)
    assert "2-fold cross-validation, 6 slices of 3 patients. Split by patient" in table
    files = ("crossval.md", "slices.csv", "curves.png", "boxes.png", "comparison.png")
    assert all((tmp_path / "folds" / name).is_file() for name in files)


def test_options_that_do_not_belong_together_are_told(tmp_path):
    from KidneySegLib.commands.crossval import crossval
    from KidneySegLib.commands.segment import segment

    with pytest.raises(InputError, match="--task ct-slice"):
        segment(tmp_path, tmp_path / "out", pixel_mm=0.8)
    with pytest.raises(InputError, match="one slice"):
        segment(tmp_path, tmp_path / "out", task="ct-slice", series="1.2.3")
    with pytest.raises(InputError, match="for volumes"):
        crossval("ct-kidney", tmp_path, tmp_path / "out")
