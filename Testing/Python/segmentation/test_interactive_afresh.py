"""Bodies that are found afresh: a rim that is missing all around, and what else is too much than the part clicked."""

from __future__ import annotations

import numpy as np
import pytest
from lesion_cases import ball
from test_interactive_lesions import CYST, KIDNEY_HU, MASS, RIGHT, clicked, dice, filled, inside, room, voxel

from KidneySegLib.segmentation.interactive import lesion
from KidneySegLib.segmentation.interactive.afresh import alike, middle, missing_rim
from KidneySegLib.segmentation.interactive.answer import Answer
from KidneySegLib.segmentation.interactive.body import Body, Ground
from KidneySegLib.segmentation.interactive.click import Click
from KidneySegLib.segmentation.interactive.sphere import COUNT
from KidneySegLib.volume import Volume


def at(volume: Volume, *lps: float) -> tuple[int, int, int]:
    k, j, i = (int(index) for index in np.rint(voxel(volume, *lps)))
    return k, j, i


def everything(mask: np.ndarray) -> Answer:
    k, j, i = (slice(0, size) for size in mask.shape)
    return Answer((k, j, i), mask)


def spherical(volume: Volume, radius: float) -> Body:
    return Body(voxel(volume, 0, 0, 0), np.full(COUNT, radius))


def test_a_wide_rim_of_a_lesion_beside_another_comes_back_with_one_click(monkeypatch: pytest.MonkeyPatch) -> None:
    volume = room()
    mask = inside(ball((0.0, 0.0, 0.0), 13.0), volume)
    other = inside(ball((20.0, 0.0, 0.0), 8.0), volume) & ~mask
    core = inside(ball((0.0, 0.0, 0.0), 8.0), volume)
    image = filled(volume, (mask, 60.0), (other, 60.0))
    labels = np.where(core | other, CYST, RIGHT).astype(np.uint8)
    found = (clicked(image, labels, -10.5, 0, 0) == CYST) & ~other
    assert dice(found, mask) > 0.93
    monkeypatch.setattr(lesion, "missing_rim", lambda *_: None)
    assert dice((clicked(image, labels, -10.5, 0, 0) == CYST) & ~other, mask) < dice(found, mask) - 0.02


def test_a_body_is_a_rim_only_all_around_near_the_click_and_of_the_same_tissue() -> None:
    volume = room()
    mask = inside(ball((0.0, 0.0, 0.0), 12.0), volume)
    core = inside(ball((0.0, 0.0, 0.0), 8.0), volume)
    labels = np.where(core, CYST, RIGHT).astype(np.uint8)
    click = Click(at(volume, 10, 0, 0), CYST, adds=True)
    ball_drawn = (voxel(volume, 0, 0, 0), 20.0)

    def rim(image: Volume, radius: float, gained: np.ndarray) -> Answer | None:
        ground = Ground(image, labels, CYST, (0, RIGHT, CYST), drawn=True)
        return missing_rim(ground, spherical(volume, radius), everything(gained), click, (), ball_drawn)

    image = filled(volume, (mask, 60.0))
    found = rim(image, 12.0, mask & ~core)
    assert found is not None
    whole = core.copy()
    whole[found.box] |= found.mask
    np.testing.assert_array_equal(whole, mask)
    one_side = np.arange(mask.shape[2]) > mask.shape[2] // 2
    assert rim(image, 12.0, mask & ~core & one_side) is None
    # most of what it would take lies far beyond twice the click's distance
    assert rim(image, 24.0, inside(ball((0.0, 0.0, 0.0), 24.0), volume) & ~core) is None
    # the rim is another tissue than core and surroundings, which are alike
    assert rim(filled(volume, (mask & ~core, 300.0)), 12.0, mask & ~core) is None


