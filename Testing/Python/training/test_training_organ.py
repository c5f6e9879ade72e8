"""What the lesion network learns from: masks as networks draw them, channels relative to the kidney."""

import numpy as np
import pytest
import torch

from KidneySegLib.bundles.network import NetworkPlan
from KidneySegLib.bundles.plan import StagePlan
from KidneySegLib.inference.organ_channels import ORGAN_INPUTS, ParenchymaLevel, organ_channels, parenchyma_level
from KidneySegLib.training.fitting.learner import Learner
from KidneySegLib.training.recipe import Recipe
from KidneySegLib.training.synthesis.organ_masks import Masks, drawn_organ, outlined_kidney

PLAN = NetworkPlan("unet3d", (4, 8, 8), ("parenchyma", "mass", "cyst"), ORGAN_INPUTS, affine=True, exclusive=True)
STAGE = StagePlan("lesion", PLAN, (2.0, 2.0, 2.0), (-160.0, 340.0), (32, 32, 32))


def ball(radius: float, centre: tuple[float, float, float] = (20, 20, 20), size: int = 40) -> torch.Tensor:
    grid = np.indices((size,) * 3)
    return torch.from_numpy(sum((g - c) ** 2 for g, c in zip(grid, centre, strict=True)) <= radius**2)


def test_channels_are_relative_to_the_kidney_and_do_not_move_with_its_level():
    organ, lesion = ball(12), ball(4, (20, 20, 26))
    kidney = organ & ~lesion
    channels = []
    for level in (35.0, 120.0):
        hu = torch.full(organ.shape, -100.0)
        hu[kidney], hu[lesion] = level, level - 30
        channels.append(dict(zip(ORGAN_INPUTS, organ_channels(hu, organ, kidney, STAGE), strict=True)))
    for name in ("relative", "organ"):
        inside = organ
        assert torch.allclose(channels[0][name][inside], channels[1][name][inside])
    assert float(channels[0]["relative"][kidney].median()) == 0
    assert float(channels[0]["relative"][lesion].median()) == pytest.approx(-0.5)
    assert float(channels[1]["level"][0, 0, 0]) > float(channels[0]["level"][0, 0, 0])
    assert channels[0]["organ"][organ].eq(1).all() and channels[0]["organ"][~organ].eq(-1).all()


def test_a_cyst_that_fills_the_outline_is_seen_against_the_other_kidney():
    organ, cyst = ball(12), ball(10)
    hu = torch.full(organ.shape, -100.0)
    hu[organ], hu[cyst] = 30.0, 10.0

    def relative(other: ParenchymaLevel | None) -> float:
        channels = dict(zip(ORGAN_INPUTS, organ_channels(hu, organ, organ, STAGE, other), strict=True))
        return float(channels["relative"][cyst].median()) * 60

    assert relative(None) == 0  # alone it looks like parenchyma
    assert relative(ParenchymaLevel(30.0, 36.0)) == pytest.approx(-20)
    # a kidney that is much denser enhances in another way, and a less dense one has the cyst itself
    assert relative(ParenchymaLevel(90.0, 110.0)) == relative(ParenchymaLevel(5.0, 8.0)) == 0
    # unless this outline is doubtful, because it is of a kidney that a tumour has replaced
    assert relative(ParenchymaLevel(90.0, 110.0, instead=True)) == pytest.approx(-80)


def test_the_level_of_a_kidney_is_that_of_its_own_voxels():
    kidney = ball(12)
    hu = torch.where(kidney, 120.0, -100.0)
    assert parenchyma_level(hu, kidney, STAGE.window) == ParenchymaLevel(120.0, 120.0)
    empty = torch.zeros_like(kidney)
    assert parenchyma_level(hu, empty, STAGE.window) == parenchyma_level(hu * 0, empty, STAGE.window)


def test_channels_of_no_kidney_are_finite():
    empty = torch.zeros((8, 8, 8), dtype=torch.bool)
    assert torch.isfinite(organ_channels(torch.full(empty.shape, -1024.0), empty, empty, STAGE)).all()


def test_drawn_organs_resemble_the_organ_and_differ_from_each_other():
    organ = ball(12).float()
    hu = torch.where(organ > 0.5, 40.0, 30.0)  # soft tissue all around: spills have room
    masks = [drawn_organ(organ, hu, STAGE.spacing, Masks(), np.random.default_rng(seed)) for seed in range(40)]
    overlaps = [float(2 * (m & (organ > 0.5)).sum() / (m.sum() + (organ > 0.5).sum())) for m in masks]
    assert np.median(overlaps) > 0.85 and min(overlaps) > 0.35
    assert max(overlaps) < 1.0 and len({int(m.sum()) for m in masks}) > 30
    air = drawn_organ(organ, torch.full(organ.shape, -1000.0), STAGE.spacing, Masks(), np.random.default_rng(0))
    assert not air.any()


def test_large_lesions_are_left_out_of_the_outline_and_small_ones_are_not():
    region, large, small = ball(19), ball(14, (20, 20, 16)), ball(2, (20, 20, 36))
    lesions = torch.stack([large, small])
    outlines = [
        outlined_kidney(region, lesions, STAGE.spacing, Masks(), np.random.default_rng(seed)) for seed in range(60)
    ]
    assert all(not bool((o & ~region).any()) for o in outlines)
    assert np.mean([bool(o[20, 20, 16]) for o in outlines]) < 0.4  # 92 ml
    assert np.mean([bool(o[20, 20, 36]) for o in outlines]) > 0.9  # 0.3 ml


def learner(folder) -> Learner:
    recipe = {
        "task": "ct",
        "stage": STAGE,
        "data": {"train": [], "validation": []},
        "optimiser": {"learning_rate": 1e-2},
        "schedule": {"epochs": 1, "steps_per_epoch": 60, "warm_up": 1},
        "sampling": {"jitter_mm": [0.0, 0.0, 0.0], "mirror": "left"},
    }
    return Learner(Recipe.model_validate(recipe), folder, torch.device("cpu"))


def test_where_no_output_is_true_nothing_is_learnt(tmp_path):
    state = learner(tmp_path)
    image = torch.randn(1, 6, 8, 8, 8)
    before = [p.clone() for p in state.network.parameters()]
    state.optimiser.param_groups[0]["weight_decay"] = 0.0
    state.learn(image, torch.zeros(1, 3, 8, 8, 8))
    assert all(torch.equal(a, b) for a, b in zip(before, state.network.parameters(), strict=True))


def test_exclusive_outputs_are_learnt(tmp_path):
    state = learner(tmp_path)
    target = torch.zeros(1, 3, 8, 8, 8)
    target[0, 0, :, :, :4], target[0, 1, :, :4, 4:], target[0, 2, :, 4:, 4:6] = 1, 1, 1  # the rest is outside
    image = target.sum(dim=1, keepdim=True).repeat(1, 6, 1, 1, 1) * 0.1 + torch.cat([target, target], dim=1)
    losses = [state.learn(image, target) for _ in range(60)]
    assert losses[-1] < 0.3 * losses[0]
    state.network.eval()
    with torch.no_grad():
        found = state.network(image)[0].argmax(dim=0)
    inside = target[0].amax(dim=0) > 0
    assert float((found == target[0].argmax(dim=0))[inside].float().mean()) > 0.9
