"""Solid or cystic: by the network, overruled where a lesion is plainly water. Bodies are far from any limit."""

from dataclasses import replace

import numpy as np
import pytest
from bundle_cases import LESION_RULES

from KidneySegLib.segmentation.lesions.kind import CYST, MASS, decide_kinds

SPACING = (2.0, 1.0, 1.0)  # k, j, i


def ball(radius_mm: float, *, centre: float = 25.0) -> np.ndarray:
    k, j, i = np.indices((25, 50, 50))
    return ((k * 2.0 - centre) ** 2 + (j - centre) ** 2 + (i - centre) ** 2) <= radius_mm**2


def image(level: float, inside: np.ndarray, *, noise: float = 15.0, around: float = 150.0) -> np.ndarray:
    rng = np.random.default_rng(0)
    return (np.where(inside, level, around) + rng.normal(0, noise, inside.shape)).astype(np.int16)


def kinds(hu: np.ndarray, mask: np.ndarray, solid: np.ndarray, share: float = 0.25) -> set[int]:
    labels = decide_kinds(mask, solid, hu, SPACING, replace(LESION_RULES, other_kind_share=share))
    assert ((labels > 0) == mask).all()
    return set(np.unique(labels[mask]).tolist())


@pytest.mark.parametrize("level", [-5, 5, 15])
def test_homogeneous_water_is_a_cyst_whatever_the_network_says(level):
    mask = ball(14)
    assert kinds(image(level, mask), mask, mask) == {CYST}


@pytest.mark.parametrize("level", [-80, 40, 90])
def test_what_is_not_water_stays_what_the_network_says(level):
    mask = ball(14)
    assert kinds(image(level, mask), mask, mask) == {MASS}
    assert kinds(image(level, mask), mask, ~mask) == {CYST}


def test_a_necrotic_mass_with_a_living_rim_stays_solid():
    mask = ball(18)
    hu = image(10, ball(10), around=90.0)
    assert kinds(hu, mask, mask) == {MASS}


def test_a_small_share_of_the_other_kind_joins_the_main_one_and_a_large_one_does_not():
    mask = ball(14)
    hu = image(90, mask)
    columns = np.indices(mask.shape)[2]
    assert kinds(hu, mask, mask & (columns > 18)) == {MASS}
    assert kinds(hu, mask, mask & (columns > 33)) == {CYST}
    assert kinds(hu, mask, mask & (columns > 25)) == {MASS, CYST}


def test_specks_of_the_other_kind_are_no_lesions_of_their_own():
    mask = ball(14)
    half = np.indices(mask.shape)[2] > 25
    specks = np.zeros_like(mask)
    specks[12, 25, 18:20] = specks[12, 25, 32:34] = True  # 4 mm³ each
    labels = decide_kinds(mask, mask & (half ^ specks), image(90, mask), SPACING, LESION_RULES)
    assert (labels[mask & half] == MASS).all() and (labels[mask & ~half] == CYST).all()


def test_every_lesion_is_judged_by_itself():
    water, tissue = ball(8, centre=12.0), ball(8, centre=37.0)
    hu = np.where(water, 5, image(90, tissue)).astype(np.int16)
    labels = decide_kinds(water | tissue, water | tissue, hu, SPACING, LESION_RULES)
    assert (labels[water] == CYST).all() and (labels[tissue] == MASS).all()


def test_nothing_is_nothing():
    empty = np.zeros((4, 4, 4), bool)
    assert not decide_kinds(empty, empty, np.zeros((4, 4, 4), np.int16), SPACING, LESION_RULES).any()
