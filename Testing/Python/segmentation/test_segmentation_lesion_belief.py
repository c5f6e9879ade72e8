"""Which lesions are believed: probabilities made of balls, 1 mm voxels."""

from dataclasses import replace

import numpy as np
import pytest
from bundle_cases import LESION_RULES

from KidneySegLib.segmentation.lesions.belief import believed, beyond_outline

SHAPE = (60, 60, 60)
SPACING = (1.0, 1.0, 1.0)
THRESHOLD = 0.2
RULES = replace(LESION_RULES, least_lesion_confidence=0.45, least_outside_confidence=0.65)


def ball(radius: float, centre: tuple[float, float, float] = (30, 30, 30)) -> np.ndarray:
    grid = np.indices(SHAPE)
    return sum((g - c) ** 2 for g, c in zip(grid, centre, strict=True)) <= radius**2


KIDNEY = ball(25)
BEYOND = beyond_outline(KIDNEY, SPACING)


def probabilities(*bodies: tuple[np.ndarray, float]) -> np.ndarray:
    """Bodies with their probability, later ones over earlier ones."""
    values = np.zeros(SHAPE, np.float32)
    for body, value in bodies:
        values[body] = value
    return values


def find(*bodies: tuple[np.ndarray, float]) -> np.ndarray:
    return believed(probabilities(*bodies), BEYOND, SPACING, THRESHOLD, RULES)


def test_a_lesion_that_runs_out_into_its_surroundings_is_found_without_them():
    lesion, leak = ball(8), ball(18)
    found = find((leak, 0.3), (lesion, 0.7))
    assert (found == lesion).all()


def test_a_faint_field_with_peaks_of_noise_is_no_lesion():
    rng = np.random.default_rng(0)
    noise = np.where(ball(18), rng.uniform(0.2, 0.6, SHAPE), 0).astype(np.float32)
    assert not believed(noise, BEYOND, SPACING, THRESHOLD, RULES).any()


@pytest.mark.parametrize(("probability", "sure"), [(0.5, True), (0.44, False)])
def test_a_lesion_with_a_clear_border_is_judged_as_a_whole(probability, sure):
    lesion = ball(8)
    # an even piece has no core: a higher level must not make more of it
    assert find((lesion, probability)).any() == sure


def test_what_lies_outside_the_outline_needs_more():
    bulge = ball(8, (30, 30, 60)) & ~KIDNEY
    assert not find((bulge, 0.5)).any()
    assert find((bulge, 0.7)).any()


def test_two_lesions_that_a_leak_joins_are_both_found():
    first, second = ball(6, (30, 30, 20)), ball(6, (30, 30, 40))
    found = find((ball(18), 0.25), (first, 0.8), (second, 0.6))
    assert (found == (first | second)).all()


def test_nothing_marked_is_nothing_found():
    assert not find().any()
