"""Masses and cysts, with a network that knows them by density.

No border between two tissues of the images passes through the density of a third one.
"""

from dataclasses import replace

import numpy as np
import pytest
import torch
from bundle_cases import LESION_RULES, made_bundle
from result_cases import segmented
from test_segmentation_pipeline import STAGES, Bright, body, reoriented

from KidneySegLib.bundles.network import NetworkPlan
from KidneySegLib.bundles.plan import StagePlan
from KidneySegLib.bundles.rules import OrganLesionRules
from KidneySegLib.inference.organ_channels import ORGAN_INPUTS
from KidneySegLib.inference.predict import Predictor
from KidneySegLib.measuring.instances import Confidence
from KidneySegLib.segmentation import load
from KidneySegLib.segmentation.kidneys.organ import find_organ
from KidneySegLib.segmentation.kidneys.outline import Outline
from KidneySegLib.segmentation.lesions.find import FoundLesions, draw_lesions, find_lesions
from KidneySegLib.segmentation.lesions.kind import CYST, MASS
from KidneySegLib.structures import Side
from KidneySegLib.volume import Volume

ORGAN = StagePlan(
    "organ", NetworkPlan("unet3d", (4, 8, 8), ("kidney",)), (1.5, 1.5, 1.5), (-160.0, 340.0), (64, 64, 64)
)
STAGE = replace(
    ORGAN,
    name="lesion",
    network=NetworkPlan("unet3d", (4, 8, 8), ("parenchyma", "mass", "cyst"), ORGAN_INPUTS, True, True),
)
SPACING = 1.5
LEVELS = (200, 300, 150)


class AnyOf(torch.nn.Module):
    """The organ by HU alone: positive within 20 HU of one of the levels."""

    def __init__(self, levels: tuple[int, int, int] = LEVELS) -> None:
        super().__init__()
        self.levels = levels

    def forward(self, tile: torch.Tensor) -> torch.Tensor:
        hu = (tile + 1) * 250 - 160
        return torch.cat([20 - (hu - level).abs() for level in self.levels], dim=1).amax(dim=1, keepdim=True)


class ByDifference(torch.nn.Module):
    """Mass and cyst by their difference to the parenchyma's level; ``doubt`` is the logit that it is parenchyma."""

    def __init__(self, doubt: float = -9.0, levels: tuple[int, int, int] = LEVELS) -> None:
        super().__init__()
        self.doubt, self.levels = doubt, levels

    def forward(self, tile: torch.Tensor) -> torch.Tensor:
        difference = 60 * tile[:, :1]
        near = [20 - (difference - (level - self.levels[0])).abs() for level in self.levels]
        return torch.cat([near[0].clamp(self.doubt, 9), *(n.clamp(-9, 9) for n in near[1:])], dim=1)


def predictor(stage: StagePlan, network: torch.nn.Module) -> Predictor:
    return Predictor(stage, (network,), torch.device("cpu"), torch.float32)


def image(*balls: tuple[tuple[float, float, float], float, float]) -> Volume:
    """250 HU with balls (centre k, j, i and radius in voxels, HU), 1.5 mm voxels, canonical."""
    hu = np.full((70, 70, 90), 250, np.int16)
    grid = np.indices(hu.shape)
    for centre, radius, level in balls:
        distance = sum((g - c) ** 2 for g, c in zip(grid, centre, strict=True))
        hu[distance <= radius**2] = level
    return Volume(hu, np.diag([SPACING, SPACING, SPACING, 1.0]))


KIDNEY = ((35, 35, 30), 16, 200)


def outline(volume: Volume, side: Side = Side.RIGHT) -> Outline:
    box = (slice(15, 56), slice(15, 56), slice(10, 51))
    mask = volume.voxels[box] == 200
    return Outline(side, box, mask, mask.astype(np.float32), 0.99, 100.0, False, ())


def find(
    volume: Volume,
    *,
    side: Side = Side.RIGHT,
    doubt: float = -9.0,
    rules: OrganLesionRules = LESION_RULES,
    doubtful: bool = False,
) -> FoundLesions:
    kidney = outline(volume, side)
    organ = find_organ(volume, kidney, predictor(ORGAN, AnyOf()), lambda done: None)
    lesions = predictor(STAGE, ByDifference(doubt))
    return find_lesions(volume, kidney, organ, lesions, rules, lambda done: None, doubtful=doubtful)


