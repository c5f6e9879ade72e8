"""Parts of an answer to a click: the linear system against its exact solutions, the reach against analytic bodies."""

from __future__ import annotations

import numpy as np
import pytest

from KidneySegLib.segmentation.interactive.click import Click
from KidneySegLib.segmentation.interactive.neighbourhood import Neighbourhood
from KidneySegLib.segmentation.interactive.random_walker import edge_weights, region_share
from KidneySegLib.segmentation.interactive.reach import border_distance, reach_of_added, reach_of_removed, tissue_extent
from KidneySegLib.segmentation.interactive.territory import free_labels, give_back, may_take
from KidneySegLib.volume import Volume

EVEN = (1.0, 1.0, 1.0)


def row(values: list[float]) -> np.ndarray:
    return np.array(values, dtype=np.float64)[None, None]


def test_between_two_known_ends_the_share_is_linear() -> None:
    count = 11
    known = row([1.0, *[np.nan] * (count - 2), 0.0])
    none = np.zeros_like(known)
    weights = edge_weights(none, EVEN, step=10, floor=0)
    share = region_share(weights, np.isnan(known), known, none, none)
    np.testing.assert_allclose(share[0, 0], np.linspace(1, 0, count), atol=5e-3)


def test_the_share_falls_at_an_edge() -> None:
    known = row([1.0, *[np.nan] * 8, 0.0])
    values = row([0.0] * 5 + [50.0] * 5)
    none = np.zeros_like(known)
    share = region_share(edge_weights(values, EVEN, step=10, floor=1e-4), np.isnan(known), known, none, none)[0, 0]
    assert share[4] > 0.99 and share[5] < 0.01


def test_without_neighbours_the_share_is_the_prior() -> None:
    known = row([np.nan] * 3)
    inside, outside = row([0.3, 0.1, 0.05]), row([0.1, 0.1, 0.15])
    apart = [np.zeros((0, 1, 3)), np.zeros((1, 0, 3)), np.zeros((1, 1, 2))]
    share = region_share(apart, np.isnan(known), known, inside, outside)
    np.testing.assert_allclose(share[0, 0], [0.75, 0.5, 0.25], atol=1e-3)


def test_nodes_that_take_no_part_do_not_matter() -> None:
    known = row([1.0, np.nan, np.nan, np.nan, 0.0])
    free = row([0, 1, 0, 1, 0]) > 0
    none = np.zeros_like(known)
    share = region_share(edge_weights(none, EVEN, 10, 0), free, known, none, none)
    np.testing.assert_allclose(share[0, 0], [1, 1, 0, 0, 0], atol=1e-3)


def test_a_long_edge_binds_less() -> None:
    flat = np.zeros((2, 2, 2))
    along_k, along_j, _ = edge_weights(flat, (3.0, 1.0, 1.0), 10, 0)
    np.testing.assert_allclose(along_j, 1)
    np.testing.assert_allclose(along_k, 1 / 9)


