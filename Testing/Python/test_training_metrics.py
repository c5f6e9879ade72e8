import math

import numpy as np
import pytest

from KidneySegLib.evaluation.metrics import agreement


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