def test_half_of_a_lesion_that_is_lost_is_no_rim() -> None:
    volume = room()
    mask = inside(ball((0.0, 0.0, 0.0), 12.0), volume)
    half = mask & (np.arange(mask.shape[2]) < mask.shape[2] // 2)
    ground = Ground(filled(volume, (mask, 60.0)), np.where(half, CYST, RIGHT).astype(np.uint8), CYST, (0, RIGHT, CYST))
    click = Click(at(volume, 5, 0, 0), CYST, adds=True)
    drawn = (voxel(volume, -5, 0, 0), 14.0)
    assert missing_rim(ground, spherical(volume, 13.0), everything(mask & ~half), click, (), drawn) is None


def lumpy(volume: Volume) -> tuple[Volume, np.ndarray, np.ndarray, np.ndarray]:
    """A cyst that was drawn with a lump of kidney on both sides: image, cyst, both lumps."""
    mask = inside(ball((0.0, 0.0, 0.0), 11.0), volume)
    right = inside(ball((14.0, 0.0, 0.0), 6.0), volume) & ~mask
    left = inside(ball((-14.0, 0.0, 0.0), 5.0), volume) & ~mask
    return filled(volume, (mask, KIDNEY_HU - 60)), mask, right, left


def test_what_looks_like_what_was_clicked_goes_with_it_wherever_it_lies() -> None:
    volume = room()
    image, mask, right, left = lumpy(volume)
    labels = np.where(mask | right | left, CYST, RIGHT).astype(np.uint8)
    found = clicked(image, labels, 14, 0, 0, adds=False) == CYST
    assert not (found & (labels != CYST)).any()
    assert np.count_nonzero(found & left) < 0.3 * np.count_nonzero(left)
    assert dice(found, mask) > 0.95
    mass = np.where(mask | right | left, MASS, RIGHT).astype(np.uint8)
    found = clicked(image, mass, 14, 0, 0, label=MASS, adds=False) == MASS
    assert np.count_nonzero(found & left) > 0.9 * np.count_nonzero(left)


def test_another_cyst_beyond_the_body_stays_with_its_rim() -> None:
    volume = room()
    mask = inside(ball((0.0, 0.0, 0.0), 10.0), volume)
    other = inside(ball((-17.0, 0.0, 0.0), 7.0), volume) & ~mask
    lump = inside(ball((13.0, 0.0, 0.0), 6.0), volume) & ~mask
    image = filled(volume, (mask | other, 20.0))
    labels = np.where(mask | other | lump, CYST, RIGHT).astype(np.uint8)
    found = clicked(image, labels, 14, 0, 0, adds=False) == CYST
    assert np.count_nonzero(found & other) > 0.97 * np.count_nonzero(other)
    assert np.count_nonzero(found & lump) < 0.2 * np.count_nonzero(lump)


def test_what_is_alike_stays_where_tissues_are_alike_or_it_is_most_of_all_or_was_said_to_be_inside() -> None:
    volume = room()
    image, mask, right, left = lumpy(volume)
    labels = np.where(mask | right | left, CYST, RIGHT).astype(np.uint8)

    def taken(image: Volume, radius: float, *kept: tuple[float, float, float]) -> np.ndarray:
        ground = Ground(image, labels, CYST, (0, RIGHT, CYST))
        places = [np.array(at(volume, *place)) for place in kept]
        answer = alike(ground, spherical(volume, radius), everything(right), places)
        whole = np.zeros_like(mask)
        whole[answer.box] = answer.mask
        return whole

    found = taken(image, 11.0)
    assert np.count_nonzero(found & left) > 0.7 * np.count_nonzero(left)
    assert np.count_nonzero(found & mask) < 0.03 * np.count_nonzero(mask)
    assert found[at(volume, -14, 0, 0)] and not taken(image, 11.0, (-14.0, 0.0, 0.0))[at(volume, -14, 0, 0)]
    assert not taken(filled(volume), 11.0).any()
    most = filled(volume, (inside(ball((0.0, 0.0, 0.0), 5.0), volume), KIDNEY_HU - 60))
    assert not taken(most, 5.0).any()


def test_the_middle_of_a_structure_near_a_place() -> None:
    volume = room((1.0, 1.0, 2.0))
    mask = inside(ball((3.0, 0.0, 0.0), 8.0), volume)
    far = inside(ball((-24.0, 0.0, 0.0), 6.0), volume)
    place = voxel(volume, 0, 0, 0)
    found = middle(volume, lambda box: (mask | far)[box], place, 15.0)
    np.testing.assert_allclose(found, voxel(volume, 3, 0, 0), atol=0.6)
    np.testing.assert_array_equal(middle(volume, lambda box: np.zeros_like(mask)[box], place, 15.0), place)
