"""Clicks on lesions: made bodies in noise come whole, a rim that was lost comes back, and nothing else is touched."""

from __future__ import annotations

import numpy as np
import pytest
from lesion_cases import Shape, ball, ellipsoid

from KidneySegLib.segmentation.interactive import lesion, walked
from KidneySegLib.segmentation.interactive.answer import Answer, is_deepest
from KidneySegLib.segmentation.interactive.body import Ground, drawn_extent, grown, touches
from KidneySegLib.segmentation.interactive.click import Click
from KidneySegLib.segmentation.interactive.session import Session
from KidneySegLib.segmentation.interactive.sphere import COUNT, sphere
from KidneySegLib.segmentation.interactive.tissue import log_odds
from KidneySegLib.structures import BY_KEY
from KidneySegLib.volume import Volume

RIGHT, MASS, CYST = (BY_KEY[key].label for key in ("kidney_right", "mass", "cyst"))
KIDNEY_HU, NOISE_HU = 130.0, 20.0
EVEN = (1.0, 1.0, 1.0)
THICK = (0.8, 0.8, 4.0)


def room(spacing: tuple[float, float, float] = EVEN, size_mm: float = 64.0) -> Volume:
    """An empty image about the origin; spacing along i, j, k."""
    shape = tuple(int(size_mm / step) for step in spacing[::-1])
    matrix = np.diag([*spacing, 1.0])
    matrix[:3, 3] = -(np.array(spacing) * (np.array(shape[::-1]) - 1) / 2)
    return Volume(np.zeros(shape, np.int16), matrix)


def inside(shape: Shape, volume: Volume) -> np.ndarray:
    return shape(volume.to_lps(np.moveaxis(np.indices(volume.voxels.shape), 0, -1)))


def filled(volume: Volume, *bodies: tuple[np.ndarray, float]) -> Volume:
    """Kidney tissue in which bodies lie, with noise."""
    hu = np.full(volume.voxels.shape, KIDNEY_HU)
    for mask, value in bodies:
        hu[mask] = value
    noise = np.random.default_rng(5).normal(0, NOISE_HU, hu.shape)
    return volume.like(np.rint(hu + noise).astype(np.int16))


def dice(one: np.ndarray, other: np.ndarray) -> float:
    return float(2 * np.count_nonzero(one & other) / (np.count_nonzero(one) + np.count_nonzero(other)))


def voxel(volume: Volume, *lps: float) -> np.ndarray:
    return volume.to_kji(np.array(lps))


def clicked(image: Volume, labels: np.ndarray, *lps: float, label: int = CYST, adds: bool = True) -> np.ndarray:
    session = Session(image, labels)
    session.click(voxel(image, *lps), label, adds=adds)
    return session.labels


def kidney(volume: Volume) -> np.ndarray:
    return np.full(volume.voxels.shape, RIGHT, np.uint8)


@pytest.mark.parametrize("spacing", [EVEN, THICK, (2.0, 1.0, 1.0)])
@pytest.mark.parametrize("radius", [5.0, 9.0, 16.0])
def test_a_sphere_in_noise_has_its_radius(radius: float, spacing: tuple[float, float, float]) -> None:
    volume = room(spacing)
    mask = inside(ball((0.0, 0.0, 0.0), radius), volume)
    image = filled(volume, (mask, 60.0))
    ground = Ground(image, kidney(volume), CYST, (0, RIGHT))
    at = np.rint(voxel(volume, 0, 0, 0))
    body = grown(ground, at, [at], [], np.zeros_like)
    assert np.median(body.radii) == pytest.approx(radius, abs=0.15 * radius)
    assert dice(clicked(image, kidney(volume), 0, 0, 0) == CYST, mask) > (0.9 if spacing == EVEN else 0.85)


@pytest.mark.parametrize("place", [(0, 0, 0), (4, 2, 3)])
def test_an_ellipsoid_comes_whole_from_any_place_within(place: tuple[float, float, float]) -> None:
    volume = room()
    mask = inside(ellipsoid((0.0, 0.0, 0.0), (13.0, 9.0, 7.0)), volume)
    assert dice(clicked(filled(volume, (mask, 20.0)), kidney(volume), *place) == CYST, mask) > 0.9


