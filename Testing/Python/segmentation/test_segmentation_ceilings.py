"""Kidneys that are missing or too dense are looked at again with a ceiling on HU, as if no pelvis were full."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from bundle_cases import KIDNEY_RULES, made_bundle
from organ_dice import dice
from result_cases import segmented
from scipy.ndimage import distance_transform_edt
from test_segmentation_pipeline import LEFT, RIGHT, STAGES, Bright, body

from KidneySegLib.bundles.catalogue import find_bundle
from KidneySegLib.bundles.rules import CtRules, KidneyRules
from KidneySegLib.datasets.exams import read_exam
from KidneySegLib.inference.predict import Predictor
from KidneySegLib.segmentation import load
from KidneySegLib.structures import KIDNEYS, Side
from KidneySegLib.volume import Volume

LOCATOR = replace(STAGES[0], patch=(48, 64, 80))  # the whole body, with its spine
CEILING = 240.0
# what networks see of it: the window of -160 to 340 HU becomes -1 to 1
SEEN = (CEILING + 160) / 250 - 1


class Dense(torch.nn.Module):
    """Logits that are positive above 150 HU; ``most`` of them where a tile holds anything above the ceiling."""

    def __init__(self, most: float) -> None:
        super().__init__()
        self.most = most

    def forward(self, tile: torch.Tensor) -> torch.Tensor:
        logits = (tile - (150 + 160) / 250 + 1) * 60
        return logits.clamp(max=self.most) if float(tile.max()) > SEEN + 0.01 else logits


UNSURE = float(np.log(0.7 / 0.3))


class BlindWhereDense(Bright):
    """Sees nothing in a tile that holds anything above the ceiling."""

    def forward(self, tile: torch.Tensor) -> torch.Tensor:
        logits = super().forward(tile)
        return logits * 0 - 9 if float(tile.max()) > SEEN + 0.01 else logits


def found(tmp_path, monkeypatch, volume: Volume, *, ceilings=(CEILING,), locator=Bright, kidney=None):
    parts = {"locator": locator(), "kidney": kidney or Bright()}

    def networks(bundle, device, needed):
        return {s.name: Predictor(s, (parts[s.name],), torch.device("cpu"), torch.float32) for s in bundle.stages}

    monkeypatch.setattr(load, "load_predictors", networks)
    bundle = made_bundle(tmp_path, LOCATOR, STAGES[1])
    return segmented(volume, replace(bundle, rules=CtRules(replace(KIDNEY_RULES, ceilings_hu=ceilings))))


def with_medium(radius_mm: float) -> Volume:
    """Two kidneys, and 700 HU in the middle of the right one."""
    volume = body(RIGHT, LEFT)
    k, j, i = np.indices(volume.voxels.shape)
    distance = np.linalg.norm(volume.to_lps(np.stack((k, j, i), -1)) - np.array(RIGHT[0]), axis=-1)
    return volume.like(np.where(distance < radius_mm, 700, volume.voxels).astype(np.int16))


def codes(result) -> set[str]:
    return {flag.code for flag in result.flags}


def test_the_outline_of_a_dense_kidney_is_taken_from_the_look_that_is_surer(tmp_path, monkeypatch):
    volume = with_medium(18)
    first = found(tmp_path, monkeypatch, volume, ceilings=(), kidney=Dense(UNSURE))
    again = found(tmp_path, monkeypatch, volume, kidney=Dense(UNSURE))
    assert "kidney_doubtful" in codes(first)
    assert "kidney_doubtful" not in codes(again)
    assert dice(again.labels, first.labels, Side.RIGHT) > 0.95


def test_where_no_ceiling_makes_it_surer_the_first_look_counts(tmp_path, monkeypatch):
    class Same(Dense):
        def forward(self, tile: torch.Tensor) -> torch.Tensor:
            return super().forward(tile).clamp(max=UNSURE)

    first, again = (
        found(tmp_path, monkeypatch, with_medium(18), ceilings=ceilings, kidney=Same(UNSURE))
        for ceilings in ((), (CEILING,))
    )
    assert np.array_equal(first.labels, again.labels)
    assert "kidney_doubtful" in codes(first) & codes(again)


@pytest.mark.parametrize("radius, looks", [(0, 1), (4, 1), (18, 2)])
def test_a_kidney_with_a_stone_is_looked_at_once_and_a_full_one_again(tmp_path, monkeypatch, radius, looks):
    seen = []

    class Counted(Dense):
        def forward(self, tile: torch.Tensor) -> torch.Tensor:
            seen.append(tile)
            return super().forward(tile)

    volume = with_medium(radius)
    volume = volume.like(np.where(np.indices(volume.voxels.shape)[2] > 64, 100, volume.voxels).astype(np.int16))
    found(tmp_path, monkeypatch, volume, ceilings=(), kidney=Counted(9.0))
    once = len(seen)
    found(tmp_path, monkeypatch, volume, kidney=Counted(9.0))
    assert len(seen) == (1 + looks) * once > 0


def test_a_kidney_that_is_not_located_is_looked_for_below_the_ceiling(tmp_path, monkeypatch):
    volume = body(RIGHT, LEFT)  # its spine has 1500 HU
    assert not (found(tmp_path, monkeypatch, volume, ceilings=(), locator=BlindWhereDense).labels > 0).any()
    labels = found(tmp_path, monkeypatch, volume, locator=BlindWhereDense).labels
    assert {side for side in Side if KIDNEYS[side].label in labels} == set(Side)


@pytest.mark.parametrize("ceilings", [(0.0,), (-50.0,), (1e6,), (150.0, "x")])
def test_a_ceiling_that_is_none_is_refused(ceilings):
    with pytest.raises(ValueError, match="ceilings_hu"):
        KidneyRules(**{**KIDNEY_RULES.__dict__, "ceilings_hu": ceilings})


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
