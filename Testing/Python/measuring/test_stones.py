"""Stones of known size: volume, length, place, skin distance."""

from __future__ import annotations

import numpy as np
import pytest
from result_cases import anatomy_of
from stone_cases import Abdomen

from KidneySegLib.measuring.stones.stones import measure_stones
from KidneySegLib.segmentation.stones.find import find_stones
from KidneySegLib.structures import Side
from KidneySegLib.volume import Volume


def measured(abdomen: Abdomen, clip=None):
    volume = abdomen.volume(clip)
    labels = abdomen.labels.copy()
    labels[find_stones(volume, labels)[0]] = 5
    return volume, labels, *measure_stones(anatomy_of(volume, labels))


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (0.7, 0.7, 1.25), (0.8, 0.8, 2.5)])
@pytest.mark.parametrize("diameter", [6.0, 9.0, 14.0])
def test_ball_of_known_size(spacing, diameter):
    abdomen = Abdomen(spacing).add_ball(Abdomen.right + (0.37, 0.21, 0.4), diameter, 1000)
    _, _, (stone,), (right, left) = measured(abdomen)
    truth = np.pi / 6 * diameter**3 / 1000
    assert stone.volume_ml == pytest.approx(truth, rel=0.14 if diameter < 8 else 0.08)
    assert stone.length_mm == pytest.approx(diameter, abs=max(0.6, 0.4 * spacing[2]))
    assert stone.hu_mean == pytest.approx(1000, abs=120 if diameter < 8 else 60)
    assert (stone.side, stone.location, stone.pole) == (Side.RIGHT, "kidney", "inter")
    assert (right.count, right.volume_ml, right.largest_mm) == (1, stone.volume_ml, stone.length_mm)
    assert (left.side, left.count, left.volume_ml, left.largest_mm) == (Side.LEFT, 0, 0.0, None)


def test_partial_volume_is_nearer_to_the_truth_than_voxels():
    _, _, (stone,), _ = measured(Abdomen((0.7, 0.7, 1.25), noise=8).add_ball(Abdomen.left, 4, 1000))
    truth = np.pi / 6 * 4**3 / 1000
    assert stone.length_mm == pytest.approx(4, abs=0.6)
    assert stone.volume_ml == pytest.approx(truth, rel=0.15)
    assert stone.measures.volume_ml < 0.8 * truth


def test_slanting_rod():
    start, end = Abdomen.left - (6, 5, 9), Abdomen.left + (6, 5, 9)
    _, _, (stone,), _ = measured(Abdomen((0.8, 0.8, 1.0)).add_rod(start, end, 5, 900))
    assert stone.length_mm == pytest.approx(np.linalg.norm(end - start) + 5, abs=1.0)


def test_any_orientation_gives_the_same_millimetres():
    abdomen = Abdomen((0.8, 0.8, 2.5)).add_ball(Abdomen.right + (3, 2, 20), 7, 900).add_ball(Abdomen.left, 9, 700)
    volume, labels, stones, burden = measured(abdomen)
    matrix = np.zeros((4, 4))
    matrix[3, 3] = 1
    # stored axes (k, j, i) become (i, k, j), the first of them reversed
    matrix[:3, 2] = -volume.ijk_to_lps[:3, 0]
    matrix[:3, 1] = volume.ijk_to_lps[:3, 2]
    matrix[:3, 0] = volume.ijk_to_lps[:3, 1]
    last = volume.voxels.shape[2] - 1
    matrix[:3, 3] = volume.ijk_to_lps[:3, 3] + last * volume.ijk_to_lps[:3, 0]
    turn = lambda array: array.transpose(2, 0, 1)[::-1]  # noqa: E731
    turned, same = measure_stones(anatomy_of(Volume(turn(volume.voxels), matrix), turn(labels)))
    assert [stone.id for stone in stones] == ["S1", "S2"]
    assert same == burden
    for one, other in zip(stones, turned, strict=True):
        for name in ("id", "side", "pole", "location", "length_mm", "volume_ml", "skin_distance_mm", "hu_mean"):
            assert getattr(one, name) == getattr(other, name)
        assert one.measures.centroid_lps_mm == pytest.approx(other.measures.centroid_lps_mm)


def test_one_and_two_voxels_are_not_measured():
    abdomen = Abdomen()
    abdomen.hu[70, 60, 50] = 400
    abdomen.hu[50, 60, 150:152] = 350
    _, _, stones, burden = measured(abdomen)
    assert [stone.below_resolution for stone in stones] == [True, True]
    assert [(stone.length_mm, stone.volume_ml) for stone in stones] == [(None, None)] * 2
    assert [(side.count, side.volume_ml, side.largest_mm) for side in burden] == [(1, 0.0, None)] * 2


def test_clipped_image_falls_back_to_voxels():
    _, _, (stone,), _ = measured(Abdomen().add_ball(Abdomen.right, 8, 1200), clip=(-108, 240))
    assert stone.hu_peak == 240
    assert stone.volume_ml == stone.measures.volume_ml
    assert stone.length_mm == stone.measures.length_mm
    assert stone.hu_mean == stone.measures.hu_mean
    assert stone.skin_distance_mm is None


def test_places():
    ureter = Abdomen().add_rod((72, 60, 0), (72, 60, 55), 6, 30).add_ball((72, 60, 20), 6, 900)
    assert [(s.location, s.pole) for s in measured(ureter)[2]] == [("ureter", None)]
    upper = Abdomen().add_ball(Abdomen.left + (0, 0, 22), 5, 900)
    assert [(s.location, s.pole, s.side) for s in measured(upper)[2]] == [("kidney", "upper", Side.LEFT)]
    pelvis = Abdomen()
    pelvis.labels[pelvis.distance(Abdomen.right + (14, 0, 0)) < 12] = 0
    pelvis.hu[pelvis.distance(Abdomen.right + (14, 0, 0)) < 12] = -80
    pelvis.add_ball(Abdomen.right + (10, 0, 0), 9, 20).add_ball(Abdomen.right + (12, 0, 0), 6, 900)
    assert [s.location for s in measured(pelvis)[2]] == ["pelvis"]


def test_distance_to_the_skin():
    abdomen = Abdomen(noise=0)
    body = np.broadcast_to((abs(abdomen.x - 100) < 90) & (abs(abdomen.y - 55) < 45), abdomen.hu.shape)
    abdomen.hu[~body] = -1000
    abdomen.add_ball(Abdomen.right, 6, 900)
    (stone,) = measured(abdomen)[2]
    # the skin lies 39.5 mm to the right of the stone and 39.5 mm behind it, and 39.5 mm * sqrt(2) at 45 degrees
    assert stone.skin_distance_mm == pytest.approx(39.5 * (2 + np.sqrt(2)) / 3, abs=1.0)


def test_no_stone_no_finding():
    abdomen = Abdomen()
    stones, burden = measure_stones(anatomy_of(abdomen.volume(), abdomen.labels))
    assert stones == []
    assert [(side.side, side.count) for side in burden] == [(Side.RIGHT, 0), (Side.LEFT, 0)]
    assert measure_stones(anatomy_of(abdomen.volume(), np.zeros_like(abdomen.labels))) == ([], [])
