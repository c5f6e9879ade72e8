"""A network that begins with another one's weights says at first what that one said."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from KidneySegLib.bundles.bundle import Bundle, write_bundle
from KidneySegLib.bundles.network import NetworkPlan
from KidneySegLib.bundles.plan import StagePlan
from KidneySegLib.bundles.rules import FrameRules, rules_of
from KidneySegLib.errors import BundleError
from KidneySegLib.inference.window_channels import window_channels
from KidneySegLib.networks.factory import build_network, load_parameters, parameters
from KidneySegLib.training.fitting.learner import Learner
from KidneySegLib.training.fitting.warm_start import carried_over
from KidneySegLib.training.recipe import find_recipe, read_recipe

OLD = NetworkPlan("unet3d", (4, 8, 8), ("kidney",))
NEW = NetworkPlan("unet3d", (4, 8, 8), ("background", "kidney", "mass", "cyst"), ("image", "soft"), exclusive=True)


def test_new_inputs_begin_silent_and_new_outputs_improbable() -> None:
    torch.manual_seed(3)
    old, new = build_network(OLD).eval(), build_network(NEW).eval()
    load_parameters(new, carried_over(parameters(old), new, NEW))
    image = torch.randn(1, 2, 16, 16, 16)
    with torch.inference_mode():
        before, after = old(image[:, :1])[0, 0], new(image)[0]
        other = new(torch.cat((image[:, :1], torch.randn(1, 1, 16, 16, 16)), dim=1))[0]
    torch.testing.assert_close(after[1], before)
    torch.testing.assert_close(after, other)
    assert not after[0].any()
    assert (after[2:] < after[1]).all()


def test_the_same_network_carries_everything_over() -> None:
    old, new = build_network(OLD), build_network(OLD)
    load_parameters(new, carried_over(parameters(old), new, OLD))
    assert all(torch.equal(value, parameters(new)[name]) for name, value in parameters(old).items())


def test_each_input_is_the_scan_through_its_own_window() -> None:
    stage = StagePlan("renal", NEW, (2.0,) * 3, (-160.0, 340.0), (32, 32, 32))
    hu = torch.tensor([-1000.0, -40.0, 60.0, 160.0, 1000.0]).view(1, 1, 5)
    image, soft = window_channels(hu, stage)
    torch.testing.assert_close(image.flatten(), torch.tensor([-1.0, -0.52, -0.12, 0.28, 1.0]))
    torch.testing.assert_close(soft.flatten(), torch.tensor([-1.0, -1.0, 0.0, 1.0, 1.0]))


def stage_with(*inputs: str) -> StagePlan:
    plan = NetworkPlan("unet2d", (4, 8), ("disc",), inputs)
    return StagePlan("disc", plan, (1.0,) * 3, (0.0, 200.0), (1, 8, 8), whole=True)


def test_z_scores_do_not_depend_on_gain_and_offset_nor_on_what_lies_outside() -> None:
    grey = torch.rand(1, 8, 8) * 40
    (score,) = window_channels(grey, stage_with("zscore"))
    assert float(score.mean()) == pytest.approx(0, abs=1e-5) and float(score.std()) == pytest.approx(1, abs=1e-5)
    torch.testing.assert_close(window_channels(grey * 3 + 20, stage_with("zscore"))[0], score, atol=1e-4, rtol=1e-4)
    padded = torch.nn.functional.pad(grey, (2, 2, 2, 2), value=-1024)
    (wide,) = window_channels(padded, stage_with("zscore"))
    torch.testing.assert_close(wide[:, 2:-2, 2:-2], score)
    assert not wide[:, :2].any()
    assert not window_channels(torch.full((1, 8, 8), 7.0), stage_with("zscore")).any()


def test_an_unknown_input_is_told() -> None:
    with pytest.raises(BundleError, match="'colour'"):
        window_channels(torch.zeros(1, 8, 8), stage_with("image", "colour"))


def test_a_run_begins_with_the_first_member_of_an_ensemble(tmp_path: Path) -> None:
    recipe = read_recipe(find_recipe("ultrasound"))
    plan = recipe.stage.network
    members = [parameters(build_network(plan)) for _ in range(2)]
    stage, values = recipe.stage.with_members(members)
    rules = rules_of("ultrasound")(ultrasound=FrameRules(0, 0, 0, 0))
    two = Bundle(tmp_path / "two", "two", "1", "Two", "ultrasound", "CC0", (stage,), rules, sha256="")
    written = write_bundle(two, {stage.name: values}, exact=True)
    learner = Learner(recipe, tmp_path / "run", torch.device("cpu"), (written, stage.name))
    assert all(torch.equal(value, parameters(learner.network)[name]) for name, value in members[0].items())
