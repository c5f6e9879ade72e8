"""Folds, the table over them, and the command for volumes and slices."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from slice_cases import RECIPE as SLICE_RECIPE
from slice_cases import write_folder
from training_cases import RECIPE, write_exams
from typer.testing import CliRunner

from KidneySegLib.bundles.bundle import read_bundle
from KidneySegLib.commands.app import app
from KidneySegLib.datasets.folds import Split, make_folds
from KidneySegLib.datasets.labelled_exam import LabelledExam
from KidneySegLib.errors import InputError
from KidneySegLib.evaluation.metrics import Overlap, dice
from KidneySegLib.training.cross_validation import Fold, fold_table
from KidneySegLib.training.fitting.validation import Score
from KidneySegLib.training.recipe import Folds


def slices_of(patients: dict[str, int]) -> list[LabelledExam]:
    empty = np.zeros((1, 4, 4), np.uint8)
    return [
        LabelledExam(f"{patient} {n}", patient, (1.0, 1.0, 1.0), empty.astype(np.int16), *[empty] * 5)
        for patient, count in patients.items()
        for n in range(count)
    ]


def test_no_patient_is_on_both_sides_and_every_exam_is_validated_once():
    slices = slices_of({"a": 7, "b": 5, "c": 4, "d": 4, "e": 3, "f": 2, "g": 1})
    folds = make_folds(slices, 3, Split.PATIENT)
    assert sorted(n for fold in folds for n in fold) == list(range(len(slices)))
    held_out = [{slices[n].patient for n in fold} for fold in folds]
    assert not (held_out[0] & held_out[1] or held_out[0] & held_out[2] or held_out[1] & held_out[2])
    assert sorted(map(len, folds)) == [8, 9, 9]
    assert folds == make_folds(slices, 3, Split.PATIENT)


def fold(*overlaps: Overlap) -> Fold:
    return Fold(tuple(Score(str(n), "a", one) for n, one in enumerate(overlaps)))


def test_a_random_split_leaks_and_says_so():
    slices = slices_of({"a": 10, "b": 10})
    folds = make_folds(slices, 5, Split.RANDOM)
    assert sorted(n for fold in folds for n in fold) == list(range(20))
    assert any(len({slices[n].patient for n in fold}) == 2 for fold in folds)
    result = [fold(Overlap(0.9, 0.8, 0.1))]
    assert "LEAK" in fold_table(result, Folds(split=Split.RANDOM), slices).note
    assert "LEAK" not in fold_table(result, Folds(split=Split.PATIENT), slices).note


def test_too_few_patients_are_refused():
    with pytest.raises(InputError, match="only 2 patients"):
        make_folds(slices_of({"a": 10, "b": 10}), 5, Split.PATIENT)
    with pytest.raises(InputError, match="two folds"):
        make_folds(slices_of({"a": 10}), 1, Split.RANDOM)


def test_the_table_is_that_of_the_paper():
    folds = [fold(Overlap(0.9, 0.8, 0.02), Overlap(1.0, 1.0, 0.04)), fold(Overlap(0.85, 0.74, 0.05))]
    result = fold_table(folds, Folds(), slices_of({"a": 1, "b": 1, "c": 1}))
    text = result.lines()
    assert "2-fold cross-validation, 3 slices of 3 patients. Split by patient" in result.note
    assert "| 1 | 2 | 0.9500 | 0.9000 | 0.0300 |" in text
    assert "| mean ± sd | 3 | 0.9000 ± 0.0707 | 0.8200 ± 0.1131 | 0.0400 ± 0.0141 |" in text


FILES = (
    "crossvalidation.md",
    "crossvalidation.csv",
    "crossvalidation.tex",
    "exams.csv",
    "curves.png",
    "boxes.png",
    "comparison.png",
)


def crossvalidate(folder: Path, text: str, *options: str, output: str = "folds") -> str:
    (folder / "recipe.toml").write_text(text)
    arguments = ["crossvalidate", "recipe.toml", "--data", ".", "-o", output, "--device", "cpu", "--folds", "2"]
    arguments = [str(folder / a) if a in ("recipe.toml", ".", output) else a for a in arguments]
    result = CliRunner().invoke(app, [*arguments, *options], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def sizes(output: str) -> list[tuple[int, ...]]:
    """How many exams each fold learns from, and how many it scores."""
    lines = [line for line in output.splitlines() if "Fold" in line]
    return [tuple(map(int, re.findall(r"(\d+) (?:exams )?for", line))) for line in lines]


def test_slices_are_cross_validated(tmp_path):
    write_folder(tmp_path / "train", patients=3)
    output = crossvalidate(tmp_path, SLICE_RECIPE, "--steps-per-epoch", "1", "--epochs", "2")
    assert "2-fold cross-validation, 6 slices of 3 patients. Split by patient" in output
    assert all((tmp_path / "folds" / name).is_file() for name in FILES)
    with (tmp_path / "folds" / "exams.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert sorted(row["exam"] for row in rows) == ["p0 0", "p0 1", "p1 2", "p1 3", "p2 4", "p2 5"]
    # what each fold's network says of exams that it did not see gives the scores of the table
    kept, scores = {}, {row["exam"]: float(row["dice"]) for row in rows}
    for fold in ("fold-1", "fold-2"):
        with (tmp_path / "folds" / fold / "out-of-fold" / "regions.csv").open() as file:
            for row in csv.DictReader(file):
                with np.load(tmp_path / "folds" / fold / "out-of-fold" / f"{row['file']}.npz") as data:
                    size = int(np.prod(data["shape"]))
                    masks = (np.unpackbits(data[f"kidney_{n}"], count=size) > 0 for n in ("found", "reference"))
                    kept[row["region"]] = dice(*masks)
                    assert data["kidney_percent"].shape == tuple(data["shape"])
    assert kept == pytest.approx(scores, abs=1e-4)
    # the folds make an ensemble
    bundle = tmp_path / "bundle"
    arguments = ["export", f"{tmp_path / 'recipe.toml'}={tmp_path / 'folds'}", "-o", bundle, "--last"]
    arguments += ["--version", "1", "--licence", "CC0"]
    result = CliRunner().invoke(app, list(map(str, arguments)), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    assert read_bundle(bundle).stage("slice").ensemble.members == 2
    card = (bundle / "card.md").read_text()
    assert "those of the last step" in card and card.count("| slice, sha256") == 2 and "To be filled in" in card


def test_folds_learn_from_all_slices_of_other_patients_and_score_a_sample(tmp_path):
    write_exams(tmp_path)
    exams = ("--exams", "train/one", "--exams", "validation/two")
    text = SLICE_RECIPE.replace("validation_distance_mm = 3.0", "validation_distance_mm = 12.0")
    output = crossvalidate(tmp_path, text, *exams, "--steps-per-epoch", "1", "--epochs", "1")
    counts = sizes(output)
    assert len(counts) == 2 and all(learnt > 2 * scored > 0 for learnt, scored in counts)
    # at random, as a published protocol has it, what is not scored is learnt from
    options = ("--split", "random", "--steps-per-epoch", "1", "--epochs", "1")
    output = crossvalidate(tmp_path, text, *exams, *options, output="leaking")
    counts = sizes(output)
    assert len({sum(pair) for pair in counts}) == 1


def test_volumes_are_cross_validated_and_a_stopped_one_goes_on(tmp_path):
    write_exams(tmp_path)
    text = RECIPE.replace("steps_per_epoch = 20", "steps_per_epoch = 2").replace('["validation/two"]', "[]")
    exams = ("--exams", "train/one", "--exams", "validation/two")
    assert "have not ended" in crossvalidate(tmp_path, text, *exams, "--minutes", "0")
    output = crossvalidate(tmp_path, text, *exams)
    assert "2-fold cross-validation, 2 exams of 2 patients. Split by patient" in output
    assert all((tmp_path / "folds" / name).is_file() for name in FILES)
    with (tmp_path / "folds" / "exams.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert sorted(row["exam"] for row in rows) == ["one left", "one right", "two left", "two right"]


def test_a_network_for_lesions_gets_the_table_of_voxels_out_of_fold(tmp_path):
    write_exams(tmp_path)
    # half of the right kidney is a solid mass
    path = tmp_path / "train/one/mask.nii.gz"
    mask = sitk.GetArrayFromImage(sitk.ReadImage(str(path)))
    mask[:8][mask[:8] == 1] = 3
    changed = sitk.GetImageFromArray(mask)
    changed.SetSpacing((3.0, 3.0, 4.0))
    sitk.WriteImage(changed, str(path))
    text = RECIPE.replace('["train/one"]', '["train/one", "validation/two"]').replace('["validation/two"]', "[]")
    text = text.replace('outputs = ["kidney"]', 'outputs = ["background", "kidney", "mass"], exclusive = true')
    text = text.replace("boxes = true", "boxes = false")
    crossvalidate(tmp_path, text, "--steps-per-epoch", "4")
    with (tmp_path / "folds/classes.csv").open() as file:
        table = {row["class"]: row for row in csv.DictReader(file)}
    assert list(table) == ["kidney", "solid mass", "cyst", "mean"] and table["cyst"]["F1 %"] == ""
    counts = {"found": [0, 0], "reference": [0, 0], "both": [0, 0]}
    for kept in (tmp_path / "folds").glob("fold-*/out-of-fold/*.npz"):
        with np.load(kept) as data:
            size = int(np.prod(data["shape"]))
            organ, mass = (
                [np.unpackbits(data[f"{name}_{what}"], count=size) > 0 for what in ("found", "reference")]
                for name in ("kidney", "mass")
            )
        for n, pair in enumerate((tuple(o & ~m for o, m in zip(organ, mass, strict=True)), tuple(mass))):
            for what, voxels in zip(counts, (*pair, pair[0] & pair[1]), strict=True):
                counts[what][n] += int(voxels.sum())
    for n, name in enumerate(("kidney", "solid mass")):
        recall = 100 * counts["both"][n] / counts["reference"][n]
        assert float(table[name]["recall %"]) == pytest.approx(recall, abs=0.01)
