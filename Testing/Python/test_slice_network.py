"""What a 2D network sees of a slice, and what is kept of what it says."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from slice_cases import ellipse

from KidneySegLib.bundles.plan import Equalisation, NetworkPlan, StagePlan
from KidneySegLib.errors import BundleError
from KidneySegLib.networks.factory import build_network
from KidneySegLib.segmentation.slices.network import SliceNetwork, network_input
from KidneySegLib.segmentation.slices.regions import largest_regions
from KidneySegLib.segmentation.slices.sides import label_sides, midline

PLAN = NetworkPlan("unet2d", (4, 8, 8), ("kidney",))


def stage(**changes: object) -> StagePlan:
    values = {
        "name": "slice",
        "network": PLAN,
        "spacing": (1.0, 1.5, 1.5),
        "window": (-160.0, 240.0),
        "patch": (1, 64, 64),
        "threshold": 0.65,
        "equalise": Equalisation(48.0, 0.01),
    }
    return StagePlan(**(values | changes))


class Brightness(torch.nn.Module):
    """A network whose logit is 20 for what is brighter than 0.5 and -20 for the rest."""

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        self.seen = image
        return torch.where(image > 0.5, 20.0, -20.0)


def test_input_lies_in_0_to_1_and_ignores_all_beyond_the_window():
    rng = np.random.default_rng(0)
    hu = rng.uniform(-300, 400, (64, 64)).astype(np.float32)
    seen = network_input(hu, stage())
    assert seen.dtype == np.float32
    assert seen.min() == 0.0 and seen.max() == 1.0
    np.testing.assert_array_equal(seen, network_input(np.clip(hu, -160, 240), stage()))
    more = np.where(hu > 240, 3000, np.where(hu < -160, -1024, hu))
    np.testing.assert_array_equal(seen, network_input(more, stage()))


def test_clahe_spreads_a_narrow_range_of_values_where_it_lies():
    hu = np.full((96, 96), -160, np.float32)
    hu[:, 48:] = 240
    hu[:, :40] = np.random.default_rng(0).uniform(20, 60, (96, 40))
    part = np.s_[10:80, 5:35]
    plain = (hu[part] + 160) / 400
    seen = network_input(hu, stage())[part]
    assert seen.std() > 2 * plain.std()
    assert np.corrcoef(seen.ravel(), plain.ravel())[0, 1] > 0.9
    clipped = network_input(hu, stage(equalise=Equalisation(48.0, 1e-4)))[part]
    assert clipped.std() < seen.std()


def test_a_slice_of_one_value_passes():
    assert not network_input(np.full((32, 32), -1024.0), stage()).any()


def test_a_stage_without_equalisation_is_refused():
    with pytest.raises(BundleError, match="equalised"):
        network_input(np.zeros((32, 32)), stage(equalise=None))


def test_probability_comes_back_to_the_slice_s_own_grid():
    hu = np.full((150, 111), -160, np.float32)
    body = ellipse((60, 40), (30, 20), hu.shape)
    hu[body] = 240
    network = SliceNetwork(stage(), Brightness(), torch.device("cpu"), torch.float32)
    found = network.probability(hu, (1.0, 0.9))
    assert found.shape == hu.shape
    mask = found > 0.65
    overlap = 2 * (mask & body).sum() / (mask.sum() + body.sum())
    assert overlap > 0.97
    assert network.network.seen.shape[2] % 4 == 0 and network.network.seen.shape[3] % 4 == 0
    # 150 mm and 99.9 mm at 1.5 mm are 100 and 67 pixels, with air up to multiples of 4
    assert network.network.seen.shape[2:] == (100, 68)


def test_scales_are_averaged():
    hu = np.full((60, 60), -160, np.float32)
    hu[20:40, 20:40] = 240
    both = SliceNetwork(stage(scales=(0.8, 1.2)), Brightness(), torch.device("cpu"), torch.float32)
    single = [
        SliceNetwork(stage(scales=(s,)), Brightness(), torch.device("cpu"), torch.float32).probability(hu, (1.5, 1.5))
        for s in (0.8, 1.2)
    ]
    np.testing.assert_allclose(both.probability(hu, (1.5, 1.5)), np.mean(single, axis=0), atol=1e-6)


def test_shipped_size_of_the_network():
    network = build_network(NetworkPlan("unet2d", (16, 32, 64, 80, 96, 112), ("kidney",)))
    assert sum(p.numel() for p in network.parameters()) == 1_208_225
    assert network(torch.zeros(1, 1, 32, 64)).shape == (1, 1, 32, 64)


def test_the_plan_of_a_2d_stage_goes_to_json_and_back():
    plan = stage()
    plan.check()
    assert StagePlan.from_dict(plan.as_dict()) == plan
    with pytest.raises(BundleError, match="multiples"):
        stage(patch=(1, 62, 64)).check()


def test_two_largest_regions_are_kept_and_numbered_by_size():
    mask = np.zeros((40, 60), bool)
    mask[2:12, 2:12] = True  # 100 pixels
    mask[20:32, 20:35] = True  # 180
    mask[2:11, 40:50] = True  # 90
    regions = largest_regions(mask, (1.0, 1.0))
    assert (regions == 1).sum() == 180 and regions[25, 25] == 1
    assert (regions == 2).sum() == 100 and regions[5, 5] == 2
    assert not regions[2:11, 40:50].any()


def test_pixels_that_touch_at_a_corner_are_one_region():
    mask = np.zeros((30, 30), bool)
    mask[0:10, 0:10] = mask[10:20, 10:20] = True
    assert (largest_regions(mask, (1.0, 1.0)) == 1).sum() == 200


def test_the_least_size_is_in_square_millimetres():
    mask = np.zeros((40, 40), bool)
    mask[5:15, 5:15] = True
    assert not largest_regions(mask, (0.7, 0.8)).any()  # 56 mm²
    assert largest_regions(mask, (0.8, 0.8)).any()  # 64 mm²


def test_sides_follow_the_spine_and_not_the_picture_s_middle():
    hu = np.full((80, 120), -200.0)
    hu[10:70, 30:115] = 0  # the body is not centred
    hu[48:68, 74:85] = 600
    regions = np.zeros(hu.shape, np.uint8)
    regions[40:50, 66:72] = 1  # right of the picture's middle, but right of the spine in the patient
    regions[40:50, 95:105] = 2
    assert midline(hu, regions > 0, (1.0, 1.0)) == pytest.approx(79, abs=1.5)
    labels = label_sides(regions, hu, (1.0, 1.0))
    assert labels[45, 70] == 1 and labels[45, 100] == 2


def test_enhanced_kidneys_are_not_taken_for_the_spine():
    hu = np.full((80, 120), -200.0)
    hu[10:70, 10:110] = 0
    hu[50:60, 56:64] = 600
    regions = np.zeros(hu.shape, np.uint8)
    regions[35:60, 66:84] = 1
    hu[regions > 0] = 220
    assert midline(hu, regions > 0, (1.0, 1.0)) == pytest.approx(59.5, abs=2)


def test_without_bone_the_body_s_middle_serves():
    hu = np.full((80, 120), -1000.0)
    hu[10:70, 20:101] = 0
    assert midline(hu, np.zeros(hu.shape, bool), (1.0, 1.0)) == pytest.approx(60, abs=1)


def test_two_regions_on_one_side_are_one_kidney():
    hu = np.full((80, 120), -1000.0)
    hu[10:70, 10:110] = 0
    regions = np.zeros(hu.shape, np.uint8)
    regions[20:30, 20:30], regions[40:50, 25:35] = 1, 2
    assert set(np.unique(label_sides(regions, hu, (1.0, 1.0)))) == {0, 1}
