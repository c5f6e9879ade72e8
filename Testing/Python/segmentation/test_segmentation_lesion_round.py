"""Cysts as round bodies: balls with noise that a network drew too small, too large, beside their place, or as one."""

import cc3d
import numpy as np
import pytest
from bundle_cases import LESION_RULES
from test_segmentation_lesion_border import FLUID, KIDNEY, SHAPE, SPACING, ball, dice, image, marked

from KidneySegLib.segmentation.kidneys.outline import Outline
from KidneySegLib.segmentation.lesions.find import FoundLesions, with_round
from KidneySegLib.segmentation.lesions.kind import CYST, MASS
from KidneySegLib.segmentation.lesions.round import round_cysts
from KidneySegLib.structures import Side
from KidneySegLib.volume import Volume

SMALLEST = 33.0  # voxels of a ball of 5 mm


def rounded(labels: np.ndarray, hu: np.ndarray) -> np.ndarray:
    return round_cysts(labels, KIDNEY, hu, SPACING, SMALLEST)


@pytest.mark.parametrize(
    "drawn",
    [ball(9), ball(16), ball(11, (40, 46, 40)), ball(18, (40, 40, 48)) & KIDNEY],
    ids=["too small", "too large", "beside its place", "much too large"],
)
def test_a_cyst_ends_where_its_fluid_does_wherever_it_was_drawn(drawn):
    cyst = ball(12)
    found = rounded(marked(drawn), image(cyst)) == CYST
    assert dice(found, cyst) > 0.94 > dice(drawn, cyst)


def test_a_cyst_at_the_surface_reaches_beyond_the_organ_and_takes_no_fat():
    cyst = ball(12, (40, 40, 70))
    found = rounded(marked(cyst & KIDNEY), image(cyst)) == CYST
    assert dice(found, cyst) > 0.9 > dice(cyst & KIDNEY, cyst)
    assert (found & ~KIDNEY).sum() > 0.6 * (cyst & ~KIDNEY).sum()


def test_cysts_that_were_drawn_as_one_are_found_one_by_one():
    one, other = ball(10, (40, 40, 31)), ball(7, (40, 40, 50))
    found = rounded(marked(ball(21) & KIDNEY & (one | other | ball(8))), image(one | other)) == CYST
    assert dice(found, one | other) > 0.93
    pieces = cc3d.connected_components(found, connectivity=26)
    assert all(max(dice(pieces == n, cyst) for n in np.unique(pieces[found])) > 0.9 for cyst in (one, other))


def test_fluid_that_is_not_round_is_not_lost():
    ring = ball(24) & ~ball(13) & (np.indices(SHAPE)[1] > 34)  # around a part that is no fluid
    found = rounded(marked(ring), image(ring)) == CYST
    assert dice(found, ring) > 0.9


def test_what_is_no_fluid_stays_as_the_network_drew_it():
    drawn = marked(ball(14))
    for hu in (image(ball(12), fluid=26.0), image(ball(12), fluid=48.0), image(ball(12)) + 60):
        assert (rounded(drawn, hu.astype(np.int16)) == drawn).all()
    assert not rounded(np.zeros(SHAPE, np.uint8), image(ball(4))).any()


def test_specks_beside_a_cyst_are_none():
    cyst = ball(12)
    labels = marked(cyst)
    labels[20, 20:22, 40] = CYST
    assert not rounded(labels, image(cyst))[20, 20:22, 40].any()


def test_a_drawing_that_holds_little_of_a_large_body_of_fluid_stays():
    stomach = ball(30, (40, 40, 40)) & (np.indices(SHAPE)[2] > 46)
    drawn = marked(ball(6, (40, 40, 50)))
    hu = image(stomach)
    assert (rounded(drawn, hu) == drawn).all()


def test_masses_and_other_cysts_stay_where_they_are():
    cyst, mass = ball(10, (40, 40, 34)), ball(8, (40, 40, 52))
    labels = marked(ball(8, (40, 40, 34)))
    labels[mass] = MASS
    found = rounded(labels, image(cyst | mass))  # the mass is as dark as the cyst
    assert (found[mass] == MASS).all()
    assert dice(found == CYST, cyst & ~mass) > 0.9


def test_what_is_added_is_as_probable_as_what_was_seen():
    cyst = ball(12, (40, 40, 70))
    volume = Volume(image(cyst), np.diag([1.0, 1.0, 2.0, 1.0]))
    whole = (slice(0, SHAPE[0]), slice(0, SHAPE[1]), slice(0, SHAPE[2]))
    inner = (slice(4, 36), slice(4, 76), slice(4, 74))
    kidney = Outline(Side.RIGHT, whole, KIDNEY, KIDNEY.astype(np.float32), 0.99, 100.0, False, ())
    labels = marked(cyst & KIDNEY)[inner]
    seen = FoundLesions(inner, labels, np.where(labels > 0, 70, 0).astype(np.uint8), (), np.full_like(labels, 95))
    found = with_round(seen, volume, kidney, LESION_RULES)
    new = (found.labels == CYST) & ~KIDNEY[found.box]
    assert new.any() and (found.percent[new] == 70).all()
    assert found.organ_percent is not None and not found.organ_percent[new].any()
    none = FoundLesions(inner, np.zeros_like(labels), np.zeros_like(labels), ())
    assert with_round(none, volume, kidney, LESION_RULES) is none


def test_a_cyst_that_the_image_cuts_is_found():
    cyst = ball(12, (4, 40, 40))
    found = rounded(marked(ball(9, (6, 40, 40))), image(cyst, fluid=FLUID)) == CYST
    assert dice(found, cyst) > 0.9
