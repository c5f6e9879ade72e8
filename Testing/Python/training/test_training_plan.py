"""Plans after nnU-Net's rules: known plans come out, memory is kept, and the recipe that is written can be trained."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from training_cases import write_exams
from typer.testing import CliRunner

from KidneySegLib.commands.app import app
from KidneySegLib.errors import InputError
from KidneySegLib.networks.factory import build_network
from KidneySegLib.training.planning.fingerprint import Fingerprint, fingerprint
from KidneySegLib.training.planning.levels import feature_voxels, levels_for
from KidneySegLib.training.planning.plan import planned, recipe_with
from KidneySegLib.training.planning.recipe_file import write_recipe
from KidneySegLib.training.recipe import find_recipe, read_recipe

P2 = "p2-nnunet3d-kidney-mass-cyst"


def alike(count: int, spacing: tuple[float, float, float], shape: tuple[int, int, int]) -> Fingerprint:
    return Fingerprint((spacing,) * count, (shape,) * count, -60.0, 300.0, 100.0, 75.0)


def test_the_plan_of_the_hippocampus_task_is_nnunet_s() -> None:
    """Task 4 of the Medical Decathlon: nnU-Net publishes patch 40 x 56 x 40, batch 9 and three times halved axes."""
    plan = planned(alike(260, (1.0, 1.0, 1.0), (36, 50, 35)), 3, 8.0)
    assert plan.patch == (40, 56, 40) and plan.batch == 9
    assert plan.topology.strides == ((1, 1, 1), *[(2, 2, 2)] * 3)
    assert plan.topology.encoder == (2, 2, 2, 2) and plan.topology.decoder == (2, 2, 2)
    assert plan.each_patch


def test_abdomens_get_nnunet_s_patch_of_eight_gigabytes() -> None:
    """nnU-Net's own planner gives this for 300 exams of this spacing and size."""
    plan = planned(alike(300, (1.0, 0.78125, 0.78125), (400, 512, 512)), 4, 8.0)
    assert plan.patch == (112, 160, 128) and plan.batch == 2
    assert len(plan.topology.strides) == 6 and not plan.each_patch
    assert feature_voxels(plan.topology, plan.patch, 4, residual=False) <= 560e6


def test_thick_slices_are_not_halved_or_convolved_over_at_first() -> None:
    plan = planned(alike(50, (5.0, 0.7, 0.7), (40, 512, 512)), 4, 8.0)
    assert plan.topology.strides[1] == plan.topology.strides[2] == (1, 2, 2)
    assert plan.topology.kernels[0] == (1, 3, 3) and plan.topology.kernels[-1] == (3, 3, 3)
    mixed = Fingerprint(
        ((5.0, 0.7, 0.7),) * 8 + ((2.0, 0.7, 0.7),) * 2, ((40, 512, 512),) * 10, -60.0, 300.0, 100.0, 75.0
    )
    assert planned(mixed, 4, 8.0).spacing[0] < 5.0, "of few thick slices the finer exams decide"


def test_the_coarse_plan_covers_a_quarter_of_an_exam() -> None:
    """nnU-Net's steps of 3 %, the finer axes first until none is finer than half the coarsest."""
    thick = alike(100, (5.0, 0.7, 0.7), (60, 512, 512))
    plan = planned(thick, 4, 2.0, coarse=True)
    assert math.prod(plan.patch) >= 0.25 * math.prod(plan.shape) and plan.each_patch
    assert math.prod(planned(thick, 4, 2.0).patch) < 0.25 * 60 * 512 * 512
    steps = [math.log(now / own) / math.log(1.03) for now, own in zip(plan.spacing, (5.0, 0.7, 0.7), strict=True)]
    assert steps == pytest.approx([round(step) for step in steps], abs=1e-3) and steps[1] == steps[2] > steps[0] >= 0
    assert plan.spacing[0] == 5.0 or plan.spacing[0] <= 2 * plan.spacing[1]


def test_small_exams_get_no_coarse_plan() -> None:
    with pytest.raises(InputError, match="full resolution"):
        planned(alike(260, (1.0, 1.0, 1.0), (36, 50, 35)), 3, 8.0, coarse=True)


