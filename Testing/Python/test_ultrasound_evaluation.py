"""Scores of frames: known shapes have known numbers; the constant mask stands beside them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from KidneySegLib.evaluation.frames import compare_frame, constant_scores, frame_files, frame_pages, frame_scores


def box(shape: tuple[int, int], rows: slice, columns: slice) -> np.ndarray:
    mask = np.zeros(shape, bool)
    mask[rows, columns] = True
    return mask


def test_scores_of_known_boxes() -> None:
    truth = box((20, 40), slice(5, 15), slice(10, 30))
    found = box((20, 40), slice(5, 15), slice(10, 20))
    scores = frame_scores(found, truth, (1.0, 1.0))
    assert (scores.both, scores.found_only, scores.reference_only, scores.neither) == (100, 0, 100, 600)
    assert (scores.accuracy, scores.precision, scores.recall) == (0.875, 1.0, 0.5)
    assert (scores.jaccard, scores.dice) == (0.5, pytest.approx(2 / 3))
    assert frame_scores(truth, truth, (1.0, 1.0)).border == 0
    assert frame_scores(truth, truth, (1.0, 1.0)).length_error_percent == 0


def test_border_and_length_follow_the_pixel_size() -> None:
    truth = box((40, 40), slice(10, 30), slice(19, 20))
    found = box((40, 40), slice(10, 30), slice(21, 22))
    assert frame_scores(found, truth, (1.0, 0.5)).border == pytest.approx(1.0)
    assert frame_scores(found, truth, (1.0, 2.0)).border == pytest.approx(4.0)
    shorter = box((40, 40), slice(10, 28), slice(19, 20))
    assert frame_scores(shorter, truth, (0.3, 0.3)).length_error_percent == pytest.approx(10, abs=0.2)


def test_nothing_found_is_no_crash_and_no_praise() -> None:
    truth = box((20, 20), slice(5, 15), slice(5, 15))
    scores = frame_scores(np.zeros_like(truth), truth, (1.0, 1.0))
    assert (scores.dice, scores.precision, scores.length_error_percent) == (0.0, 0.0, 100.0)
    assert math.isnan(scores.border)


def test_constant_mask_is_made_of_the_other_frames_of_its_kind() -> None:
    filled = [box((20, 20), slice(2, 18), slice(3, 17)), box((40, 40), slice(4, 36), slice(6, 34))]
    small = [box((20, 40), slice(2, 8), slice(2, 10)), box((20, 40), slice(12, 18), slice(30, 38))]
    frames = [compare_frame(str(n), mask, mask, (1.0, 1.0)) for n, mask in enumerate([*filled, *small])]
    dice = [scores.dice for scores in constant_scores(frames) if scores]
    assert dice == [pytest.approx(1.0), pytest.approx(1.0), 0.0, 0.0]
    assert constant_scores(frames[:1]) == [None]


def test_tables_have_the_form_of_the_paper() -> None:
    truth = box((20, 20), slice(2, 18), slice(3, 17))
    small = box((20, 40), slice(2, 8), slice(2, 10))
    frames = [
        compare_frame("a", truth, truth, (1.0, 1.0)),
        compare_frame("b", np.zeros_like(truth), truth, (1.0, 1.0)),
        compare_frame("c", small, small, (1.0, 1.0)),
    ]
    page, confusion = frame_pages(frames)
    assert [row[:2] for row in page.rows] == [
        (group, outline)
        for group in ("all frames", "the kidney fills the frame", "whole sectors")
        for outline in ("found", "constant mask")
    ]
    assert page.rows[2][6] == "50.00 ± 70.71"
    both = int(truth.sum()) + int(small.sum())
    assert confusion.rows == [("kidney", both, int(truth.sum())), ("background", 0, 400 - 224 + 400 - 224 + 800 - 48)]
    assert [row[0] for row in frame_files(frames)[0].rows] == ["a", "b", "c"]
    assert frame_pages([]) == frame_files([]) == []
