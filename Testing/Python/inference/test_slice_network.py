"""What a 2D network sees of a slice, and what is kept of what it says."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest
import torch
from slice_cases import ellipse

from KidneySegLib.bundles.network import NetworkPlan
from KidneySegLib.bundles.plan import Ensemble, Equalisation, StagePlan
from KidneySegLib.errors import BundleError
from KidneySegLib.inference.memory import probabilities_within_memory
from KidneySegLib.inference.predict import Predictor
from KidneySegLib.inference.scan_probabilities import scan_probabilities
from KidneySegLib.inference.window_channels import window_channels
from KidneySegLib.networks.factory import build_network
from KidneySegLib.segmentation.slices.regions import largest_regions
from KidneySegLib.segmentation.slices.sides import label_sides, slice_midline

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
        "whole": True,
    }
    return StagePlan(**(values | changes))


def predictor(network: torch.nn.Module, **changes: object) -> Predictor:
    return Predictor(stage(**changes), (network,), torch.device("cpu"), torch.float32)


def seen_of(hu: np.ndarray, **changes: object) -> np.ndarray:
    """What the network sees of one slice."""
    return window_channels(torch.from_numpy(hu.astype(np.float32))[None], stage(**changes))[0, 0].numpy()


def slice_probability(hu: np.ndarray, spacing: tuple[float, float], predictor: Predictor) -> np.ndarray:
    """The probability of the first output, ``(j, i)``."""
    return scan_probabilities(hu[None], (1.0, *spacing), predictor, lambda _: None)[0][0, 0]


class Brightness(torch.nn.Module):
    """A network whose logit is 20 for what is brighter than 0.5 and -20 for the rest."""

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        self.seen = image
        return torch.where(image > 0.5, 20.0, -20.0)


def test_input_lies_in_0_to_1_and_ignores_all_beyond_the_window():
    rng = np.random.default_rng(0)
    hu = rng.uniform(-300, 400, (64, 64)).astype(np.float32)
    seen = seen_of(hu)
    assert seen.dtype == np.float32
    assert seen.min() == 0.0 and seen.max() == 1.0
    np.testing.assert_array_equal(seen, seen_of(np.clip(hu, -160, 240)))
    more = np.where(hu > 240, 3000, np.where(hu < -160, -1024, hu))
    np.testing.assert_array_equal(seen, seen_of(more))


def test_clahe_spreads_a_narrow_range_of_values_where_it_lies():
    hu = np.full((96, 96), -160, np.float32)
    hu[:, 48:] = 240
    hu[:, :40] = np.random.default_rng(0).uniform(20, 60, (96, 40))
    part = np.s_[10:80, 5:35]
    plain = (hu[part] + 160) / 400
    seen = seen_of(hu)[part]
    assert seen.std() > 2 * plain.std()
    assert np.corrcoef(seen.ravel(), plain.ravel())[0, 1] > 0.9
    clipped = seen_of(hu, equalise=Equalisation(48.0, 1e-4))[part]
    assert clipped.std() < seen.std()


def test_a_slice_of_one_value_passes():
    assert not seen_of(np.full((32, 32), -1024.0)).any()


def test_without_equalisation_the_window_is_mapped_linearly():
    hu = np.array([[-1000.0, -160.0], [40.0, 240.0]])
    np.testing.assert_allclose(seen_of(hu, equalise=None), [[-1, -1], [0, 1]], atol=1e-6)


def test_probability_comes_back_to_the_slice_s_own_grid():
    hu = np.full((150, 111), -160, np.int16)
    body = ellipse((60, 40), (30, 20), hu.shape)
    hu[body] = 240
    network = Brightness()
    found = slice_probability(hu, (1.0, 0.9), predictor(network))
    assert found.shape == hu.shape
    mask = found > 0.65
    overlap = 2 * (mask & body).sum() / (mask.sum() + body.sum())
    assert overlap > 0.97
    # 150 mm and 99.9 mm at 1.5 mm are 100 and 67 pixels, with air up to multiples of 4; the patch of 64 is no tile
    assert network.seen.shape == (1, 1, 100, 68)


def test_a_slice_that_is_not_seen_whole_is_seen_in_tiles_that_are_blended():
    hu = np.full((150, 111), -160, np.int16)
    hu[ellipse((60, 40), (30, 20), hu.shape)] = 240
    network = Brightness()
    tiled = slice_probability(hu, (1.5, 1.5), predictor(network, whole=False, equalise=None))
    assert network.seen.shape == (1, 1, 64, 64)
    whole = slice_probability(hu, (1.5, 1.5), predictor(network, equalise=None))
    assert network.seen.shape == (1, 1, 152, 112)
    np.testing.assert_allclose(tiled, whole, atol=1e-5)


def test_a_2d_network_sees_every_slice_of_a_volume_for_itself():
    hu = torch.full((3, 64, 64), -160.0)
    hu[1, 20:40, 20:40] = 240
    found = predictor(Brightness()).probabilities(hu)
    assert found.shape == (1, 3, 64, 64)
    assert found[0, 1, 30, 30] > 0.99 and found[0, [0, 2]].max() < 0.01


def test_a_tiny_slice_leaves_the_network_something_to_normalise():
    network = build_network(NetworkPlan("unet2d", (4, 8, 8), ("kidney",))).eval()
    found = slice_probability(np.zeros((3, 3), np.int16), (1.5, 1.5), predictor(network))
    assert found.shape == (3, 3) and np.isfinite(found).all()


def test_a_slice_that_does_not_fit_into_memory_is_seen_in_pieces():
    hu = torch.full((1, 128, 128), -160.0)
    hu[:, 20:80, 20:80] = 240
    found, flags = probabilities_within_memory(predictor(Brightness()), hu, lambda _: None, lambda: 10**6)
    assert [flag.code for flag in flags] == ["memory_guard"]
    assert found[0, 0, 50, 50] > 0.99 and found[0, 0, 100, 100] < 0.01


def test_scales_are_averaged():
    hu = np.full((60, 60), -160, np.int16)
    hu[20:40, 20:40] = 240
    single = [slice_probability(hu, (1.5, 1.5), predictor(Brightness(), scales=(s,))) for s in (0.8, 1.2)]
    both = slice_probability(hu, (1.5, 1.5), predictor(Brightness(), scales=(0.8, 1.2)))
    np.testing.assert_allclose(both, np.mean(single, axis=0), atol=1e-6)


class Constant(torch.nn.Module):
    """A network that is equally sure everywhere."""

    def __init__(self, probability: float) -> None:
        super().__init__()
        self.logit = float(np.log(probability / (1 - probability)))

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return torch.full_like(image, self.logit)


@pytest.mark.parametrize(("fusion", "expected"), [("mean", 0.5), ("median", 0.7)])
def test_members_of_an_ensemble_are_combined_as_the_plan_says(fusion, expected):
    members = tuple(Constant(each) for each in (0.7, 0.72, 0.08))
    ensemble = Predictor(stage(ensemble=Ensemble(3, fusion)), members, torch.device("cpu"), torch.float32)
    shares = []
    found = ensemble.probabilities(torch.zeros(1, 64, 64), shares.append)
    assert found.shape == (1, 1, 64, 64)
    assert found.numpy() == pytest.approx(np.full(found.shape, expected), abs=1e-5)
    assert shares == sorted(shares) and len(shares) == 3 and shares[-1] == 1.0


def test_shipped_size_of_the_network():
    network = build_network(NetworkPlan("unet2d", (16, 32, 64, 80, 96, 112), ("kidney",)))
    assert sum(p.numel() for p in network.parameters()) == 1_208_225
    assert network(torch.zeros(1, 1, 32, 64)).shape == (1, 1, 32, 64)


def test_the_plan_of_a_2d_stage_goes_to_json_and_back():
    plan = stage()
    assert StagePlan.from_dict(asdict(plan)) == plan
    with pytest.raises(BundleError, match="multiples"):
        StagePlan.from_dict({**asdict(plan), "patch": (1, 62, 64)})


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
    assert slice_midline(hu, regions > 0, (1.0, 1.0)) == pytest.approx(79, abs=1.5)
    labels = label_sides(regions, hu, (1.0, 1.0))
    assert labels[45, 70] == 1 and labels[45, 100] == 2


def test_enhanced_kidneys_are_not_taken_for_the_spine():
    hu = np.full((80, 120), -200.0)
    hu[10:70, 10:110] = 0
    hu[50:60, 56:64] = 600
    regions = np.zeros(hu.shape, np.uint8)
    regions[35:60, 66:84] = 1
    hu[regions > 0] = 220
    assert slice_midline(hu, regions > 0, (1.0, 1.0)) == pytest.approx(59.5, abs=2)


def test_without_bone_the_body_s_middle_serves():
    hu = np.full((80, 120), -1000.0)
    hu[10:70, 20:101] = 0
    assert slice_midline(hu, np.zeros(hu.shape, bool), (1.0, 1.0)) == pytest.approx(60, abs=1)


def test_two_regions_on_one_side_are_one_kidney():
    hu = np.full((80, 120), -1000.0)
    hu[10:70, 10:110] = 0
    regions = np.zeros(hu.shape, np.uint8)
    regions[20:30, 20:30], regions[40:50, 25:35] = 1, 2
    assert set(np.unique(label_sides(regions, hu, (1.0, 1.0)))) == {0, 1}
