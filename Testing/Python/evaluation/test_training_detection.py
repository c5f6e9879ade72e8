"""Lesions and stones found, missed, split, merged, mistaken and false, on made label maps."""

import numpy as np
import pytest

from KidneySegLib.evaluation.components import axial_size, length, measure_components, number_connected
from KidneySegLib.evaluation.detection import Status, detect
from KidneySegLib.evaluation.matching import Group, match
from KidneySegLib.volume import Volume

SHAPE = (20, 40, 60)
# 2 mm slices of 1 x 1 mm; the origin is off zero so that places show it
GRID = Volume(np.zeros(SHAPE, np.int16), np.diag([1.0, 1.0, 2.0, 1.0]) + np.array([[0, 0, 0, v] for v in (5, 6, 7, 0)]))


def labels(*boxes):
    """A label map of boxes ``(label, k, j, i)`` with ``(start, stop)`` per axis; later ones lie on top."""
    result = np.zeros(SHAPE, np.uint8)
    for label, *ranges in boxes:
        result[tuple(slice(a, b) for a, b in ranges)] = label
    return result


def cyst(i, j=(10, 20), k=(5, 10)):
    return (4, k, j, i)


def found_cysts(found, reference):
    return detect("exam", "cyst", labels(*found), labels(*reference), GRID)


def states(lesions):
    return [(lesion.in_reference, lesion.status.value, lesion.as_one) for lesion in lesions]


def test_bodies_are_numbered_by_size_and_measured():
    mask = labels((1, (5, 6), (3, 4), (2, 5)), (1, (10, 14), (10, 13), (20, 24))) > 0
    ids = number_connected(mask)
    bodies = measure_components(ids, GRID, axial_size, first_slice=100)
    assert ids[12, 11, 21] == 1 and ids[5, 3, 2] == 2 and ids.max() == 2
    large, small = bodies
    assert (large.voxels, small.voxels) == (48, 3)
    assert large.volume_ml == pytest.approx(48 * 2 / 1000)
    assert large.centroid_lps_mm == pytest.approx((5 + 21.5, 6 + 11, 7 + 2 * 11.5))
    assert large.slice_index == 110 and small.slice_index == 105
    assert small.size_mm == pytest.approx(3.0)
    # 4 x 3 voxels, from face to face: 4 mm along i, centres 2 mm apart along j
    assert large.size_mm == pytest.approx(np.hypot(4, 2))


def test_stones_are_as_long_as_they_are_in_any_direction():
    mask = labels((1, (5, 9), (3, 4), (2, 5))) > 0
    assert measure_components(number_connected(mask), GRID, axial_size)[0].size_mm == pytest.approx(3.0)
    # 4 slices of 2 mm, centres 2 mm apart along i
    assert measure_components(number_connected(mask), GRID, length)[0].size_mm == pytest.approx(np.hypot(8, 2))


def test_bodies_that_touch_at_a_corner_are_one():
    mask = labels((1, (5, 6), (5, 6), (5, 6)), (1, (6, 7), (6, 7), (6, 7))) > 0
    assert number_connected(mask).max() == 1


def test_match_groups_by_overlap():
    reference, found = np.zeros((2, 1, 1, 40), np.uint16)
    reference[0, 0, 0:10], reference[0, 0, 20:30] = 1, 2
    found[0, 0, 9:20] = 1  # one of 10 and 11 voxels shared: IoU 1/20 and not half of either
    found[0, 0, 22:27] = 2  # half of it
    assert match(found, reference) == [Group((1,), (), 0.0), Group((2,), (2,), 0.5), Group((), (1,), 0.0)]
    assert match(found, reference)[1].dice == pytest.approx(2 / 3)


def test_the_limit_of_overlap_is_an_iou_of_a_tenth():
    reference, found = np.zeros((2, 1, 1, 40), np.uint16)
    reference[0, 0, 0:11] = 1
    found[0, 0, 9:20] = 1  # 2 of 20
    assert match(found, reference)[0].matched
    found[0, 0, 20] = 1  # 2 of 21
    assert [group.matched for group in match(found, reference)] == [False, False]


def test_a_found_cyst_has_dice_distance_and_volume():
    mine, its = found_cysts([cyst((12, 22))], [cyst((10, 20))])
    assert states([mine, its]) == [(True, "found", True), (False, "true", True)]
    assert mine.dice == its.dice == pytest.approx(0.8)
    assert mine.distance_mm == pytest.approx(2.0)
    assert mine.counterpart == "cyst" and mine.counterpart_ml == pytest.approx(5 * 10 * 10 * 2 / 1000)