def ball_in_fat(radius: float, spacing: tuple[float, float, float]) -> tuple[Volume, np.ndarray]:
    """An image with a ball of water in fat about the middle of its grid, and the ball's mask."""
    shape = tuple(int(80 / step) for step in spacing[::-1])
    matrix = np.diag([*spacing, 1.0])
    grid = Volume(np.zeros(shape, np.int16), matrix)
    middle = matrix[:3, :3] @ (np.array(shape[::-1]) // 2)
    mask = np.linalg.norm(grid.to_lps(np.moveaxis(np.indices(shape), 0, -1)) - middle, axis=-1) <= radius
    noise = np.random.default_rng(0).normal(0, 12, shape)
    return grid.like(np.rint(np.where(mask, 0, -100) + noise).astype(np.int16)), mask


@pytest.mark.parametrize("radius", [6.0, 12.0, 25.0])
@pytest.mark.parametrize("spacing", [EVEN, (0.8, 0.8, 3.0)])
def test_the_extent_of_a_tissue_is_its_radius(radius: float, spacing: tuple[float, float, float]) -> None:
    image, _ = ball_in_fat(radius, spacing)
    hood = Neighbourhood.around(image, np.array(image.voxels.shape) // 2, 38)
    assert tissue_extent(hood) == pytest.approx(radius, abs=1.5 * hood.width)


def test_reach_is_the_distance_to_the_border() -> None:
    image, mask = ball_in_fat(12.0, EVEN)
    labels = np.where(mask, 3, 0).astype(np.uint8)
    centre = tuple(size // 2 for size in mask.shape)
    assert reach_of_removed(image, labels, Click(centre, 3, adds=False)) == pytest.approx(12, abs=1)
    beside = (centre[0], centre[1], centre[2] + 20)
    assert border_distance(image, np.array(beside), lambda box: mask[box]) == pytest.approx(8, abs=1)
    assert border_distance(image, np.array(beside), lambda box: np.zeros_like(mask)[box]) == np.inf


def test_a_kidneys_border_counts_though_its_tissue_changes() -> None:
    image, mask = ball_in_fat(12.0, EVEN)
    centre = tuple(size // 2 for size in mask.shape)
    labels = np.zeros(mask.shape, np.uint8)
    labels[:, :, : centre[2] - 20] = 1
    assert reach_of_added(image, labels, Click(centre, 1, adds=True), ()) == pytest.approx(21, abs=1)
    labels[labels == 1] = 3
    assert reach_of_added(image, labels, Click(centre, 3, adds=True), ()) == pytest.approx(12, abs=3)


def test_blocks_are_means_and_shares_are_linear_between_them() -> None:
    image = Volume(np.arange(60 * 60 * 60, dtype=np.int16).reshape(60, 60, 60) % 7, np.diag([1.0, 1.0, 2.0, 1.0]))
    hood = Neighbourhood.around(image, np.array([30, 30, 30]), 59)
    assert max(hood.factors) > 1
    k, j, i = hood.factors
    first = image.voxels[hood.box][:k, :j, :i]
    assert hood.values[0, 0, 0] == pytest.approx(first.mean())
    ramp = np.broadcast_to(np.linspace(0, 1, hood.values.shape[2]), hood.values.shape)
    above = hood.on_voxels(ramp, 0.5).sum(axis=2)
    size = hood.box[2].stop - hood.box[2].start
    np.testing.assert_allclose(above, size / 2, atol=i)


def test_what_a_click_may_take() -> None:
    labels = np.array([[[0, 1, 2, 3, 4, 4, 0, 4, 5]]], np.uint8)
    assert free_labels(3) == (0, 1, 2) and free_labels(1) == (0,)
    taken = may_take(labels, 3, (0, 0, 1))[0, 0]
    np.testing.assert_array_equal(taken, [1, 1, 1, 0, 0, 0, 1, 0, 0])
    # on a cyst: that cyst, not the other one
    np.testing.assert_array_equal(may_take(labels, 3, (0, 0, 4))[0, 0], [1, 1, 1, 0, 1, 1, 1, 0, 0])
    np.testing.assert_array_equal(may_take(labels, 1, (0, 0, 0))[0, 0], [1, 0, 0, 0, 0, 0, 1, 0, 0])


def test_what_is_too_much_goes_to_what_lies_nearest() -> None:
    labels = np.array([[[0, 3, 3, 3, 2, 4, 3]]], np.uint8)
    give_back(labels, 3, labels == 3, EVEN)
    np.testing.assert_array_equal(labels[0, 0], [0, 0, 0, 2, 2, 4, 2])
    kidney = np.array([[[3, 1, 1, 0]]], np.uint8)
    give_back(kidney, 1, np.array([[[False, True, False, False]]]), EVEN)
    np.testing.assert_array_equal(kidney[0, 0], [3, 0, 1, 0])


def test_a_further_click_on_a_kidney_reaches_at_least_half_way_to_the_earlier_one() -> None:
    image, mask = ball_in_fat(12.0, EVEN)
    k, j, i = (size // 2 for size in mask.shape)
    labels = np.where(mask & (np.arange(mask.shape[2]) < i + 8), 1, 0).astype(np.uint8)
    click, earlier = Click((k, j, i + 10), 1, adds=True), Click((k, j, i - 10), 1, adds=True)
    assert reach_of_added(image, labels, click, ()) < 6
    assert reach_of_added(image, labels, click, (earlier,)) == pytest.approx(10)
    assert reach_of_added(image, labels, click, (Click(earlier.kji, 1, adds=False),)) < 6
    lesion = np.where(labels == 1, 3, 0).astype(np.uint8)
    assert reach_of_added(image, lesion, Click(click.kji, 3, adds=True), (Click(earlier.kji, 3, adds=True),)) < 6
