"""Trained stages become a bundle: ensembles, and whose rules judge them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from training_cases import RECIPE
from typer.testing import CliRunner

from KidneySegLib.bundles.bundle import Bundle, read_bundle
from KidneySegLib.bundles.catalogue import find_bundle
from KidneySegLib.bundles.plan import Ensemble
from KidneySegLib.bundles.rules import CtRules
from KidneySegLib.commands.app import app
from KidneySegLib.errors import InputError
from KidneySegLib.inference.device import choose_device
from KidneySegLib.networks.factory import build_network
from KidneySegLib.segmentation.load import load_predictors
from KidneySegLib.training.recipe import read_recipe


def trained(folder: Path, stage: str, run: int = 0, more: str = "") -> str:
    """Stands for a run that has ended."""
    recipe = folder / f"{stage}.toml"
    recipe.write_text(RECIPE.replace('name = "kidney"', f'name = "{stage}"\n{more}'))
    place = folder / f"{stage}-{run}"
    place.mkdir()
    torch.manual_seed(run)
    torch.save(build_network(read_recipe(recipe).stage.network).state_dict(), place / "best.pt")
    return f"{recipe}={place}"


def export(folder: Path, *arguments: object) -> Bundle:
    bundle = folder / "bundle"
    called = ["export", *map(str, arguments), "-o", str(bundle), "--version", "1", "--licence", "CC0"]
    result = CliRunner().invoke(app, called, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return read_bundle(bundle)


def test_several_runs_of_a_stage_become_an_ensemble(tmp_path: Path) -> None:
    runs = [trained(tmp_path, "kidney", run, 'ensemble = { members = 3, fusion = "median" }') for run in range(3)]
    bundle = export(tmp_path, trained(tmp_path, "locator"), *runs)
    assert [stage.ensemble for stage in bundle.stages] == [None, Ensemble(3, "median")]
    assert read_recipe(bundle.folder / "recipe-kidney.toml").stage == bundle.stage("kidney"), "the plan stays readable"
    predictors = load_predictors(bundle, choose_device("cpu"), ["locator", "kidney"])
    first = [next(network.parameters()) for network in predictors["kidney"].members]
    assert len(first) == 3 and not torch.equal(first[0], first[1]) and not torch.equal(first[1], first[2])
    image = torch.randn(16, 16, 16) * 100
    kidney = predictors["kidney"]
    single = [replace(kidney, members=(network,)).probabilities(image) for network in kidney.members]
    together = kidney.probabilities(image)
    assert torch.allclose(together, torch.stack(single).median(dim=0).values, atol=1e-6)


def test_a_bundle_gets_the_rules_of_the_shipped_one_for_its_own_stages(tmp_path: Path) -> None:
    shipped = find_bundle(None, "ct").rules
    bundle = export(tmp_path, trained(tmp_path, "locator"), trained(tmp_path, "kidney"))
    assert isinstance(shipped, CtRules) and isinstance(bundle.rules, CtRules)
    assert bundle.rules.kidney == shipped.kidney and bundle.rules.lesion is None


def test_rules_that_no_bundle_has_are_given_in_a_file(tmp_path: Path) -> None:
    runs = [trained(tmp_path, stage) for stage in ("locator", "kidney", "renal")]
    with pytest.raises(InputError, match=r"rules\.renal: it is missing.*--rules FILE"):
        export(tmp_path, *runs)
    rules = tmp_path / "rules.toml"
    rules.write_text(
        "[renal]\nsmallest_lesion_mm = 5.0\nleast_lesion_confidence = 0.4\n"
        "other_kind_share = 0.2\nlikely_lesion = 0.3\n"
    )
    bundle = export(tmp_path, *runs, "--rules", rules)
    assert isinstance(bundle.rules, CtRules) and bundle.rules.renal is not None
    assert bundle.rules.renal.least_lesion_confidence == 0.4
    with pytest.raises(InputError, match=r"rules\.renal: nothing reads this field"):
        export(tmp_path, *runs[:2], "--rules", rules)


def test_a_bundle_is_for_the_task_of_its_recipes(tmp_path: Path) -> None:
    run = trained(tmp_path, "ultrasound")
    recipe = tmp_path / "ultrasound.toml"
    recipe.write_text(recipe.read_text().replace('task = "ct"', 'task = "ultrasound"'))
    bundle = export(tmp_path, run)
    assert (bundle.task, bundle.title) == ("ultrasound", find_bundle(None, "ultrasound").title)
    with pytest.raises(InputError, match=r"different tasks \(ct, ultrasound\)"):
        export(tmp_path, run, trained(tmp_path, "kidney"))
