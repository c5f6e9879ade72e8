import numpy as np
import pytest
import torch
from bundle_cases import KIDNEY_RULES

from KidneySegLib.segmentation.kidneys.locate import find_candidates, midline
from KidneySegLib.segmentation.kidneys.sides import assign
from KidneySegLib.structures import Side

SHAPE = (60, 60, 100)
SPACING = np.array([4.0, 4.0, 4.0])


def probability(*balls: tuple[tuple[int, int, int], float, float]) -> torch.Tensor:
    """Balls of (centre k j i, radius, probability) in voxels."""
    grid = np.stack(np.meshgrid(*map(np.arange, SHAPE), indexing="ij"), -1)
    values = np.zeros(SHAPE, np.float32)
    for centre, radius, value in balls:
        values[np.linalg.norm(grid - np.array(centre), axis=-1) <= radius] = value
    return torch.from_numpy(values)


def regions(*balls, middle=50.0):
    return assign(find_candidates(probability(*balls), SPACING, 0.5, KIDNEY_RULES), middle, SPACING)


def test_two_kidneys_get_their_sides_from_the_patient_axis():
    found, flags = regions(((30, 30, 30), 7, 0.95), ((32, 30, 70), 7, 0.9))
    assert [r.side for r in found] == [Side.RIGHT, Side.LEFT]
    assert found[0].upper[2] < 50 < found[1].lower[2]
    assert flags == []


@pytest.mark.parametrize(("column", "side"), [(30, Side.RIGHT), (72, Side.LEFT)])
def test_one_kidney_gives_one_region(column, side):
    found, _ = regions(((30, 30, column), 7, 0.9))
    assert [r.side for r in found] == [side]


def test_nothing_located_gives_nothing():
    assert regions() == ([], [])


def test_specks_are_left_aside_but_a_cut_pole_is_not():
    found, _ = regions(((30, 30, 30), 1, 0.99))
    assert found == []
    found, _ = regions(((0, 30, 30), 5, 0.99))
    assert [r.side for r in found] == [Side.RIGHT]


def test_a_small_piece_counts_where_its_side_has_nothing_larger():
    """Of two whole kidneys on plain scans the locator saw 3.5 and 5.5 ml; the next pass outlines all of them."""
    small, large = ((30, 30, 72), 2.5, 0.8), ((30, 30, 28), 7, 0.9)
    found, _ = regions(large, small)
    assert [(r.side, r.small) for r in found] == [(Side.RIGHT, False), (Side.LEFT, True)]
    alone, _ = regions(large)
    beside, _ = regions(large, ((30, 30, 39), 2.5, 0.99))  # near it on the same side
    assert len(alone) == len(beside) == 1
    assert (beside[0].upper == alone[0].upper).all() and (beside[0].seeds == alone[0].seeds).all()


def test_a_torn_kidney_is_one_and_a_transplant_is_no_part_of_it():
    found, flags = regions(((25, 30, 30), 6, 0.9), ((40, 30, 30), 6, 0.9), ((30, 30, 72), 7, 0.9))
    assert len(found) == 2 and flags == []
    assert found[0].lower[0] == 19 and found[0].upper[0] == 47
    found, _ = regions(((45, 30, 30), 6, 0.9), ((45, 30, 72), 7, 0.9), ((8, 20, 25), 6, 0.85))
    assert len(found) == 2
    assert found[0].lower[0] == 39


def test_a_horseshoe_is_divided_at_the_midline_and_told():
    found, flags = regions(*(((30, 30, c), 6, 0.9) for c in range(30, 72, 3)))
    assert [f.code for f in flags] == ["fused_kidney"]
    assert [r.side for r in found] == [Side.RIGHT, Side.LEFT]
    assert not (found[0].seeds & found[1].seeds).any()
    assert found[0].upper[2] == found[1].lower[2] == 50


def test_one_kidney_in_the_pelvis_is_told():
    _, flags = regions(((50, 30, 30), 6, 0.9), ((12, 30, 70), 6, 0.9))
    assert [f.code for f in flags] == ["kidney_position"]


def test_the_midline_is_the_spine_not_the_array():
    hu = np.full(SHAPE, -1000.0)
    hu[:, 10:50, 5:75] = 40
    hu[:, 35:45, 42:49] = 400
    kidney = find_candidates(probability(((30, 30, 30), 8, 0.9)), SPACING, 0.5, KIDNEY_RULES)
    hu[kidney[0].mask] = 250  # an enhanced kidney on one side does not pull the middle
    assert midline(hu, kidney) == pytest.approx(45, abs=1)
    hu[hu > 100] = 40
    assert midline(hu, kidney) == pytest.approx(39.5, abs=0.6)