@pytest.mark.parametrize("residual", [False, True])
@pytest.mark.parametrize("memory", [1.0, 4.0, 8.0, 24.0, 40.0])
def test_memory_is_kept_and_patches_can_be_divided(memory: float, residual: bool) -> None:
    plan = planned(alike(100, (1.5, 0.8, 0.8), (250, 480, 480)), 4, memory, residual=residual)
    values = feature_voxels(plan.topology, plan.patch, 4, residual=residual)
    assert values <= memory * 90e6
    for length, strides in zip(plan.patch, zip(*plan.topology.strides, strict=True), strict=True):
        assert length % math.prod(strides) == 0 and length // math.prod(strides) >= 4


def test_more_memory_never_gives_a_smaller_patch() -> None:
    patches = [planned(alike(100, (1.5, 0.8, 0.8), (250, 480, 480)), 4, gb).patch for gb in (1, 2, 4, 8, 16, 32)]
    assert [math.prod(patch) for patch in patches] == sorted(math.prod(patch) for patch in patches)


def test_too_little_memory_is_told() -> None:
    with pytest.raises(InputError, match="--memory"):
        planned(alike(10, (1.0, 1.0, 1.0), (200, 200, 200)), 4, 1e-6)


@pytest.mark.parametrize("residual", [False, True])
def test_values_of_feature_maps_are_counted_as_nnunet_does(residual: bool) -> None:
    unet = pytest.importorskip(
        "dynamic_network_architectures.architectures.unet", reason="nnU-Net's networks are not installed"
    )
    from torch import nn

    topology, patch = levels_for((40, 60, 64), (2.5, 1.0, 1.0), residual=residual)
    filters = [min(320, 32 * 2**level) for level in range(len(topology.strides))]
    kind = unet.ResidualEncoderUNet if residual else unet.PlainConvUNet
    theirs = kind(
        1,
        len(filters),
        filters,
        nn.Conv3d,
        topology.kernels,
        topology.strides,
        topology.encoder,
        4,
        topology.decoder,
        conv_bias=True,
        norm_op=nn.InstanceNorm3d,
        norm_op_kwargs={},
        nonlin=nn.LeakyReLU,
    )
    assert feature_voxels(topology, patch, 4, residual=residual) == theirs.compute_conv_feature_map_size(patch)


def test_a_written_recipe_says_the_same(tmp_path: Path) -> None:
    base = read_recipe(find_recipe(P2))
    found = alike(20, (2.0, 1.0, 1.0), (60, 160, 160))
    for residual in (False, True):
        recipe = recipe_with(base, planned(found, 4, 0.5, residual=residual), found, residual=residual)
        write_recipe(recipe, tmp_path / "own.toml", "Planned.\nBy a test.")
        again = read_recipe(tmp_path / "own.toml")
        assert again == recipe
        assert again.stage.window == (-60.0, 300.0) and again.stage.normalise is not None
        assert (again.stage.normalise.zero_hu, again.stage.normalise.unit_hu) == (100.0, 75.0)
        build_network(again.stage.network)
    assert (tmp_path / "own.toml").read_text().startswith("# Planned.\n# By a test.\n")


@pytest.mark.parametrize("name", ["ct-lesion", "ct-slice-diseased", "p4-monai-both"])
def test_every_shipped_recipe_can_be_written_and_read(tmp_path: Path, name: str) -> None:
    recipe = read_recipe(find_recipe(name))
    write_recipe(recipe, tmp_path / "copy.toml", "")
    assert read_recipe(tmp_path / "copy.toml") == recipe


def test_the_command_plans_from_exams(tmp_path: Path) -> None:
    write_exams(tmp_path)
    found = fingerprint([tmp_path / "train/one"])
    assert found.spacings == ((4.0, 3.0, 3.0),) and found.shapes == ((16, 40, 60),)
    assert found.mean == pytest.approx(35, abs=1) and found.lowest == pytest.approx(35, abs=1)
    arguments = ["plan", P2, "--data", str(tmp_path), "--exams", "train/*", "-o", str(tmp_path / "own.toml")]
    result = CliRunner().invoke(app, [*arguments, "--memory", "0.5", "--encoder", "residual"], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    recipe = read_recipe(tmp_path / "own.toml")
    assert recipe.stage.network.architecture == "nnunet-residual3d" and recipe.stage.spacing == (4.0, 3.0, 3.0)
    assert recipe.data.train == ("train/*",) and recipe.optimiser.kind == "sgd"
    with pytest.raises(InputError, match="volumes"):
        CliRunner().invoke(app, ["plan", "ct-slice", *arguments[2:]], catch_exceptions=False)
