"""Clicks on analytic bodies in noise: what is missing comes, what is too much goes, and nothing else is touched."""

from __future__ import annotations

import numpy as np
import pytest
from lesion_cases import Shape, ball, ellipsoid

from KidneySegLib.errors import GeometryError, InputError
from KidneySegLib.segmentation.interactive.click import voxel_at
from KidneySegLib.segmentation.interactive.session import Session
from KidneySegLib.structures import BY_KEY
from KidneySegLib.volume import Volume

RIGHT, LEFT, MASS, CYST, STONE = (BY_KEY[key].label for key in ("kidney_right", "kidney_left", "mass", "cyst", "stone"))
FAT_HU, KIDNEY_HU, CYST_HU, MASS_HU, NOISE_HU = -100.0, 150.0, 10.0, 80.0, 15.0
SHAPE = (50, 80, 80)
KIDNEY = ellipsoid((0.0, 0.0, 0.0), (28.0, 24.0, 45.0))
LESION = ball((18.0, 0.0, 0.0), 14.0)
OTHER = ball((-10.0, 0.0, 25.0), 8.0)


def grid(spacing: tuple[float, float, float] = (1.0, 1.0, 2.0), signs: tuple[int, int, int] = (1, 1, 1)) -> Volume:
    """An empty image about the origin; spacing and signs of the axes along i, j, k."""
    matrix = np.eye(4)
    matrix[:3, :3] = np.diag(np.array(spacing) * signs)
    matrix[:3, 3] = -(matrix[:3, :3] @ ((np.array(SHAPE[::-1]) - 1) / 2))
    return Volume(np.zeros(SHAPE, np.int16), matrix)


def inside(shape: Shape, volume: Volume) -> np.ndarray:
    return shape(volume.to_lps(np.moveaxis(np.indices(SHAPE), 0, -1)))


def scene(volume: Volume, lesion_hu: float = CYST_HU) -> tuple[Volume, np.ndarray]:
    """A kidney in fat with two lesions, and the true label map: 4 the large one, 3 the small one."""
    truth = np.where(inside(KIDNEY, volume), RIGHT, 0).astype(np.uint8)
    truth[inside(LESION, volume)] = CYST
    truth[inside(OTHER, volume)] = MASS
    hu = np.array([FAT_HU, KIDNEY_HU, FAT_HU, MASS_HU, lesion_hu, 0])[truth]
    noise = np.random.default_rng(1).normal(0, NOISE_HU, SHAPE)
    return volume.like(np.rint(hu + noise).astype(np.int16)), truth


def dice(one: np.ndarray, other: np.ndarray) -> float:
    return float(2 * np.count_nonzero(one & other) / (np.count_nonzero(one) + np.count_nonzero(other)))


def missed(truth: np.ndarray, label: int = CYST) -> np.ndarray:
    """The label map of a network that missed a lesion: kidney where the kidney was, background beyond it."""
    kidney = inside(KIDNEY, grid())
    return np.where(truth == label, np.where(kidney, RIGHT, 0), truth).astype(np.uint8)


def voxel(volume: Volume, *lps: float) -> np.ndarray:
    return volume.to_kji(np.array(lps))


def test_one_click_finds_a_missed_lesion() -> None:
    image, truth = scene(grid())
    session = Session(image, missed(truth))
    change = session.click(voxel(image, 18, 0, 0), CYST, adds=True)
    assert dice(session.labels == CYST, truth == CYST) > 0.95
    assert change.voxels == np.count_nonzero(session.labels == CYST)
    np.testing.assert_array_equal(session.labels == MASS, truth == MASS)


def test_clicks_complete_a_lesion_of_which_half_is_missing() -> None:
    image, truth = scene(grid())
    labels = np.array(truth)
    half = (truth == CYST) & (np.arange(SHAPE[2]) > 58)
    labels[half] = 0
    before = dice(labels == CYST, truth == CYST)
    session = Session(image, labels)
    session.click(voxel(image, 25, 0, 0), CYST, adds=True)
    assert before < 0.8
    assert dice(session.labels == CYST, truth == CYST) > 0.95


def test_a_click_removes_what_leaked() -> None:
    image, truth = scene(grid())
    labels = np.array(truth)
    leak = inside(ball((18.0, 22.0, 0.0), 12.0), image) & (truth != CYST)
    labels[leak] = CYST
    session = Session(image, labels)
    session.click(voxel(image, 18, 25, 0), CYST, adds=False)
    after = session.labels
    assert dice(labels == CYST, truth == CYST) < 0.85
    assert dice(after == CYST, truth == CYST) > 0.92
    # what was kidney is kidney again, what was fat is background, but for a voxel at the border of both
    assert np.mean(after[leak & (after != CYST)] == truth[leak & (after != CYST)]) > 0.9