def volume_ml(found: FoundLesions, label: int) -> float:
    return float((found.labels == label).sum()) * SPACING**3 / 1000


def ball_ml(radius: float) -> float:
    return float(4 / 3 * np.pi * (radius * SPACING) ** 3 / 1000)


@pytest.mark.parametrize("side", list(Side))
def test_a_mass_and_a_cyst_are_found_where_they_are(side):
    volume = image(KIDNEY, ((35, 24, 25), 6, 300), ((42, 42, 36), 5.5, 150))
    found = find(volume, side=side)
    assert volume_ml(found, MASS) == pytest.approx(ball_ml(6), rel=0.06)
    assert volume_ml(found, CYST) == pytest.approx(ball_ml(5.5), rel=0.06)
    for label, centre in ((MASS, (35, 24, 25)), (CYST, (42, 42, 36))):
        middle = np.argwhere(found.labels == label).mean(axis=0) + [b.start for b in found.box]
        assert np.allclose(middle, centre, atol=0.3)
    assert found.percent[found.labels > 0].min() > 50
    assert not found.percent[volume.voxels[found.box] == 250].any()  # outside the organ


def test_the_box_follows_a_mass_that_leaves_it():
    volume = image(((35, 35, 62), 20, 300), KIDNEY)
    found = find(volume)
    assert found.box[2].stop > 80
    assert volume_ml(found, MASS) == pytest.approx(float((volume.voxels == 300).sum()) * SPACING**3 / 1000, rel=0.03)


def test_what_does_not_touch_the_kidney_is_no_lesion_of_it():
    volume = image(((35, 35, 30), 8, 200), ((35, 35, 46), 4, 300))  # 6 mm between them
    assert not find(volume).labels.any()


def test_a_thin_rim_around_the_outline_is_not_added_but_what_goes_far_is():
    volume = image(((35, 35, 30), 17.5, 300), KIDNEY)  # 2 mm of something denser all around
    rim = find(volume)
    assert not rim.labels.any()
    bulge = find(image(((35, 35, 30), 17.5, 300), ((35, 35, 48), 7, 300), KIDNEY))
    assert volume_ml(bulge, MASS) > 0.5 * ball_ml(7)


def test_beyond_a_doubtful_outline_a_lesion_needs_no_more_than_inside():
    volume = image(((35, 35, 48), 12, 300), KIDNEY)
    for doubtful in (False, True):
        found = find(volume, doubt=8.6, doubtful=doubtful)  # 0.6 at best; outside, 0.65 counts
        assert (volume_ml(found, MASS) > 0.5 * ball_ml(12)) == doubtful


def test_specks_are_left_out():
    volume = image(KIDNEY, ((35, 24, 25), 1, 150))
    assert not find(volume).labels.any()
    assert volume_ml(find(volume, rules=replace(LESION_RULES, smallest_lesion_mm=2.0)), CYST) > 0


def test_an_uncertain_lesion_is_left_out():
    volume = image(KIDNEY, ((35, 24, 25), 6, 300))
    # 0.52 at best: the made kidney's outline leaves the lesion out, so it lies outside.
    assert not find(volume, doubt=8.9).labels.any()
    assert find(volume, doubt=8.9, rules=replace(LESION_RULES, least_outside_confidence=0.45)).labels.any()
    assert find(volume, doubt=8.0).labels.any()  # 0.73


def test_necrosis_is_part_of_its_mass_but_a_cyst_beside_a_mass_stays_a_cyst():
    necrotic = find(image(KIDNEY, ((35, 24, 25), 8, 300), ((35, 24, 25), 4, 150)))
    assert volume_ml(necrotic, CYST) == 0
    assert volume_ml(necrotic, MASS) == pytest.approx(ball_ml(8), rel=0.06)
    both = find(image(KIDNEY, ((35, 24, 25), 6, 300), ((35, 24, 36), 6, 150)))
    assert volume_ml(both, CYST) > 0.7 * ball_ml(6) and volume_ml(both, MASS) > 0.7 * ball_ml(6)


