"""A kidney with all that belongs to it, with a network that knows tissues by density.

No border between two tissues of the images passes through the density of a third one.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from bundle_cases import RENAL_RULES, made_bundle
from result_cases import segmented
from test_segmentation_lesions import KIDNEY, LEVELS, SPACING, ball_ml, image, outline, volume_ml
from test_segmentation_pipeline import STAGES, Bright, body, reoriented

from KidneySegLib.bundles.network import NetworkPlan
from KidneySegLib.bundles.plan import StagePlan
from KidneySegLib.bundles.rules import RenalRules
from KidneySegLib.inference.predict import Predictor
from KidneySegLib.segmentation import load
from KidneySegLib.segmentation.kidneys.outline import Outline
from KidneySegLib.segmentation.kidneys.renal import find_renal
from KidneySegLib.segmentation.lesions.find import FoundLesions
from KidneySegLib.segmentation.lesions.kind import CYST, MASS
from KidneySegLib.structures import Side
from KidneySegLib.volume import Volume

OUTPUTS = ("background", "kidney", "mass", "cyst")
STAGE = StagePlan(
    "renal",
    NetworkPlan("unet3d", (4, 8, 8), OUTPUTS, ("image", "soft"), exclusive=True),
    (1.5, 1.5, 1.5),
    (-160.0, 340.0),
    (64, 64, 64),
)


class ByDensity(torch.nn.Module):
    """Kidney, mass and cyst by HU alone; ``doubt`` is the logit of background everywhere."""

    def __init__(self, doubt: float = 0.0, levels: tuple[int, int, int] = LEVELS) -> None:
        super().__init__()
        self.doubt, self.levels = doubt, levels

    def forward(self, tile: torch.Tensor) -> torch.Tensor:
        hu = (tile[:, :1] + 1) * 250 - 160
        near = [(20 - (hu - level).abs()).clamp(-9, 9) for level in self.levels]
        return torch.cat([torch.full_like(hu, self.doubt), *near], dim=1)


def predictor(doubt: float = 0.0, levels: tuple[int, int, int] = LEVELS) -> Predictor:
    return Predictor(STAGE, (ByDensity(doubt, levels),), torch.device("cpu"), torch.float32)


def find(
    volume: Volume, *, side: Side = Side.RIGHT, doubt: float = 0.0, rules: RenalRules = RENAL_RULES
) -> tuple[Outline, FoundLesions]:
    return find_renal(volume, outline(volume, side), predictor(doubt), rules, lambda done: None)


@pytest.mark.parametrize("side", list(Side))
def test_a_mass_and_a_cyst_are_found_where_they_are_and_belong_to_the_kidney(side: Side) -> None:
    volume = image(KIDNEY, ((35, 24, 25), 6, 300), ((42, 42, 36), 5.5, 150))
    whole, found = find(volume, side=side)
    assert volume_ml(found, MASS) == pytest.approx(ball_ml(6), rel=0.06)
    assert volume_ml(found, CYST) == pytest.approx(ball_ml(5.5), rel=0.06)
    for label, centre in ((MASS, (35, 24, 25)), (CYST, (42, 42, 36))):
        middle = np.argwhere(found.labels == label).mean(axis=0) + [b.start for b in found.box]
        assert np.allclose(middle, centre, atol=0.3)
    assert found.percent[found.labels > 0].min() > 50
    assert whole.mask[found.labels > 0].all()
    assert whole.volume_ml == pytest.approx(ball_ml(16), rel=0.03)


def test_the_box_follows_a_mass_that_leaves_it() -> None:
    volume = image(((35, 35, 62), 20, 300), KIDNEY)
    whole, found = find(volume)
    assert found.box[2].stop > 80
    assert volume_ml(found, MASS) == pytest.approx(float((volume.voxels == 300).sum()) * SPACING**3 / 1000, rel=0.03)
    assert whole.volume_ml == pytest.approx(float((volume.voxels != 250).sum()) * SPACING**3 / 1000, rel=0.03)


def test_a_mass_that_the_image_cuts_makes_the_kidney_a_cut_one() -> None:
    assert not find(image(KIDNEY))[0].cut
    assert find(image(((35, 35, 75), 20, 300), ((35, 35, 48), 10, 300), KIDNEY))[0].cut


def test_what_does_not_touch_the_kidney_is_no_lesion_of_it() -> None:
    volume = image(((35, 35, 30), 8, 200), ((35, 35, 46), 4, 300))  # 6 mm between them
    whole, found = find(volume)
    assert not found.labels.any() and whole.volume_ml == pytest.approx(ball_ml(8), rel=0.05)


def test_on_healthy_tissue_both_networks_decide_and_where_a_lesion_is_likely_the_renal_one_alone() -> None:
    volume = image(((35, 35, 46), 6, 200), KIDNEY)  # a bulge of healthy tissue that the outline leaves out
    kidney = outline(volume)
    ball = np.indices(volume.voxels.shape)
    known = sum((g - c) ** 2 for g, c in zip(ball, KIDNEY[0], strict=True)) <= KIDNEY[1] ** 2
    without = Outline(
        kidney.side, kidney.box, known[kidney.box], known[kidney.box].astype(np.float32) * 0.9, 0.9, 90.0, False, ()
    )
    whole, _ = find_renal(volume, without, predictor(doubt=8.5), RENAL_RULES, lambda done: None)
    assert whole.volume_ml == pytest.approx(ball_ml(16), rel=0.03)
    lesion = image(((35, 35, 46), 6, 300), KIDNEY)
    assert volume_ml(find_renal(lesion, without, predictor(), RENAL_RULES, lambda done: None)[1], MASS) > 0.5 * ball_ml(
        6
    )


def test_a_kidney_that_only_the_outline_knows_is_kept() -> None:
    volume = image(((35, 35, 30), 16, 40))  # of a density that the network does not know
    box = (slice(15, 56), slice(15, 56), slice(10, 51))
    mask = volume.voxels[box] == 40
    alone = Outline(Side.RIGHT, box, mask, mask.astype(np.float32) * 0.8, 0.8, 100.0, False, ())
    whole, found = find_renal(volume, alone, predictor(doubt=9.0), RENAL_RULES, lambda done: None)
    assert whole.volume_ml == pytest.approx(ball_ml(16), rel=0.03) and not found.labels.any()


def test_specks_are_left_out() -> None:
    volume = image(KIDNEY, ((35, 24, 25), 1, 150))
    assert not find(volume)[1].labels.any()
    assert volume_ml(find(volume, rules=replace(RENAL_RULES, smallest_lesion_mm=2.0))[1], CYST) > 0


def test_necrosis_is_part_of_its_mass_but_a_cyst_beside_a_mass_stays_a_cyst() -> None:
    _, necrotic = find(image(KIDNEY, ((35, 24, 25), 8, 300), ((35, 24, 25), 4, 150)))
    assert volume_ml(necrotic, CYST) == 0
    assert volume_ml(necrotic, MASS) == pytest.approx(ball_ml(8), rel=0.06)
    _, both = find(image(KIDNEY, ((35, 24, 25), 6, 300), ((35, 24, 36), 6, 150)))
    assert volume_ml(both, CYST) > 0.7 * ball_ml(6) and volume_ml(both, MASS) > 0.7 * ball_ml(6)


@pytest.mark.parametrize("permutation", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
@pytest.mark.parametrize("flips", [(False, False, False), (True, False, True)])
def test_the_whole_way_with_lesions_however_the_axes_are_stored(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    permutation: tuple[int, int, int],
    flips: tuple[bool, bool, bool],
) -> None:
    def networks(*_: object) -> dict[str, Predictor]:
        made = {s.name: Predictor(s, (Bright(),), torch.device("cpu"), torch.float32) for s in STAGES}
        return {**made, "renal": predictor(levels=(200, 60, 300))}

    monkeypatch.setattr(load, "load_predictors", networks)
    bundle = made_bundle(tmp_path, *STAGES, STAGE)
    volume = body(((-65.0, 20.0, 585.0), (25.0, 25.0, 50.0)), ((65.0, 20.0, 600.0), (20.0, 20.0, 40.0)))
    k, j, i = np.meshgrid(*map(np.arange, volume.voxels.shape), indexing="ij")
    points = volume.to_lps(np.stack((k, j, i), -1))
    cyst = np.linalg.norm(points - (-80.0, 20.0, 585.0), axis=-1) < 12
    stored = reoriented(volume.like(np.where(cyst, 300, volume.voxels).astype(np.int16)), permutation, flips)
    result = segmented(stored, bundle)
    where = np.argwhere(result.labels == CYST)
    assert np.allclose(stored.to_lps(where).mean(axis=0), (-80.0, 20.0, 585.0), atol=1.5)
    # its border voxels have densities in between, which this network knows as nothing
    assert len(where) * stored.voxel_volume == pytest.approx(4 / 3 * np.pi * 12**3, rel=0.3)
    found = result.segmentation
    assert found.confidence is not None
    inside = found.labels[found.confidence.box]
    assert (found.confidence.percent[inside == CYST] >= 50).all()