def test_a_false_lesion_goes_with_one_click_and_leaves_the_kidney() -> None:
    image, truth = scene(grid())
    labels = np.array(truth)
    labels[inside(ball((-12.0, 0.0, -20.0), 7.0), image)] = CYST
    session = Session(image, labels)
    session.click(voxel(image, -12, 0, -20), CYST, adds=False)
    np.testing.assert_array_equal(session.labels, truth)


def test_a_positive_click_only_adds_and_a_negative_one_only_removes() -> None:
    image, truth = scene(grid())
    for place, adds in (((14, 0, 12), True), ((22, 0, 0), False)):
        labels = missed(truth) if adds else truth
        session = Session(image, labels)
        session.click(voxel(image, *place), CYST, adds=adds)
        lost, gained = (labels == CYST) & (session.labels != CYST), (labels != CYST) & (session.labels == CYST)
        assert not (lost if adds else gained).any()
        assert (gained if adds else lost).any()


def test_another_lesion_is_never_overwritten_unless_it_is_clicked() -> None:
    image, truth = scene(grid(), lesion_hu=MASS_HU)
    touching = inside(ball((18.0, 0.0, 18.0), 9.0), image) & (truth != CYST)
    labels = np.array(truth)
    labels[touching] = RIGHT
    hu = np.array(image.voxels)
    hu[touching] = MASS_HU
    image = image.like(hu)
    session = Session(image, labels)
    session.click(voxel(image, 18, 0, 20), MASS, adds=True)
    np.testing.assert_array_equal(session.labels == CYST, truth == CYST)
    assert dice((session.labels == MASS) & ~(truth == MASS), touching) > 0.85
    session.click(voxel(image, 18, 0, 0), MASS, adds=True)
    assert np.count_nonzero(session.labels == CYST) < 0.1 * np.count_nonzero(truth == CYST)


def test_a_click_on_one_lesion_takes_no_other_of_its_kind() -> None:
    image, truth = scene(grid(), lesion_hu=MASS_HU)
    far = truth == MASS
    session = Session(image, truth)
    session.click(voxel(image, 18, 0, 0), MASS, adds=True)
    assert dice((session.labels == MASS) & ~far, truth == CYST) > 0.95
    back = Session(image, session.labels)
    back.click(voxel(image, -10, 0, 25), CYST, adds=True)
    np.testing.assert_array_equal(back.labels[truth == CYST], session.labels[truth == CYST])
    assert dice(back.labels == CYST, far) > 0.9


def test_a_kidney_does_not_take_the_other_kidney() -> None:
    image, truth = scene(grid())
    labels = np.where(truth == 0, 0, RIGHT).astype(np.uint8)
    lower = np.arange(SHAPE[0])[:, None, None] < 15
    labels[(labels == RIGHT) & lower] = LEFT
    upper = np.arange(SHAPE[0])[:, None, None] >= 32
    labels[(labels == RIGHT) & upper] = 0
    session = Session(image, labels)
    session.click(voxel(image, 0, 0, 22), RIGHT, adds=True)
    np.testing.assert_array_equal(session.labels == LEFT, labels == LEFT)
    assert np.count_nonzero(session.labels == RIGHT) > np.count_nonzero(labels == RIGHT)


def test_the_answer_is_the_same_place_in_the_patient_on_any_grid() -> None:
    straight, truth = scene(grid())
    expected = Session(straight, missed(truth))
    expected.click(voxel(straight, 18, 0, 0), CYST, adds=True)
    flipped = straight.like(straight.voxels)
    order = grid(signs=(-1, -1, 1)).axis_order()
    flipped = straight.reordered(order)
    session = Session(flipped, np.ascontiguousarray(order.apply(missed(truth))))
    session.click(flipped.to_kji(np.array([18.0, 0.0, 0.0])), CYST, adds=True)
    assert dice(order.invert(session.labels) == CYST, expected.labels == CYST) > 0.97


@pytest.mark.parametrize("spacing", [(0.7, 0.7, 5.0), (1.5, 1.5, 1.5), (2.0, 1.0, 1.0)])
def test_spacing_is_that_of_the_image(spacing: tuple[float, float, float]) -> None:
    image, truth = scene(grid(spacing))
    kidney = inside(KIDNEY, image)
    session = Session(image, np.where(truth == CYST, np.where(kidney, RIGHT, 0), truth).astype(np.uint8))
    session.click(voxel(image, 18, 0, 0), CYST, adds=True)
    assert dice(session.labels == CYST, truth == CYST) > 0.9


