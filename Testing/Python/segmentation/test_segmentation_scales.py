"""Large organs and small cysts are judged at the scales at which the networks know them."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from bundle_cases import LESION_RULES
from pydantic import TypeAdapter, ValidationError
from test_segmentation_lesions import (
    KIDNEY,
    ORGAN,
    SPACING,
    STAGE,
    AnyOf,
    ByDifference,
    ball_ml,
    image,
    outline,
    predictor,
    volume_ml,
)

from KidneySegLib.bundles.rules import OrganLesionRules
from KidneySegLib.geometry.boxes import in_box
from KidneySegLib.segmentation.kidneys.organ import OrganMask, find_organ
from KidneySegLib.segmentation.lesions.find import FoundLesions, find_lesions, with_borders
from KidneySegLib.segmentation.lesions.kind import CYST, MASS

MASS_BESIDE = ((35, 35, 55), 14, 300)


class UnsureOfLarge(AnyOf):
    """Where more than so many voxels are kidney, the end of the organ is out of sight: it is found, but not surely."""

    def __init__(self, most: float, doubt: float) -> None:
        super().__init__()
        self.most, self.doubt = most, doubt

    def forward(self, tile: torch.Tensor) -> torch.Tensor:
        sure = super().forward(tile)
        parenchyma = AnyOf((200, 200, 200))(tile)
        if int((parenchyma > 0).sum()) <= self.most:
            return sure
        return torch.where(parenchyma > 0, self.doubt, -self.doubt)


class AtMost(AnyOf):
    """Finds the organ, no surer of it than so many logits."""

    def __init__(self, most: float) -> None:
        super().__init__()
        self.most = most

    def forward(self, tile: torch.Tensor) -> torch.Tensor:
        return super().forward(tile).clamp(-9, self.most)


class KnownWhenLarge(ByDifference):
    """Masses are always seen, cysts where more than so many voxels are kidney; ``doubt`` of what is seen then."""

    def __init__(self, fewest: float, doubt: float) -> None:
        super().__init__()
        self.fewest, self.fine_doubt = fewest, doubt

    def forward(self, tile: torch.Tensor) -> torch.Tensor:
        logits = super().forward(tile)
        if int((logits[:, 0] > 0).sum()) > self.fewest:
            return torch.cat([logits[:, :1].clamp(min=self.fine_doubt), logits[:, 1:]], dim=1)
        parenchyma, mass, cyst = logits.split(1, dim=1)
        return torch.cat([parenchyma.maximum(cyst), mass, torch.full_like(cyst, -9.0)], dim=1)


def organ_at(scales: tuple[float, ...], network: torch.nn.Module, patch: int = 48) -> OrganMask:
    volume = image(MASS_BESIDE, KIDNEY)
    stage = replace(ORGAN, patch=(patch,) * 3, scales=scales)
    return find_organ(volume, outline(volume), predictor(stage, network), lambda done: None)


def lesions_at(fine: tuple[float, ...], doubt: float = -9.0) -> FoundLesions:
    volume = image(KIDNEY, ((35, 24, 25), 6, 300), ((42, 42, 36), 5.5, 150))
    kidney = outline(volume)
    organ = find_organ(volume, kidney, predictor(ORGAN, AnyOf()), lambda done: None)
    stage = replace(STAGE, patch=(96, 96, 96), scales=(1.0,))
    network = KnownWhenLarge(20_000, doubt)
    rules = replace(LESION_RULES, fine_scales=fine)
    return find_lesions(volume, kidney, organ, predictor(stage, network), rules, lambda done: None)


def test_an_organ_that_is_too_large_for_a_patch_is_found_on_a_coarser_grid():
    network = UnsureOfLarge(most=9000, doubt=0.3)
    fine, both = organ_at((1.0,), network), organ_at((1.0, 1.6), network)
    kidney, whole = ball_ml(16), float(np.count_nonzero(np.isin(image(MASS_BESIDE, KIDNEY).voxels, (200, 300))))
    assert fine.mask.sum() * SPACING**3 / 1000 == pytest.approx(kidney, rel=0.03)
    assert both.mask.sum() == pytest.approx(whole, rel=0.05)


def test_the_first_scale_counts_where_the_network_is_as_sure_there():
    network = UnsureOfLarge(most=9000, doubt=9.0)  # sure of the smaller organ at the first scale
    fine, both = organ_at((1.0,), network), organ_at((1.0, 1.6), network)
    assert fine.box == both.box and np.array_equal(fine.mask, both.mask)


def test_an_organ_that_fits_into_a_patch_needs_no_coarser_grid():
    network = UnsureOfLarge(most=9000, doubt=0.3)
    fine, both = organ_at((1.0,), network, patch=64), organ_at((1.0, 1.6), network, patch=64)
    assert fine.box == both.box and np.array_equal(fine.mask, both.mask)


def test_cysts_are_looked_for_at_the_fine_scales_and_masses_at_those_of_the_stage():
    without, found = lesions_at(()), lesions_at((0.7,))
    assert volume_ml(without, CYST) == 0
    assert volume_ml(found, CYST) == pytest.approx(ball_ml(5.5), rel=0.08)
    for one in (without, found):
        assert volume_ml(one, MASS) == pytest.approx(ball_ml(6), rel=0.06)


def test_the_confidence_of_a_mass_is_what_the_network_believes_at_the_fine_scales():
    sure, doubtful = lesions_at((0.7,)), lesions_at((0.7,), doubt=8.5)
    assert np.array_equal(sure.labels == MASS, in_box(doubtful.labels, doubtful.box, sure.box) == MASS)
    assert sure.percent[sure.labels == MASS].mean() > 90
    assert 50 < doubtful.percent[doubtful.labels == MASS].mean() < 75


def drawn(*balls: tuple[tuple[int, int, int], int, int]) -> np.ndarray:
    """A label map with balls: centre, radius, label."""
    labels = np.zeros((40, 40, 60), np.uint8)
    for centre, radius, label in balls:
        labels[sum((g - c) ** 2 for g, c in zip(np.indices(labels.shape), centre, strict=True)) <= radius**2] = label
    return labels


def test_a_mass_ends_where_the_fine_grids_see_its_end_and_is_as_probable_as_before():
    coarse, fine = drawn(((20, 20, 20), 8, MASS)), drawn(((20, 20, 20), 10, MASS))
    probability = np.where(coarse > 0, 0.7, 0.2)
    found = with_borders(coarse, fine, probability)
    assert np.array_equal(found, fine)
    assert np.allclose(probability[found > 0], 0.7) and np.allclose(probability[found == 0], 0.2)


def test_what_the_fine_grids_draw_otherwise_is_another_lesion_and_the_mass_stays():
    coarse = drawn(((20, 20, 20), 8, MASS), ((20, 20, 50), 6, CYST))
    for fine in (drawn(((20, 20, 30), 18, MASS)), drawn(((20, 20, 50), 8, MASS)), drawn()):
        assert np.array_equal(with_borders(coarse, fine, np.zeros(coarse.shape)), coarse)
    # and no mass takes what is a cyst
    touching = drawn(((20, 20, 20), 8, MASS), ((20, 20, 33), 5, CYST))
    found = with_borders(touching, drawn(((20, 20, 21), 10, MASS)), np.zeros(touching.shape))
    assert np.array_equal(found == CYST, touching == CYST) and (found == MASS).sum() > (touching == MASS).sum()


def test_lesions_know_how_surely_they_belong_to_the_organ():
    volume = image(MASS_BESIDE, KIDNEY)
    kidney, stage = outline(volume), replace(STAGE, patch=(96, 96, 96), scales=(1.0,))
    organ = find_organ(volume, kidney, predictor(ORGAN, AtMost(0.4)), lambda done: None)  # a probability of 0.6
    found = find_lesions(volume, kidney, organ, predictor(stage, ByDifference()), LESION_RULES, lambda done: None)
    mass, inside = found.labels == MASS, in_box(kidney.mask, kidney.box, found.box)
    known = found.organ_percent > 0
    assert (mass & known).sum() > 0.5 * mass.sum() > 0
    assert found.organ_percent[mass & known & ~inside].mean() == pytest.approx(60, abs=1)
    assert found.organ_percent[known & inside].mean() > 95  # what is outlined is kidney
    assert not known[0].any()  # and at the organ's border nothing is said


@pytest.mark.parametrize("fine", [(0.1,), (5.0,), (-1.0,), (float("nan"),), ("1",)])
def test_fine_scales_are_near_what_the_network_learnt_on(fine):
    given = {**{name: getattr(LESION_RULES, name) for name in LESION_RULES.__dataclass_fields__}, "fine_scales": fine}
    with pytest.raises(ValidationError, match="fine_scales"):
        TypeAdapter(OrganLesionRules).validate_python(given)
