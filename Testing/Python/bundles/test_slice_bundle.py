"""The shipped bundle for single slices, where it is there."""

from __future__ import annotations

from functools import reduce
from operator import add

import pytest

from KidneySegLib.bundles.catalogue import find_bundle
from KidneySegLib.errors import BundleError
from KidneySegLib.evaluation.cases import find_cases
from KidneySegLib.evaluation.evaluate import evaluate


def test_kidneys_and_stones_of_the_validation_slices(shared_data):
    try:
        bundle = find_bundle(None, "ct-slice")
    except BundleError:
        pytest.skip("the bundle ct-slice is not shipped yet")
    assert bundle.stage("slice").threshold == 0.65
    cases = find_cases("ct-slice", [shared_data / "ct_slices" / "validation"])
    results = [case for case, *_ in evaluate("ct-slice", cases, device="cpu")]
    dice = [result.overlap.dice for result in results if result.overlap]
    assert len(dice) == 19 and sum(dice) / len(dice) >= 0.93
    stones = reduce(add, (result.touched for result in results if result.touched))
    assert stones.dice >= 0.80