def test_undo_takes_back_step_by_step() -> None:
    image, truth = scene(grid())
    start = missed(truth)
    session = Session(image, start)
    session.click(voxel(image, 18, 0, 0), CYST, adds=True)
    first = session.labels.copy()
    session.scribble(np.array([voxel(image, -10, y, 25) for y in (-3, 0, 3)]), MASS, adds=False)
    assert (session.labels != first).any() and len(session.clicks) == 4
    session.undo()
    np.testing.assert_array_equal(session.labels, first)
    assert len(session.clicks) == 1 and session.can_undo
    session.undo()
    np.testing.assert_array_equal(session.labels, start)
    assert not session.can_undo and session.undo().voxels == 0


def test_a_scribble_covers_what_one_click_does_not_reach() -> None:
    volume = grid()
    long = ellipsoid((0.0, 0.0, 0.0), (6.0, 34.0, 6.0))
    truth = np.where(inside(long, volume), CYST, 0).astype(np.uint8)
    noise = np.random.default_rng(2).normal(0, NOISE_HU, SHAPE)
    image = volume.like(np.rint(np.where(truth == CYST, CYST_HU, FAT_HU) + noise).astype(np.int16))
    session = Session(image, np.zeros(SHAPE, np.uint8))
    session.scribble(np.array([voxel(image, 0, y, 0) for y in range(-28, 29)]), CYST, adds=True)
    assert dice(session.labels == CYST, truth == CYST) > 0.9


def test_later_answers_respect_earlier_clicks() -> None:
    image, truth = scene(grid())
    session = Session(image, missed(truth))
    kept_out = voxel(image, 18, 6, 0)
    session.click(kept_out, CYST, adds=False)
    session.click(voxel(image, 18, 0, 0), CYST, adds=True)
    assert session.labels[voxel_at(kept_out, SHAPE)] != CYST
    assert dice(session.labels == CYST, truth == CYST) > 0.5


def test_a_click_on_what_needs_no_change_changes_nothing() -> None:
    image, truth = scene(grid())
    session = Session(image, truth)
    assert session.click(voxel(image, 18, 0, 0), CYST, adds=True).box is None
    assert session.click(voxel(image, -10, 0, 25), CYST, adds=False).voxels == 0
    np.testing.assert_array_equal(session.labels, truth)


@pytest.mark.parametrize("place", [(0, 0, 80), (-0.6, 0, 0), (np.nan, 0, 0)])
def test_a_click_outside_the_image_is_refused(place: tuple[float, float, float]) -> None:
    image, truth = scene(grid())
    session = Session(image, truth)
    with pytest.raises(InputError):
        session.click(np.array(place), CYST, adds=True)
    np.testing.assert_array_equal(session.labels, truth)


def test_an_unknown_structure_and_a_foreign_grid_are_refused() -> None:
    image, truth = scene(grid())
    with pytest.raises(InputError, match="no structure 9"):
        Session(image, truth).click(np.zeros(3), 9, adds=True)
    with pytest.raises(GeometryError, match="does not fit"):
        Session(image, truth[1:])


def test_an_image_at_the_edge_and_a_flat_one_are_answered() -> None:
    volume = grid()
    labels = np.zeros(SHAPE, np.uint8)
    for place in ((0, 0, 0), (49, 79, 79)):
        session = Session(volume, labels)
        session.click(np.array(place), CYST, adds=True)
        assert session.labels[place] == CYST
    slice_only = Volume(volume.voxels[:1], volume.ijk_to_lps)
    session = Session(slice_only, labels[:1])
    session.click(np.array([0, 40, 40]), CYST, adds=True)
    assert session.labels[0, 40, 40] == CYST


def test_a_click_on_the_rim_of_a_small_stone_leaves_the_stone() -> None:
    volume = grid((1.0, 1.0, 1.0))
    truth = np.where(inside(ball((0.5, 0.5, 0.5), 3.0), volume), STONE, RIGHT).astype(np.uint8)
    noise = np.random.default_rng(3).normal(0, NOISE_HU, SHAPE)
    image = volume.like(np.rint(np.where(truth == STONE, 600, 30) + noise).astype(np.int16))
    labels = np.array(truth)
    rim = voxel_at(voxel(volume, 4.5, 0.5, 0.5), SHAPE)
    labels[rim] = STONE
    session = Session(image, labels)
    session.click(np.array(rim), STONE, adds=False)
    assert session.labels[rim] == RIGHT
    assert dice(session.labels == STONE, truth == STONE) > 0.85