def test_a_faint_small_lesion_comes_whole_where_the_walker_alone_leaves_half_of_it() -> None:
    volume = room()
    mask = inside(ball((0.0, 0.0, 0.0), 6.0), volume)
    image = filled(volume, (mask, KIDNEY_HU - 35))
    found = clicked(image, kidney(volume), 0, 0, 0, label=MASS) == MASS
    assert dice(found, mask) > 0.85
    at = tuple(int(index) for index in np.rint(voxel(volume, 0, 0, 0)))
    walk = walked.added(image, kidney(volume), Click((at[0], at[1], at[2]), MASS, adds=True), ())
    alone = np.zeros_like(mask)
    alone[walk.box] = walk.mask
    assert dice(alone, mask) < dice(found, mask) - 0.1


def test_a_body_ends_at_a_brighter_one_that_it_touches() -> None:
    volume = room()
    mask = inside(ball((0.0, 0.0, 0.0), 9.0), volume)
    vessel = inside(ball((17.0, 0.0, 0.0), 9.0), volume) & ~mask
    found = clicked(filled(volume, (mask, 20.0), (vessel, 300.0)), kidney(volume), 0, 0, 0) == CYST
    assert dice(found, mask) > 0.9
    assert np.count_nonzero(found & vessel) < 0.01 * np.count_nonzero(vessel)


def test_a_click_on_the_border_finds_the_body_and_a_click_in_its_middle_completes_it() -> None:
    volume = room()
    mask = inside(ball((0.0, 0.0, 0.0), 9.0), volume)
    session = Session(filled(volume, (mask, 20.0)), kidney(volume))
    session.click(voxel(volume, 8, 0, 0), CYST, adds=True)
    first = session.labels == CYST
    assert np.count_nonzero(first & ~mask) < 0.3 * np.count_nonzero(mask)
    session.click(voxel(volume, -3, 0, 0), CYST, adds=True)
    assert dice(session.labels == CYST, mask) > 0.85