def test_a_lesion_never_takes_voxels_of_the_other_kidney():
    labels = np.zeros((4, 4, 8), np.uint8)
    labels[..., :3], labels[..., 5:] = 1, 2
    everywhere = (slice(0, 4), slice(0, 4), slice(0, 8))
    lesion = FoundLesions(everywhere, np.full(labels.shape, MASS, np.uint8), np.full(labels.shape, 80, np.uint8), ())
    percent = draw_lesions([lesion], [Side.RIGHT], labels)
    assert (labels[..., :5] == MASS).all() and (labels[..., 5:] == 2).all()
    assert percent is not None and (percent[..., :5] == 80).all() and not percent[..., 5:].any()


def test_no_lesion_has_no_certainty():
    labels = np.zeros((4, 4, 8), np.uint8)
    none = FoundLesions((slice(0, 4), slice(0, 4), slice(0, 8)), labels.copy(), labels.copy(), ())
    assert draw_lesions([none], [Side.LEFT], labels) is None
    assert Confidence.within(labels, labels) is None
    stones = labels + np.uint8(5)
    assert Confidence.within(stones, labels) is None


@pytest.mark.parametrize("permutation", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
@pytest.mark.parametrize("flips", [(False, False, False), (True, False, True)])
def test_the_whole_way_with_lesions_however_the_axes_are_stored(tmp_path, monkeypatch, permutation, flips):
    def networks(*_):
        made = {s.name: Predictor(s, (Bright(),), torch.device("cpu"), torch.float32) for s in STAGES}
        levels = (200, 60, 300)
        return {
            **made,
            "organ": predictor(ORGAN, AnyOf(levels)),
            "lesion": predictor(STAGE, ByDifference(levels=levels)),
        }

    monkeypatch.setattr(load, "load_predictors", networks)
    bundle = made_bundle(tmp_path, *STAGES, ORGAN, STAGE)
    volume = body(((-65.0, 20.0, 585.0), (25.0, 25.0, 50.0)), ((65.0, 20.0, 600.0), (20.0, 20.0, 40.0)))
    k, j, i = np.meshgrid(*map(np.arange, volume.voxels.shape), indexing="ij")
    points = volume.to_lps(np.stack((k, j, i), -1))
    cyst = np.linalg.norm(points - (-80.0, 20.0, 585.0), axis=-1) < 12
    stored = reoriented(volume.like(np.where(cyst, 300, volume.voxels).astype(np.int16)), permutation, flips)
    result = segmented(stored, bundle)
    where = np.argwhere(result.labels == CYST)
    assert np.allclose(stored.to_lps(where).mean(axis=0), (-80.0, 20.0, 585.0), atol=1.5)
    # its border voxels have densities in between, which this network knows as nothing
    assert len(where) * stored.voxel_volume == pytest.approx(4 / 3 * np.pi * 12**3, rel=0.25)
    found = result.segmentation
    assert found.confidence is not None
    inside = found.labels[found.confidence.box]
    assert found.confidence.percent[inside == CYST].mean() > 90
    assert inside.size < result.labels.size / 10


class Faint(Bright):
    """A probability of 0.77 at most."""

    def forward(self, tile: torch.Tensor) -> torch.Tensor:
        return super().forward(tile).clamp(max=1.2)


@pytest.mark.parametrize("network", [Bright(), Faint()])
def test_the_outline_of_a_doubtful_kidney_is_no_measure_of_its_lesions(tmp_path, monkeypatch, network):
    levels = (200, 60, 300)
    parts = {
        "locator": Bright(),
        "kidney": network,
        "organ": AnyOf(levels),
        "lesion": ByDifference(8.6, levels),  # a probability of 0.6
    }
    monkeypatch.setattr(load, "load_predictors", lambda *_: {s.name: predictor(s, parts[s.name]) for s in stages})
    stages = (*STAGES, ORGAN, STAGE)
    volume = body(((-65.0, 20.0, 585.0), (25.0, 25.0, 50.0)), ((65.0, 20.0, 600.0), (20.0, 20.0, 40.0)))
    k, j, i = np.meshgrid(*map(np.arange, volume.voxels.shape), indexing="ij")
    mass = np.linalg.norm(volume.to_lps(np.stack((k, j, i), -1)) - (-100.0, 20.0, 585.0), axis=-1) < 18
    result = segmented(volume.like(np.where(mass, 60, volume.voxels).astype(np.int16)), made_bundle(tmp_path, *stages))
    found = (result.labels == MASS).sum() > 0.5 * mass.sum()
    doubtful = any(flag.code == "kidney_doubtful" for flag in result.segmentation.flags)
    assert found == doubtful == isinstance(network, Faint)
