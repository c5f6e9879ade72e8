"""Scans that are narrower than what the locator learnt from: a kidney that is missing is looked for once more."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from bundle_cases import KIDNEY_RULES, made_bundle
from organ_dice import dice
from result_cases import segmented
from test_segmentation_pipeline import LEFT, RIGHT, STAGES, Bright, body

from KidneySegLib.bundles.catalogue import find_bundle
from KidneySegLib.bundles.rules import CtRules
from KidneySegLib.datasets.exams import read_exam
from KidneySegLib.hounsfield import OUTSIDE
from KidneySegLib.inference.predict import Predictor
from KidneySegLib.segmentation import load
from KidneySegLib.segmentation.kidneys.locate import as_wide_as_learnt
from KidneySegLib.structures import KIDNEYS, Side

LOCATOR = replace(STAGES[0], patch=(32, 64, 96))


class BlindWhenNarrow(Bright):
    """Sees nothing at higher i in a tile that is narrower than the patch; ``widths`` of all tiles are kept."""

    def __init__(self) -> None:
        super().__init__()
        self.widths: list[int] = []

    def forward(self, tile: torch.Tensor) -> torch.Tensor:
        width = tile.shape[-1]
        self.widths.append(width)
        logits = super().forward(tile)
        if width < LOCATOR.patch[2]:
            logits[..., width // 2 :] = -9
        return logits


def sides_found(tmp_path, monkeypatch, volume, network):
    def networks(bundle, device, needed):
        parts = {"locator": network, "kidney": Bright()}
        return {s.name: Predictor(s, (parts[s.name],), torch.device("cpu"), torch.float32) for s in bundle.stages}

    monkeypatch.setattr(load, "load_predictors", networks)
    rules = CtRules(replace(KIDNEY_RULES, ceilings_hu=()))  # these networks know densities alone
    labels = segmented(volume, replace(made_bundle(tmp_path, LOCATOR, STAGES[1]), rules=rules)).labels
    return {side for side in Side if KIDNEYS[side].label in labels}


def test_a_kidney_that_is_not_located_is_looked_for_in_a_wider_image(tmp_path, monkeypatch):
    network = BlindWhenNarrow()
    assert sides_found(tmp_path, monkeypatch, body(RIGHT, LEFT), network) == {Side.RIGHT, Side.LEFT}
    assert max(network.widths) == LOCATOR.patch[2]


def test_where_both_are_located_there_is_no_second_look(tmp_path, monkeypatch):
    network = BlindWhenNarrow()
    network.forward = lambda tile: (network.widths.append(tile.shape[-1]), Bright().forward(tile))[1]
    assert sides_found(tmp_path, monkeypatch, body(RIGHT, LEFT), network) == {Side.RIGHT, Side.LEFT}
    assert max(network.widths) < LOCATOR.patch[2]


def test_a_kidney_that_is_not_there_is_not_found_by_looking_twice(tmp_path, monkeypatch):
    assert sides_found(tmp_path, monkeypatch, body(RIGHT), BlindWhenNarrow()) == {Side.RIGHT}


def test_a_wider_image_holds_the_scan_in_its_middle_and_nothing_around_it():
    hu = torch.full((5, 41, 100), 30.0)
    wide, inside = as_wide_as_learnt(hu, LOCATOR)
    assert wide.shape == (5, 64, 100)  # not along k, and no narrower than it is
    assert torch.equal(wide[inside], hu)
    assert float(wide.sum()) == 30.0 * hu.numel() + OUTSIDE * 5 * 23 * 100
    before, after = inside[1].start, 64 - inside[1].stop
    assert abs(before - after) <= 1


@pytest.mark.slow
def test_both_kidneys_are_found_in_an_exam_that_ends_beside_them(shared_data):
    image, labels = read_exam(shared_data / "ct/train/TG")
    places = np.argwhere(labels.voxels > 0)
    margin = [0, *np.ceil(15 / np.array(image.spacing[1::-1])).astype(int)]
    low = np.maximum(places.min(axis=0) - margin, 0)
    high = np.minimum(places.max(axis=0) + 1 + margin, labels.voxels.shape)
    box = (slice(0, labels.voxels.shape[0]), slice(low[1], high[1]), slice(low[2], high[2]))
    found = segmented(image.crop(box), find_bundle(None, "ct")).labels
    for side in Side:
        assert dice(found, labels.voxels[box], side) > 0.9