def test_a_split_cyst_is_found_but_not_as_one():
    lesions = found_cysts([cyst((10, 18)), cyst((19, 28))], [cyst((10, 28))])
    assert states(lesions) == [(True, "found", False), (False, "true", False), (False, "true", False)]
    assert lesions[0].dice == pytest.approx(2 * 17 / (17 + 18))
    assert lesions[0].distance_mm == pytest.approx(abs((8 * 13.5 + 9 * 23) / 17 - 18.5))


def test_two_cysts_bridged_by_one_are_both_found_but_not_as_one():
    lesions = found_cysts([cyst((10, 31))], [cyst((10, 20)), cyst((21, 31))])
    assert states(lesions) == [(True, "found", False), (True, "found", False), (False, "true", False)]
    assert lesions[0].dice == pytest.approx(2 * 20 / 41)


def test_touching_cysts_are_one():
    lesions = found_cysts([cyst((10, 20))], [cyst((10, 20)), cyst((20, 22))])
    assert states(lesions) == [(True, "found", True), (False, "true", True)]


def test_a_cyst_swallowed_by_something_huge_is_missed():
    lesions = found_cysts([(4, (2, 18), (2, 38), (2, 50))], [cyst((10, 20))])
    assert states(lesions) == [(True, "missed", False), (False, "false", False)]
    assert lesions[0].dice is None and lesions[1].counterpart == "background"


def test_a_small_piece_of_a_cyst_does_not_find_it():
    lesions = found_cysts([cyst((10, 12), (10, 12))], [cyst((10, 20))])
    assert states(lesions) == [(True, "missed", False), (False, "false", False)]
    assert lesions[1].counterpart == "cyst"


def test_a_speck_that_the_findings_leave_out_is_not_held_against_them():
    speck = cyst((40, 41), (10, 11), (5, 6))
    assert states(found_cysts([cyst((10, 20)), speck], [cyst((10, 20))])) == [
        (True, "found", True),
        (False, "true", True),
    ]


def test_found_cysts_are_those_of_the_findings_reference_cysts_are_what_is_connected():
    k, j, i = np.indices(SHAPE)
    pair = [(2 * (k - 10)) ** 2 + (j - 15) ** 2 + (i - column) ** 2 < 8.5**2 for column in (15, 31)]
    touching = np.where(pair[0] | pair[1], 4, 0).astype(np.uint8)
    lesions = detect("exam", "cyst", touching, touching, GRID)
    assert states(lesions) == [(True, "found", False), (False, "true", False), (False, "true", False)]
    assert lesions[0].dice == 1.0


def test_a_cyst_of_less_than_5_mm_is_neither_asked_for_nor_false():
    small = cyst((10, 14), (10, 12))
    assert states(found_cysts([small], [small])) == [(True, "too small", False), (False, "too small", False)]
    assert states(found_cysts([], [small])) == [(True, "too small", False)]
    assert states(found_cysts([small], [])) == [(False, "false", False)]


def test_a_mass_that_was_called_cyst_is_missed_and_named():
    reference = labels((1, (2, 18), (2, 38), (2, 30)), (3, (5, 10), (10, 20), (10, 20)))
    found = np.where(reference == 3, 4, reference).astype(np.uint8)
    (mass,) = detect("exam", "mass", found, reference, GRID)
    assert (mass.status, mass.counterpart) == (Status.MISSED, "cyst")
    (false,) = detect("exam", "cyst", found, reference, GRID)
    assert (false.status, false.counterpart) == (Status.FALSE, "mass")


def test_a_stone_of_one_voxel_counts():
    one = (5, (5, 6), (5, 6), (5, 6))
    kidney = (2, (0, 20), (0, 40), (0, 60))
    found, reference = labels(kidney, one, (5, (9, 10), (9, 10), (9, 10))), labels(kidney, one)
    lesions = detect("exam", "stone", found, reference, GRID, first_slice=3)
    assert states(lesions) == [(True, "found", True), (False, "true", True), (False, "false", False)]
    assert lesions[2].counterpart == "kidney" and lesions[2].component.slice_index == 12
    assert lesions[0].component.size_mm == pytest.approx(2.0)


def test_nothing_against_nothing():
    assert detect("exam", "stone", labels(), labels(), GRID) == []
