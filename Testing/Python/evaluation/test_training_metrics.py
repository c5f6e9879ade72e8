import math

import numpy as np
import pytest

from KidneySegLib.evaluation.metrics import Spread, agreement, cross_entropy, dice, iou


def box(shape, lower, upper):
    mask = np.zeros(shape, bool)
    mask[tuple(slice(a, b) for a, b in zip(lower, upper, strict=True))] = True
    return mask


SHAPE = (30, 40, 50)


def test_a_mask_agrees_with_itself():
    mask = box(SHAPE, (5, 5, 5), (20, 20, 20))
    result = agreement(mask, mask, (2.0, 1.0, 1.0))
    assert (result.dice, result.surface_dice, result.hd95_mm) == (1.0, pytest.approx(1.0), 0.0)
    assert result.reference_ml == pytest.approx(15**3 * 2 / 1000)
    assert result.volume_error_percent == 0


def test_a_shift_gives_its_distance_in_millimetres():
    first, second = box(SHAPE, (5, 10, 10), (20, 30, 30)), box(SHAPE, (8, 10, 10), (23, 30, 30))
    result = agreement(first, second, (2.5, 1.0, 1.0))
    assert result.dice == pytest.approx(2 * 12 / 30)
    assert result.hd95_mm == pytest.approx(7.5, abs=0.1)
    assert result.surface_dice < 0.95
    near = agreement(first, box(SHAPE, (5, 11, 10), (20, 31, 30)), (2.5, 1.0, 1.0))
    assert near.surface_dice > 0.99


def test_empty_masks():
    empty, mask = np.zeros(SHAPE, bool), box(SHAPE, (5, 5, 5), (9, 9, 9))
    assert agreement(empty, empty, (1, 1, 1)).dice == 1.0
    missed = agreement(empty, mask, (1, 1, 1))
    assert missed.dice == 0 and math.isinf(missed.hd95_mm) and missed.volume_error_percent == -100
    assert math.isinf(agreement(mask, empty, (1, 1, 1)).volume_error_percent)


def test_dice_iou_and_loss_of_known_masks():
    found, reference = np.zeros((1, 4, 5), bool), np.zeros((1, 4, 5), bool)
    found[0, :2], reference[0, 1:3] = True, True
    assert (dice(found, reference), iou(found, reference)) == (0.5, pytest.approx(1 / 3))
    nothing = reference & False
    assert (dice(nothing, nothing), iou(nothing, nothing)) == (1.0, 1.0)
    probability = np.where(reference, 0.8, 0.25)
    assert cross_entropy(probability, reference) == pytest.approx(-(math.log(0.8) + math.log(0.75)) / 2)


def test_spread_is_mean_and_sample_deviation():
    assert str(Spread.of([0.9, 0.95, 1.0])) == "0.9500 ± 0.0500"
    assert str(Spread.of([0.5])) == "0.5000 ± 0.0000"
