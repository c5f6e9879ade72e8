"""The shipped bundle for single slices, where it is there."""

from __future__ import annotations

import pytest

from KidneySegLib.bundles.catalogue import find_bundle
from KidneySegLib.bundles.rules import CtSliceRules
from KidneySegLib.errors import BundleError
from KidneySegLib.evaluation.slices import evaluate_folder
from KidneySegLib.inference.device import choose_device
from KidneySegLib.segmentation.load import load_predictors, rules_for


def test_kidneys_and_stones_of_the_validation_slices(shared_data):
    try:
        bundle = find_bundle(None, "ct-slice")
    except BundleError:
        pytest.skip("the bundle ct-slice is not shipped yet")
    rules = rules_for(bundle, CtSliceRules)
    predictor = load_predictors(bundle, choose_device("cpu"), ["slice"])["slice"]
    assert predictor.stage.threshold == 0.65
    results = list(evaluate_folder(shared_data / "ct_slices" / "validation", predictor, rules.slice))
    dice = [result.kidneys.dice for result in results if result.kidneys]
    assert len(dice) == 19 and sum(dice) / len(dice) >= 0.93
    stones = [result.stones for result in results if result.stones]
    both, pixels = sum(s.both for s in stones), sum(s.found + s.reference for s in stones)
    assert 2 * both / pixels >= 0.80
