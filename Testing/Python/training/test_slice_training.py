"""Slices for training, the numbers of the tables, and the way from training to a measured picture."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
import SimpleITK as sitk
from PIL import Image
from slice_cases import RECIPE, made_slice, write_folder

from KidneySegLib.datasets.slices import load_slices
from KidneySegLib.errors import InputError
from KidneySegLib.evaluation.evaluate import CaseResult
from KidneySegLib.evaluation.metrics import Overlap, TouchedStones, touched_stones
from KidneySegLib.evaluation.overlap_tables import overlap_pages

# --- slices ---


def test_drawn_slices_of_a_folder_are_read_near_the_working_grid(tmp_path):
    write_folder(tmp_path / "train", patients=2)
    slices = load_slices(tmp_path / "train", 4.0, distance_mm=3, pixel_mm=9.0, window=(-160, 240))
    assert [item.name for item in slices] == ["p0 0", "p0 1", "p1 2", "p1 3"]
    assert [item.patient for item in slices] == ["p0", "p0", "p1", "p1"]
    first = slices[0]
    # 2 mm pixels of the list, not the recipe's 9 mm; stored at three quarters of 4 mm
    assert first.hu.shape == (1, 85, 85) and first.spacing == pytest.approx((1.0, 256 / 85, 256 / 85))
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
    assert {item.spacing for item in slices} == {(1.0, 2.0, 2.0)}


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


# --- numbers ---


def test_the_evaluation_s_tables():
    results = [
        CaseResult("1", "a", Overlap(0.9, 0.8, 0.02), TouchedStones(8, 10, 10, 2, 1, 1), None, None, 0.0),
        CaseResult("2", "a", Overlap(1.0, 1.0, 0.04), TouchedStones(0, 0, 0, 0, 0, 0), None, None, 0.0),
        CaseResult("3", "b", Overlap(0.8, 0.7, 0.06), None, None, None, 0.0),
        CaseResult("4", "b", None, TouchedStones(4, 4, 6, 1, 1, 0), None, None, 0.0),
    ]
    text = "".join(table.markdown() for table in overlap_pages(results))
    assert "3 of 2 patients, mean ± sd" in text
    assert "| cases | 0.9000 ± 0.1000 | 0.8333 ± 0.1528 | 0.0400 ± 0.0200 |" in text
    assert "| patients | 0.8750 ± 0.1061 | 0.8000 ± 0.1414 | 0.0450 ± 0.0212 |" in text
    assert "3 slices. A stone" in text
    assert "| 0.8000 | 0.8000 ± 0.0000 | 3 | 2 | 0.667 | 0.333 |" in text


def test_stones_are_counted_as_bodies():
    reference, found = np.zeros((1, 20, 20), bool), np.zeros((1, 20, 20), bool)
    reference[0, 2:4, 2:4] = reference[0, 10, 10] = reference[0, 11, 11] = True
    found[0, 3:5, 2:4] = found[0, 15:17, 15:17] = True
    assert touched_stones(found, reference) == TouchedStones(both=2, found=8, reference=6, stones=2, hit=1, false=1)
    nothing = found & False
    assert touched_stones(nothing, nothing) == TouchedStones(0, 0, 0, 0, 0, 0)
    assert touched_stones(found, nothing) == TouchedStones(0, 8, 0, 0, 0, 2)


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
    (tmp_path / "recipe.toml").write_text(RECIPE)
    recipe, run, bundle = tmp_path / "recipe.toml", tmp_path / "run", tmp_path / "slices"
    output = call("train", recipe, "--data", tmp_path, "-o", run, "--device", "cpu", "--threads", "1")
    assert "Epoch 3 of 3" in output
    call("export", f"{recipe}={run}", "-o", bundle, "--version", "1", "--licence", "CC0")

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
    assert "6 of 3 patients, mean ± sd" in table and "7 slices. A stone" in table
    with (tmp_path / "evaluation" / "overlap_by_case.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 7 and min(float(row["dice"]) for row in rows[:6]) > 0.8 and rows[6]["dice"] == ""
    assert (tmp_path / "evaluation" / "comparison.png").is_file()
    assert table.endswith((tmp_path / "evaluation" / "evaluation.md").read_text())
    assert (tmp_path / "evaluation" / "validation-1" / "findings.json").is_file()


def test_options_that_do_not_belong_together_are_told(tmp_path):
    from KidneySegLib.commands.segment import segment

    with pytest.raises(InputError, match="--task ct-slice"):
        segment(tmp_path, tmp_path / "out", pixel_mm=0.8)
    with pytest.raises(InputError, match="one slice"):
        segment(tmp_path, tmp_path / "out", task="ct-slice", series="1.2.3")
