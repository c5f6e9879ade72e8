"""Borders of cysts made of balls with noise, 1 mm in plane, 2 mm slices, drawn too large by a network."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from KidneySegLib.segmentation.lesions.border import refine_cysts
from KidneySegLib.segmentation.lesions.kind import CYST, MASS

SPACING = (2.0, 1.0, 1.0)
SHAPE = (40, 80, 80)
PARENCHYMA, FLUID, FAT = 32.0, 8.0, -100.0


def ball(radius_mm: float, centre_mm: tuple[float, float, float] = (40, 40, 40)) -> np.ndarray:
    grid = np.indices(SHAPE)
    squares = ((g * s - c) ** 2 for g, s, c in zip(grid, SPACING, centre_mm, strict=True))
    return np.asarray(sum(squares) <= radius_mm**2)


KIDNEY = ball(32)


def image(cyst: np.ndarray, *, fluid: float = FLUID, noise: float = 12.0) -> np.ndarray:
    """A blurred image with noise."""
    clean = np.where(cyst, fluid, np.where(KIDNEY, PARENCHYMA, FAT)).astype(np.float32)
    blurred = gaussian_filter(clean, [0.4, 0.8, 0.8])
    return np.round(blurred + np.random.default_rng(0).normal(0, noise, SHAPE)).astype(np.int16)


def marked(mask: np.ndarray, kind: int = CYST) -> np.ndarray:
    return np.where(mask, kind, 0).astype(np.uint8)


def dice(a: np.ndarray, b: np.ndarray) -> float:
    return float(2 * (a & b).sum() / (a.sum() + b.sum()))


@pytest.mark.parametrize(("radius", "drawn_radius"), [(12, 15.5), (12, 14), (7, 9), (20, 23)])
def test_a_border_that_lies_too_far_out_goes_to_where_the_fluid_ends(radius, drawn_radius):
    cyst, drawn = ball(radius), ball(drawn_radius)
    found = refine_cysts(marked(drawn), KIDNEY, image(cyst), SPACING) == CYST
    assert dice(found, cyst) > 0.95 > dice(drawn, cyst)
    assert found.sum() == pytest.approx(cyst.sum(), rel=0.06)


def test_nothing_is_added_and_a_right_border_stays():
    cyst = ball(12)
    for drawn in (ball(10), cyst):
        found = refine_cysts(marked(drawn), KIDNEY, image(cyst), SPACING) == CYST
        assert not (found & ~drawn).any() and dice(found, drawn) > 0.97


def test_a_cyst_at_the_surface_takes_no_fat_and_no_rim_of_the_kidney():
    cyst = ball(12, (40, 40, 64)) & KIDNEY
    drawn = ball(14, (40, 40, 64)) & KIDNEY
    found = refine_cysts(marked(drawn), KIDNEY, image(cyst), SPACING) == CYST
    assert dice(found, cyst) > dice(drawn, cyst)
    assert not (found & ~KIDNEY).any()


def test_what_hardly_differs_from_the_parenchyma_stays_as_the_network_drew_it():
    drawn = marked(ball(14))
    assert (refine_cysts(drawn, KIDNEY, image(ball(12), fluid=PARENCHYMA - 4), SPACING) == drawn).all()
    noisy = image(ball(12), noise=150.0)
    assert (refine_cysts(drawn, KIDNEY, noisy, SPACING) == drawn).all()


def test_masses_and_voxels_of_other_lesions_stay():
    cyst, mass = ball(10, (40, 40, 34)), ball(8, (40, 40, 52))
    labels = marked(ball(8, (40, 40, 34)))
    labels[mass] = MASS
    found = refine_cysts(labels, KIDNEY, image(cyst | mass), SPACING)  # the mass is as dark as the cyst
    assert (found[mass] == MASS).all()
    assert (refine_cysts(marked(mass, MASS), KIDNEY, image(cyst), SPACING) == marked(mass, MASS)).all()


def test_a_cyst_of_few_voxels_stays():
    drawn = marked(ball(3))
    assert (refine_cysts(drawn, KIDNEY, image(ball(4)), SPACING) == drawn).all()
    assert not refine_cysts(np.zeros(SHAPE, np.uint8), KIDNEY, image(ball(4)), SPACING).any()


def test_a_cyst_never_vanishes():
    drawn = marked(ball(14))
    speckled = np.random.default_rng(1).random(SHAPE) < 0.5  # no part of it is thick enough to stay
    hu = np.where(ball(14), np.where(speckled, -200, 200), 300).astype(np.int16)
    assert (refine_cysts(drawn, KIDNEY, hu, SPACING) == CYST).any()
