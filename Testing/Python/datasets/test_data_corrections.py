"""Corrected cases are gathered, checked and trained on; a worse model is refused; the next exam to label is named."""

import json

import numpy as np
import pytest
import SimpleITK as sitk
from evaluation_cases import GRID, SHAPE, made_labels, save, write_exam
from training_cases import RECIPE, write_exams
from typer.testing import CliRunner

from KidneySegLib.commands.app import app
from KidneySegLib.datasets.corrections import corrected_cases, gather
from KidneySegLib.datasets.exams import read_exam
from KidneySegLib.errors import BundleError, InputError
from KidneySegLib.training.recipe import read_recipe
from KidneySegLib.volume import Volume

# as another program might number them
OTHER = {"kidney_right": 11, "kidney_left": 12, "mass": 13, "cyst": 14, "stone": 15}


def case(folder, numbers=OTHER, value=30):
    """A case whose numbers are not ours, stored from head to feet."""
    ours = made_labels()
    labels = np.zeros_like(ours)
    for label, number in zip((1, 2, 3, 4, 5), numbers.values(), strict=True):
        labels[ours == label] = number
    write_exam(folder, labels, value)
    (folder / "labels.json").write_text(json.dumps({"labels": numbers}))
    return folder


def call(*arguments):
    return CliRunner().invoke(app, list(map(str, arguments)), catch_exceptions=False)


def test_cases_are_gathered_by_the_names_of_their_labels(tmp_path):
    case(tmp_path / "exports" / "a"), case(tmp_path / "exports" / "b", value=31)
    output = call("data", "from-corrections", tmp_path / "exports", "--data", tmp_path / "data").output
    assert "2 corrected cases" in output
    names = corrected_cases(tmp_path / "data")
    assert len(names) == 2 and all(name in output for name in names)
    image, labels = read_exam(tmp_path / "data" / names[0])
    expected = Volume(made_labels(), GRID).canonical()
    assert np.array_equal(labels.voxels, expected.voxels)
    assert np.allclose(image.ijk_to_lps, expected.ijk_to_lps)
    # gathered again, nothing doubles
    gather([tmp_path / "exports"], tmp_path / "data")
    assert corrected_cases(tmp_path / "data") == names


def test_faulty_cases_are_named_and_nothing_is_copied(tmp_path):
    def refuse(word, **options):
        with pytest.raises(InputError, match=word):
            gather([tmp_path / "x"], tmp_path / "data", **options)
        assert not (tmp_path / "data").exists()

    folder = case(tmp_path / "x" / "one")
    refuse("kept apart", kept_apart=[folder])
    (folder / "labels.json").write_text(json.dumps({"labels": {"liver": 1}}))
    refuse(r"'one' has no usable labels\.json")
    (folder / "labels.json").write_text(json.dumps({"labels": {"kidney_right": 11}}))
    refuse("'one' has the label 12")
    (folder / "labels.json").write_text(json.dumps({"labels": OTHER}))
    save(folder / "mask.nii.gz", np.zeros(SHAPE, np.uint8))
    refuse("'one' has no label at all")
    moved = GRID.copy()
    moved[0, 3] = 9
    save(folder / "mask.nii.gz", made_labels(), moved)
    refuse("not on the same grid")
    (folder / "mask.nii.gz").unlink()
    refuse(r"no mask\.nii\.gz")
    with pytest.raises(InputError, match="holds no case"):
        gather([tmp_path], tmp_path / "data")
    with pytest.raises(InputError, match="no corrected cases"):
        corrected_cases(tmp_path)


def test_one_image_with_two_outlines_is_refused(tmp_path):
    case(tmp_path / "a")
    other = case(tmp_path / "b")
    labels = sitk.GetArrayFromImage(sitk.ReadImage(str(other / "mask.nii.gz")))
    labels[0, 0, 0] = 11
    save(other / "mask.nii.gz", labels)
    with pytest.raises(InputError, match="same image but other labels"):
        gather([tmp_path / "a", other], tmp_path / "data")


def test_a_recipe_takes_corrected_cases_besides_its_own(tmp_path):
    write_exams(tmp_path)
    (tmp_path / "recipe.toml").write_text(RECIPE)
    recipe = read_recipe(tmp_path / "recipe.toml").changed(more=["corrections/case_1"])
    assert recipe.data.train == ("train/one", "corrections/case_1")
    with pytest.raises(InputError, match="no corrected cases"):
        call("train", tmp_path / "recipe.toml", "--data", tmp_path, "-o", tmp_path / "run", "--corrections")


def test_a_model_that_is_worse_is_refused(tmp_path):
    write_exam(tmp_path / "data" / "one", made_labels())
    (tmp_path / "found").mkdir()

    def evaluate(labels, *options):
        save(tmp_path / "found" / "one.nii.gz", labels)
        arguments = ("evaluate", tmp_path / "data", "-o", tmp_path / "out", "--found", tmp_path / "found")
        return call(*arguments, *options)

    old = tmp_path / "old"
    assert evaluate(made_labels(), "--page").exit_code == 0
    (tmp_path / "out").rename(old)
    assert "not worse" in evaluate(made_labels(), "--guard", old).output
    # a mass where there is none counts, although the reference has no mass to compare
    false = made_labels()
    false[3:6, 25:28, 42:46] = 3
    with pytest.raises(BundleError, match=r"worse than the one in use: mass 0\.000 instead of 1\.000"):
        evaluate(false, "--guard", old)
    write_exam(tmp_path / "data" / "two", made_labels())
    (tmp_path / "data" / "one" / "image.nii.gz").unlink()
    save(tmp_path / "found" / "two.nii.gz", made_labels())
    with pytest.raises(InputError, match="not among these"):
        evaluate(made_labels(), "--guard", old)


def test_the_least_sure_result_comes_next(tmp_path):
    for name, confidence in (("sure", 0.95), ("unsure", 0.6)):
        write_exam(tmp_path / name, made_labels())
        image, mask = tmp_path / name / "image.nii.gz", tmp_path / name / "mask.nii.gz"
        assert call("measure", image, mask, "-o", tmp_path / f"{name}-result").exit_code == 0
        findings = tmp_path / f"{name}-result" / "findings.json"
        data = json.loads(findings.read_text())
        data["flags"] = []
        for one in data["lesions"]:
            one["confidence"] = confidence
        findings.write_text(json.dumps(data))
    output = call("data", "next", tmp_path / "sure-result", tmp_path / "unsure-result").output
    assert f"Next: {tmp_path / 'unsure-result'}" in output
    assert "unsure-result | 0.400 |" in output and "/sure-result | 0.050 |" in output
    with pytest.raises(InputError, match="does not exist"):
        call("data", "next", tmp_path / "nowhere")
