"""A side whose kidney is doubtful or missing is looked for again; what the first look is sure of stays."""

from dataclasses import replace

import numpy as np
import torch
from bundle_cases import KIDNEY_RULES, made_bundle
from result_cases import segmented
from test_segmentation_pipeline import RIGHT, STAGES, Bright, body, centre_and_volume

from KidneySegLib.bundles.rules import CtRules
from KidneySegLib.inference.predict import Predictor
from KidneySegLib.segmentation import load
from KidneySegLib.segmentation.kidneys import search
from KidneySegLib.structures import Side

LOCATOR = replace(STAGES[0], patch=(32, 64, 96))  # wider than the body
UNSURE = float(np.log(0.7 / 0.3))
# what networks see of 215 HU, in the window of -160 to 340
BETWEEN = (215 + 160) / 250 - 1
# 230 HU, as long as kidneys have 200
OTHER = ((65.0, 20.0, 522.0), (16.0, 16.0, 16.0))
LEFT = ((65.0, 20.0, 620.0), (20.0, 20.0, 40.0))


class TakesOtherTissue(Bright):
    """In a narrow tile, of what lies at higher i sees only what is denser than 215 HU."""

    def forward(self, tile: torch.Tensor) -> torch.Tensor:
        logits = super().forward(tile)
        if tile.shape[-1] == LOCATOR.patch[2]:
            return logits
        left = torch.arange(tile.shape[-1]) >= tile.shape[-1] // 2
        return torch.where(left & (tile < BETWEEN), torch.full_like(logits, -9.0), logits)


class UnsureOfOtherTissue(Bright):
    """At best 0.7 in what is denser than 215 HU."""

    def forward(self, tile: torch.Tensor) -> torch.Tensor:
        logits = super().forward(tile)
        return torch.where(tile > BETWEEN, logits.clamp(max=UNSURE), logits)


def found(tmp_path, monkeypatch, volume, locator, kidney):
    parts = {"locator": locator, "kidney": kidney}

    def networks(bundle, device, needed):
        return {s.name: Predictor(s, (parts[s.name],), torch.device("cpu"), torch.float32) for s in bundle.stages}

    monkeypatch.setattr(load, "load_predictors", networks)
    rules = CtRules(replace(KIDNEY_RULES, ceilings_hu=()))
    return segmented(volume, replace(made_bundle(tmp_path, LOCATOR, STAGES[1]), rules=rules))


def with_other_tissue():
    volume = body(RIGHT, LEFT)
    k, j, i = np.indices(volume.voxels.shape)
    points = volume.to_lps(np.stack((k, j, i), -1))
    other = np.linalg.norm((points - np.array(OTHER[0])) / np.array(OTHER[1]), axis=-1) < 1
    return volume.like(np.where(other, 230, volume.voxels).astype(np.int16))


def test_a_kidney_for_which_other_tissue_was_taken_is_found_by_the_second_look(tmp_path, monkeypatch):
    volume = with_other_tissue()
    result = found(tmp_path, monkeypatch, volume, TakesOtherTissue(), UnsureOfOtherTissue())
    for kidney, label in ((RIGHT, 1), (LEFT, 2)):
        centre, _ = centre_and_volume(volume, result.labels, label)
        assert np.allclose(centre, kidney[0], atol=2.5)
    assert not {f.code for f in result.flags} & {"kidney_doubtful", "kidney_not_confirmed"}


def test_a_doubtful_kidney_stays_where_the_second_look_is_no_surer(tmp_path, monkeypatch):
    class Unsure(Bright):
        def forward(self, tile: torch.Tensor) -> torch.Tensor:
            return super().forward(tile).clamp(max=UNSURE)

    volume = with_other_tissue()
    result = found(tmp_path, monkeypatch, volume, TakesOtherTissue(), Unsure())
    centre, _ = centre_and_volume(volume, result.labels, 2)
    assert np.allclose(centre, OTHER[0], atol=2.5)
    assert "kidney_doubtful" in {f.code for f in result.flags}


def test_the_first_look_is_the_only_one_where_it_is_sure(tmp_path, monkeypatch):
    def never(*_):
        raise AssertionError("a second look")

    monkeypatch.setattr(search, "_again", never)
    result = found(tmp_path, monkeypatch, body(RIGHT, LEFT), Bright(), Bright())
    assert set(np.unique(result.labels)) == {0, 1, 2}


def test_a_kidney_that_the_second_look_gives_to_the_other_side_is_not_taken_twice(tmp_path, monkeypatch):
    locate = search._locate

    def exchanged(*args, again):
        located, flags = locate(*args, again=again)
        if again:
            located = replace(located, regions=[replace(region, side=Side.LEFT) for region in located.regions])
        return located, flags

    monkeypatch.setattr(search, "_locate", exchanged)
    result = found(tmp_path, monkeypatch, body(RIGHT), Bright(), Bright())
    assert set(np.unique(result.labels)) == {0, 1}
    assert result.segmentation.doubtful == frozenset()


def test_what_only_the_second_look_finds_is_no_kidney_if_it_is_doubtful(tmp_path, monkeypatch):
    class BlindWhenNarrow(Bright):
        def forward(self, tile: torch.Tensor) -> torch.Tensor:
            logits = super().forward(tile)
            left = torch.arange(tile.shape[-1]) >= tile.shape[-1] // 2
            wide = tile.shape[-1] == LOCATOR.patch[2]
            return logits if wide else torch.where(left, torch.full_like(logits, -9.0), logits)

    volume = body(RIGHT, LEFT)
    dense = np.where(np.arange(volume.voxels.shape[2]) > 65, 20, 0) * (volume.voxels == 200)
    volume = volume.like((volume.voxels + dense).astype(np.int16))  # the left one has 220 HU
    assert set(np.unique(found(tmp_path, monkeypatch, volume, BlindWhenNarrow(), Bright()).labels)) == {0, 1, 2}
    result = found(tmp_path, monkeypatch, volume, BlindWhenNarrow(), UnsureOfOtherTissue())
    assert set(np.unique(result.labels)) == {0, 1}
