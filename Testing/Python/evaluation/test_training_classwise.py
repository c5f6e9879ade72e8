"""Scores by class on maps of a few voxels, with the numbers worked out by hand."""

import numpy as np
import pytest

from KidneySegLib.evaluation.classwise import Scores, class_scores, confusion, mean_scores

# ten voxels: reference and result, labels of structures
REFERENCE = np.array([1, 1, 2, 2, 5, 3, 3, 3, 4, 0], np.uint8).reshape(1, 2, 5)
FOUND = np.array([1, 2, 2, 0, 2, 3, 4, 3, 4, 4], np.uint8).reshape(1, 2, 5)


def test_voxels_are_counted_by_class_of_the_reference_and_of_the_result():
    expected = [[0, 0, 0, 1], [1, 4, 0, 0], [0, 0, 2, 1], [0, 0, 0, 1]]
    assert confusion(FOUND, REFERENCE).tolist() == expected


def test_stones_and_both_sides_are_kidney():
    labels = np.array([[[1, 2, 5]]], np.uint8)
    matrix = confusion(labels, labels[..., ::-1])
    assert matrix[1, 1] == 3 and matrix.sum() == 3


def test_scores_by_hand():
    scores = class_scores(confusion(FOUND, REFERENCE))
    # all ten voxels are foreground in one of the maps; kidney is missed once, mass once, cyst is found twice in vain
    assert scores["kidney"] == Scores(pytest.approx(0.9), pytest.approx(1.0), pytest.approx(0.8), pytest.approx(8 / 9))
    assert scores["mass"] == Scores(pytest.approx(0.9), pytest.approx(1.0), pytest.approx(2 / 3), pytest.approx(0.8))
    assert scores["cyst"] == Scores(pytest.approx(0.8), pytest.approx(1 / 3), pytest.approx(1.0), pytest.approx(0.5))
    mean = mean_scores(confusion(FOUND, REFERENCE))
    assert mean.accuracy == pytest.approx(2.6 / 3)
    assert mean.f1 == pytest.approx((8 / 9 + 0.8 + 0.5) / 3)


def test_background_of_both_does_not_count():
    wide = [np.pad(labels, 50) for labels in (FOUND, REFERENCE)]
    assert class_scores(confusion(*wide)) == class_scores(confusion(FOUND, REFERENCE))


def test_exams_are_pooled_by_adding_their_voxels():
    perfect = confusion(REFERENCE, REFERENCE)
    pooled = class_scores(confusion(FOUND, REFERENCE) + perfect)
    assert pooled["cyst"].precision == pytest.approx(2 / 4)
    assert pooled["cyst"].recall == 1.0


def test_an_absent_class_has_no_scores_and_does_not_enter_the_mean():
    kidney = np.array([[[1, 1, 1, 0]]], np.uint8)
    matrix = confusion(np.array([[[1, 1, 0, 0]]], np.uint8), kidney)
    assert class_scores(matrix)["mass"] == Scores(None, None, None, None)
    assert mean_scores(matrix) == class_scores(matrix)["kidney"]
    empty = confusion(np.zeros((1, 1, 4), np.uint8), np.zeros((1, 1, 4), np.uint8))
    assert mean_scores(empty) == Scores(None, None, None, None)


def test_a_class_found_where_there_is_none_has_no_recall():
    kidney = np.array([[[1, 1, 1, 0]]], np.uint8)
    scores = class_scores(confusion(np.array([[[1, 1, 4, 0]]], np.uint8), kidney))
    assert scores["cyst"] == Scores(pytest.approx(2 / 3), 0.0, None, 0.0)


def test_a_class_that_was_never_found_has_no_precision_but_lowers_the_mean():
    matrix = confusion(np.array([[[1, 1, 1, 1]]], np.uint8), np.array([[[1, 1, 3, 3]]], np.uint8))
    assert class_scores(matrix)["mass"] == Scores(0.5, None, 0.0, 0.0)
    assert mean_scores(matrix).precision == pytest.approx((0.5 + 0) / 2)
