"""Above the ceiling of a stage everything looks alike: excreted contrast medium, bone, metal."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from organ_dice import dice
from result_cases import segmented
from scipy.ndimage import distance_transform_edt

from KidneySegLib.bundles.catalogue import find_bundle
from KidneySegLib.bundles.network import NetworkPlan
from KidneySegLib.bundles.plan import StagePlan
from KidneySegLib.datasets.exams import read_exam
from KidneySegLib.inference.organ_channels import ORGAN_INPUTS, organ_channels
from KidneySegLib.inference.window_channels import window_channels
from KidneySegLib.structures import KIDNEYS, Side

NETWORK = NetworkPlan("unet3d", (4, 8, 8), ("kidney",), inputs=("image", "soft", "zscore"))
STAGE = StagePlan("kidney", NETWORK, (2.0, 2.0, 2.0), (-160.0, 340.0), (32, 32, 32))
CEILING = replace(STAGE, ceiling_hu=150.0)


def scan() -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(0).normal(60, 150, (6, 8, 10)).astype(np.float32))


def test_what_lies_above_the_ceiling_is_seen_as_the_ceiling():
    hu = scan()
    assert not torch.equal(window_channels(hu, CEILING), window_channels(hu, STAGE))
    assert torch.equal(window_channels(hu, CEILING), window_channels(hu.clamp(max=150), STAGE))
    below = hu.clamp(max=100)
    assert torch.equal(window_channels(below, CEILING), window_channels(below, STAGE))


def test_the_window_still_maps_to_minus_one_and_one():
    seen = window_channels(torch.tensor([[[-200.0, 90.0, 150.0, 900.0]]]), CEILING)[0]
    assert torch.allclose(seen.ravel(), torch.tensor([-1.0, 0.0, 0.24, 0.24]))


def test_a_stage_that_sees_the_organ_has_a_ceiling_too():
    hu = scan()
    organ, kidney = torch.zeros(hu.shape, dtype=torch.bool), torch.zeros(hu.shape, dtype=torch.bool)
    organ[1:5, 1:7, 1:9], kidney[2:4, 2:6, 2:8] = True, True
    stage = replace(STAGE, network=replace(NETWORK, inputs=ORGAN_INPUTS))
    low = replace(stage, ceiling_hu=150.0)
    assert torch.equal(organ_channels(hu, organ, kidney, low), organ_channels(hu.clamp(max=150), organ, kidney, stage))


def test_a_ceiling_below_the_window_is_refused():
    with pytest.raises(ValueError, match="ceiling"):
        replace(STAGE, ceiling_hu=-160.0)


@pytest.mark.slow
def test_a_kidney_whose_deep_parts_are_full_of_contrast_medium_is_outlined(shared_data):
    image, labels = read_exam(shared_data / "ct/train/NM")
    spacing = image.spacing[::-1]
    hu = image.voxels.astype(np.float32)
    for kidney in KIDNEYS.values():
        hu[distance_transform_edt(labels.voxels == kidney.label, sampling=spacing) >= 9] = 500
    found = segmented(image.like(hu.astype(np.int16)), find_bundle(None, "ct")).labels
    for side in Side:
        assert dice(found, labels.voxels, side) > 0.95