@pytest.mark.parametrize("spacing", [EVEN, (2.5, 2.5, 5.0)])
def test_a_lesion_of_one_voxel_stays_small(spacing: tuple[float, float, float]) -> None:
    volume = room(spacing)
    at = tuple(size // 2 for size in volume.voxels.shape)
    mask = np.zeros(volume.voxels.shape, bool)
    mask[at] = True
    session = Session(filled(volume, (mask, -60.0)), kidney(volume))
    change = session.click(np.array(at), CYST, adds=True)
    assert session.labels[at] == CYST
    ml = change.voxels * volume.voxel_volume / 1000
    # in even tissue all that is known is what is usual: not more than a ball of 1.5 times the usual radius
    assert ml < 4 / 3 * np.pi * 1.2**3


def test_the_rim_that_was_lost_comes_back_with_a_click_on_it() -> None:
    volume = room()
    mask = inside(ball((0.0, 0.0, 0.0), 14.0), volume)
    core = inside(ball((0.0, 0.0, 0.0), 10.0), volume)
    image = filled(volume, (mask, 20.0))
    labels = np.where(core, CYST, RIGHT).astype(np.uint8)
    assert dice(core, mask) < 0.6
    assert dice(clicked(image, labels, 12, 0, 0) == CYST, mask) > 0.9


def test_where_the_border_is_right_it_stays_when_one_side_was_lost() -> None:
    volume = room()
    mask = inside(ball((0.0, 0.0, 0.0), 12.0), volume)
    cap = inside(ball((11.0, 0.0, 0.0), 6.0), volume) & mask
    image = filled(volume, (mask, 20.0))
    labels = np.where(mask & ~cap, CYST, RIGHT).astype(np.uint8)
    found = clicked(image, labels, 9, 0, 0) == CYST
    assert np.count_nonzero(found & cap) > 0.8 * np.count_nonzero(cap)
    assert np.count_nonzero(found & ~mask) < 0.05 * np.count_nonzero(mask)


def test_a_lesion_beside_another_of_its_kind_is_found_too() -> None:
    volume = room()
    first = inside(ball((-14.0, 0.0, 0.0), 9.0), volume)
    second = inside(ball((10.0, 0.0, 0.0), 10.0), volume)
    image = filled(volume, (first, 15.0), (second, 15.0))
    labels = np.where(first, CYST, RIGHT).astype(np.uint8)
    found = (clicked(image, labels, 10, 0, 0) == CYST) & ~first
    assert dice(found, second) > 0.9


def test_a_positive_click_only_adds_and_leaves_other_structures_alone() -> None:
    volume = room()
    mask = inside(ball((0.0, 0.0, 0.0), 10.0), volume)
    other = inside(ball((14.0, 0.0, 0.0), 6.0), volume) & ~mask
    image = filled(volume, (mask, 20.0), (other, 20.0))
    labels = kidney(volume)
    labels[other] = MASS
    labels[inside(ball((0.0, 0.0, 0.0), 6.0), volume)] = CYST
    after = clicked(image, labels, -8, 0, 0)
    np.testing.assert_array_equal(after == MASS, labels == MASS)
    assert (after[labels == CYST] == CYST).all()
    assert dice(labels == CYST, mask) < 0.4
    assert dice(after == CYST, mask) > 0.75


def test_a_negative_click_takes_back_what_a_click_took_too_much() -> None:
    volume = room()
    mask = inside(ball((0.0, 0.0, 0.0), 10.0), volume)
    bowel = inside(ball((14.0, 0.0, 0.0), 8.0), volume) & ~mask
    image = filled(volume, (mask, 20.0), (bowel, 30.0))
    session = Session(image, kidney(volume))
    session.click(voxel(volume, 0, 0, 0), CYST, adds=True)
    session.labels[bowel] = CYST
    before = session.labels.copy()
    session.click(voxel(volume, 15, 0, 0), CYST, adds=False)
    found = session.labels == CYST
    assert not (found & (before != CYST)).any()
    assert found[tuple(np.rint(voxel(volume, 0, 0, 0)).astype(int))]
    assert dice(found, mask) > 0.9


def leaked(label: int) -> tuple[Volume, np.ndarray, np.ndarray]:
    """A faint ball, drawn with a shell around one half of it: image, the ball, label map."""
    volume = room()
    mask = inside(ball((0.0, 0.0, 0.0), 10.0), volume)
    shell = inside(ball((2.0, 0.0, 0.0), 15.0), volume) & (np.arange(mask.shape[2]) > mask.shape[2] // 2 + 3)
    labels = np.where(mask | shell, label, RIGHT).astype(np.uint8)
    return filled(volume, (mask, KIDNEY_HU - 40)), mask, labels


def walked_alone(image: Volume, labels: np.ndarray, click: Click) -> np.ndarray:
    walk = walked.removed(image, labels, click, ())
    left = labels == click.label
    left[walk.box] &= ~walk.mask
    return left


def test_what_is_too_much_around_a_cyst_goes_with_one_click_and_only_near_it() -> None:
    image, mask, labels = leaked(CYST)
    found = clicked(image, labels, 13.5, 0.5, 0.5, adds=False) == CYST
    k, j, i = (int(index) for index in np.rint(voxel(image, 13.5, 0.5, 0.5)))
    alone = walked_alone(image, labels, Click((k, j, i), CYST, adds=False))
    assert not (found & (labels != CYST)).any()
    assert dice(found, mask) > dice(alone, mask) + 0.1
    assert np.count_nonzero(mask & ~found) < 0.05 * np.count_nonzero(mask)
    far = ~inside(ball((13.5, 0.5, 0.5), 18.0), image)
    np.testing.assert_array_equal(found[far], (labels == CYST)[far])


def test_a_cut_that_is_deeper_elsewhere_than_at_the_click_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    mask = np.zeros((1, 24, 40), bool)
    mask[0, 2:22, 2:22] = mask[0, 8:14, 22:36] = True
    whole = (slice(0, 1), slice(0, 24), slice(0, 40))
    in_the_arm, in_the_body = Click((0, 11, 33), CYST, adds=False), Click((0, 11, 11), CYST, adds=False)
    tall = (40.0, 1.0, 1.0)
    assert is_deepest(Answer(whole, mask), in_the_body, tall)
    assert not is_deepest(Answer(whole, mask), in_the_arm, tall)

    image, _, labels = leaked(CYST)
    monkeypatch.setattr(lesion, "is_deepest", lambda *_: False)
    k, j, i = (int(index) for index in np.rint(voxel(image, 13.5, 0.5, 0.5)))
    found = clicked(image, labels, 13.5, 0.5, 0.5, adds=False) == CYST
    np.testing.assert_array_equal(found, walked_alone(image, labels, Click((k, j, i), CYST, adds=False)))


def test_a_mass_may_have_any_shape_so_the_walker_alone_says_what_is_too_much() -> None:
    image, _, labels = leaked(MASS)
    k, j, i = (int(index) for index in np.rint(voxel(image, 13.5, 0.5, 0.5)))
    found = clicked(image, labels, 13.5, 0.5, 0.5, label=MASS, adds=False) == MASS
    np.testing.assert_array_equal(found, walked_alone(image, labels, Click((k, j, i), MASS, adds=False)))


def test_a_negative_click_on_another_piece_leaves_the_first() -> None:
    volume = room()
    mask = inside(ball((-12.0, 0.0, 0.0), 9.0), volume)
    false = inside(ball((16.0, 0.0, 0.0), 6.0), volume)
    session = Session(filled(volume, (mask, 20.0)), np.where(false, CYST, RIGHT).astype(np.uint8))
    session.click(voxel(volume, -12, 0, 0), CYST, adds=True)
    found = session.labels == CYST
    session.click(voxel(volume, 16, 0, 0), CYST, adds=False)
    np.testing.assert_array_equal(session.labels == CYST, found & ~false)


def test_a_body_at_the_end_of_the_image_and_one_in_a_single_slice_are_answered() -> None:
    volume = room()
    mask = inside(ball((0.0, 0.0, -31.0), 10.0), volume)
    image = filled(volume, (mask, 20.0))
    assert dice(clicked(image, kidney(volume), 0, 0, -30) == CYST, mask) > 0.85
    flat = Volume(image.voxels[:1], image.ijk_to_lps)
    found = clicked(flat, kidney(flat), 0, 0, -31.5) == CYST
    assert dice(found, mask[:1]) > 0.85


def test_neighbours_agree_and_a_ray_that_differs_is_led_by_them() -> None:
    cost = np.ones((COUNT, 40), np.float32)
    cost[:, 20] = 0
    cost[7, 20], cost[7, 35] = 1, 0.5
    np.testing.assert_allclose(sphere().smooth_choice(cost, 1.0, 10), 20, atol=0.5)
    free = sphere().smooth_choice(cost, 0.0, 1)
    assert np.delete(free, 7) == pytest.approx(20, abs=0.5)


def test_directions_are_even_and_distances_are_read_between_them() -> None:
    directions = sphere().directions
    np.testing.assert_allclose(np.linalg.norm(directions, axis=1), 1)
    np.testing.assert_allclose(directions.mean(axis=0), 0, atol=0.01)
    points = np.random.default_rng(0).normal(size=(3, 500)).astype(np.float32)
    towards = sphere().towards(10 + 3 * directions[:, 0], [*points])
    np.testing.assert_allclose(towards, 10 + 3 * points[0] / np.linalg.norm(points, axis=0), atol=0.3)
    assert sphere().nearest(np.array([0.0, 0.0, 5.0]), 1) == np.argmax(directions[:, 2])


def test_extent_and_contact_of_what_is_drawn() -> None:
    volume = room(THICK)
    labels = np.where(inside(ball((0.0, 0.0, 0.0), 12.0), volume), CYST, RIGHT).astype(np.uint8)
    middle = voxel(volume, 0, 0, 0)
    ground = Ground(filled(volume), labels, CYST, (0, RIGHT))
    extent = drawn_extent(ground, middle)
    assert np.median(extent) == pytest.approx(12, abs=1)
    assert extent.min() > 9 and extent.max() < 15
    beside = grown(ground, voxel(volume, 22, 0, 0), [], [], lambda mm: 30.0 * (mm > 6))
    assert touches(ground, beside, 1.5) < 0.02
    near = grown(ground, voxel(volume, 16, 0, 0), [], [], lambda mm: 30.0 * (mm > 8))
    assert touches(ground, near, 1.5) > 0.1


def test_tissues_that_are_sampled_are_told_apart_and_others_say_nothing_loud() -> None:
    values = np.array([20.0] * 50 + [150.0] * 50 + [400.0])
    within, around = np.zeros(101), np.zeros(101)
    within[:50], around[50:100] = 1, 1
    odds = log_odds(values, within, around, np.zeros(0), smoothing_hu=5, loudest=2.5)
    np.testing.assert_allclose(odds[:50], 2.5)
    np.testing.assert_allclose(odds[50:100], -2.5)
    assert -2.5 < odds[100] < 0
    more = log_odds(values, within, around, np.full(3, 400.0), smoothing_hu=5, loudest=2.5)
    assert more[100] == pytest.approx(2.5)
