"""Which kidney's parenchyma a lesion is compared with, on made kidneys of two densities."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from test_segmentation_lesions import STAGE

from KidneySegLib.inference.predict import Predictor
from KidneySegLib.segmentation.kidneys.outline import Outline
from KidneySegLib.segmentation.lesions.level import other_levels
from KidneySegLib.structures import Side
from KidneySegLib.volume import Volume

LEAST = 0.85


@pytest.fixture
def kidneys():
    """A volume with a tumour of 60 HU in the right half, a kidney of 140 HU in the left one, and both outlines."""
    hu = np.full((24, 24, 48), -100, np.int16)
    hu[4:20, 4:20, 4:20], hu[4:20, 4:20, 28:44] = 60, 140
    volume = Volume(hu, np.diag([2.0, 2.0, 2.0, 1.0]))
    outlines = []
    for side, first in ((Side.RIGHT, 2), (Side.LEFT, 26)):
        box = (slice(2, 22), slice(2, 22), slice(first, first + 20))
        mask = hu[box] > 0
        outlines.append(Outline(side, box, mask, mask.astype(np.float32), 0.95, 30.0, False, ()))
    return volume, outlines


def levels(volume, outlines):
    stage = Predictor(STAGE, (torch.nn.Identity(),), torch.device("cpu"), torch.float32)
    return other_levels(volume, outlines, stage, LEAST)


def test_each_kidney_gets_the_level_of_the_other(kidneys):
    right, left = levels(*kidneys)
    assert (right.middle, left.middle) == (140, 60)
    assert not right.instead and not left.instead


@pytest.mark.parametrize("doubtful", [0, 1])
def test_a_sure_kidney_stands_for_the_other_whose_outline_is_doubtful(kidneys, doubtful):
    volume, outlines = kidneys
    outlines[doubtful] = replace(outlines[doubtful], confidence=0.8)
    found = levels(volume, outlines)
    assert found[doubtful].instead and not found[1 - doubtful].instead


def test_of_two_doubtful_kidneys_none_stands_for_the_other(kidneys):
    volume, outlines = kidneys
    found = levels(volume, [replace(outline, confidence=0.8) for outline in outlines])
    assert not found[0].instead and not found[1].instead


def test_a_single_kidney_has_no_other(kidneys):
    volume, outlines = kidneys
    assert levels(volume, outlines[:1]) == [None]
    assert levels(volume, []) == []
