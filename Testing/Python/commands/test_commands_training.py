"""From recipes to a table of Dice: train, export, models, evaluate."""

import csv
import json

import pytest
from training_cases import RECIPE, write_exams
from typer.testing import CliRunner

from KidneySegLib.bundles.bundle import read_bundle
from KidneySegLib.commands.app import app
from KidneySegLib.errors import InputError


def call(*arguments: object) -> str:
    result = CliRunner().invoke(app, list(map(str, arguments)), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_two_stages_are_trained_exported_and_evaluated(tmp_path):
    write_exams(tmp_path)
    runs = []
    for name in ("locator", "kidney"):
        recipe = tmp_path / f"{name}.toml"
        recipe.write_text(
            RECIPE.replace('name = "kidney"', f'name = "{name}"').replace(
                "steps_per_epoch = 20", "steps_per_epoch = 40"
            )
        )
        run = tmp_path / name
        assert "Epoch 2 of 2" in call("train", recipe, "--data", tmp_path, "-o", run, "--device", "cpu")
        runs.append(f"{recipe}={run}")
    bundle = tmp_path / "bundle"
    call("export", *runs, "-o", bundle, "--version", "1", "--licence", "CC0", "--last")
    assert [stage.name for stage in read_bundle(bundle).stages] == ["locator", "kidney"]
    # the made kidneys hold 8 ml each, so the least sizes must be lower than for people
    data = json.loads((bundle / "bundle.json").read_text())
    data["rules"]["kidney"] |= {"smallest_candidate_ml": 2.0, "smallest_kidney_ml": 2.0, "least_confidence": 0.5}
    (bundle / "bundle.json").write_text(json.dumps(data))
    output = tmp_path / "evaluation"
    table = call("evaluate", tmp_path / "validation", "-o", output, "--model", bundle, "--device", "cpu")
    assert "| two | right |" in table and "| two | left |" in table
    with (output / "evaluation.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["side"] for row in rows] == ["right", "left"]
    assert all(float(row["dice"]) > 0.5 for row in rows)
    assert (output / "two" / "overview.png").is_file()


def test_export_says_what_is_missing(tmp_path):
    with pytest.raises(InputError, match=r"best\.pt"):
        call("export", f"ct-kidney={tmp_path}", "-o", tmp_path / "b", "--version", "1", "--licence", "CC0")
