"""Intervals, pairs, limits of agreement, calibration, FROC and panoptic quality on numbers that are known."""

import json
import math
from pathlib import Path
from statistics import median

import numpy as np
import pytest

from KidneySegLib.evaluation.components import Component
from KidneySegLib.evaluation.detection import ScoredLesion, Status, detect
from KidneySegLib.evaluation.metrics import TOLERANCE_MM, agreement
from KidneySegLib.evaluation.statistics.bland_altman import limits_of_agreement
from KidneySegLib.evaluation.statistics.bootstrap import bootstrap, compare, mean
from KidneySegLib.evaluation.statistics.calibration import outline_reliability, reliability
from KidneySegLib.evaluation.statistics.froc import froc, sensitivity_at
from KidneySegLib.evaluation.statistics.panoptic import panoptic_quality
from KidneySegLib.measuring.instances import Confidence
from KidneySegLib.volume import Volume

READERS = Path(__file__).resolve().parents[3].parent / "shared/data/kits23_shapes/readers.json"


def lesion(status: Status, confidence: float | None = None, iou: float = 0.0, size: float = 15.0) -> ScoredLesion:
    part = Component(10, 0.01, size, (0.0, 0.0, 0.0), 0)
    reference = status in (Status.FOUND, Status.MISSED)
    return ScoredLesion("e", "mass", reference, 1, status, part, None, False, None, "", None, iou, confidence)


def test_intervals_are_over_patients_not_over_cases():
    # ten equal cases of each patient say no more than one
    few = bootstrap([("a", 0.0), ("b", 1.0), ("c", 1.0)], mean)
    many = bootstrap([(p, v) for p, v in (("a", 0.0), ("b", 1.0), ("c", 1.0)) for _ in range(10)], mean)
    assert few == many
    assert few.value == pytest.approx(2 / 3) and (few.low, few.high) == (0.0, 1.0)
    alone = bootstrap([("a", 0.5), ("a", 0.7)], mean)
    assert alone.low is None and str(alone) == "0.600"
    assert bootstrap([("a", math.inf)], mean) is None


def test_an_interval_covers_the_truth_about_as_often_as_it_says():
    rng = np.random.default_rng(1)
    inside = 0
    for _ in range(100):
        values = rng.normal(0.0, 1.0, 25)
        interval = bootstrap([(str(n), float(v)) for n, v in enumerate(values)], mean, draws=300)
        inside += interval.low <= 0 <= interval.high
    assert 85 <= inside <= 99


def test_pairs_by_patient():
    first = {str(n): 0.9 for n in range(8)} | {"only here": 0.1}
    second = {str(n): 0.8 + 0.005 * n for n in range(8)}
    result = compare(first, second)
    assert result.patients == 8 and result.first == pytest.approx(0.9)
    assert result.difference.value == pytest.approx(0.1 - 0.005 * 3.5)
    assert result.p == pytest.approx(2 / 2**8)  # all eight differ in one direction
    assert compare(first, {"0": 0.5}).p is None and compare(first, {"x": 1.0}) is None
    assert compare(second, second).p is None


def test_limits_of_agreement():
    limits = limits_of_agreement([11.0, 9.0, 13.0], [10.0, 10.0, 10.0])
    assert (limits.bias, limits.sd, limits.count) == (pytest.approx(1.0), pytest.approx(2.0), 3)
    assert (limits.low, limits.high) == (pytest.approx(1 - 3.92), pytest.approx(1 + 3.92))
    assert limits_of_agreement([], []) is None


def test_calibration_of_known_probabilities():
    result = reliability(np.array([0.85, 0.85, 0.15, 1.0]), np.array([True, False, False, True]))
    assert result.curve() == [(0.15, 0.0, 1), (0.85, 0.5, 2), (1.0, 1.0, 1)]
    assert result.error == pytest.approx((0.15 + 0.7 + 0.0) / 4)
    assert (result + result).error == pytest.approx(result.error)
    # plain background is not asked
    outline = outline_reliability(np.array([[[0.0, 0.001, 0.5]]]), np.array([[[False, False, True]]]))
    assert outline.voxels.sum() == 1


def test_froc_goes_from_the_surest_to_the_least_sure():
    lesions = [lesion(Status.FOUND, 0.9), lesion(Status.FOUND, 0.6), lesion(Status.MISSED), lesion(Status.FALSE, 0.7)]
    curve = froc(lesions, exams=2)
    assert [(p.false_per_exam, pytest.approx(p.sensitivity)) for p in curve] == [(0, 1 / 3), (0.5, 1 / 3), (0.5, 2 / 3)]
    assert sensitivity_at(curve, 0.25) == pytest.approx(1 / 3)
    assert sensitivity_at(curve, 0.5) == pytest.approx(2 / 3)
    assert froc([lesion(Status.FALSE, 0.5)], 1) == []
    assert sensitivity_at(froc([lesion(Status.MISSED)], 1), 8) == 0


def test_panoptic_quality_by_size():
    lesions = [
        lesion(Status.FOUND, iou=0.8),
        lesion(Status.FOUND, iou=0.4, size=50.0),  # found by our rule, but no pair
        lesion(Status.TRUE, iou=0.8),
        lesion(Status.TRUE, iou=0.4, size=45.0),
        lesion(Status.TOO_SMALL, size=3.0),
    ]
    whole = panoptic_quality(lesions)
    assert (whole.pairs, whole.missed, whole.false) == (1, 1, 1)
    assert whole.quality == pytest.approx(0.8 / 2) == pytest.approx(whole.segmentation * whole.recognition)
    assert panoptic_quality(lesions, 40).quality == 0 and panoptic_quality(lesions, 10, 20).quality == pytest.approx(
        0.8
    )
    assert panoptic_quality([]).quality is None


def scene():
    """Four stones of the reference and four found ones; one pair is the same, one shifted, one missed, one false."""
    reference, found = np.zeros((12, 30, 60), np.uint8), np.zeros((12, 30, 60), np.uint8)
    reference[2:6, 2:8, 2:8] = found[2:6, 2:8, 2:8] = 5
    reference[2:6, 2:8, 20:26], found[2:6, 2:8, 21:27] = 5, 5
    reference[2:6, 20:26, 2:8], found[2:6, 20:26, 40:46] = 5, 5
    reference[8:10, 12:18, 50:56], found[8:10, 15:21, 50:56] = 5, 5  # IoU 1/3
    return found, reference


def test_panoptic_quality_is_that_of_panoptica():
    panoptica = pytest.importorskip("panoptica", reason="the judge 'panoptica' is not installed")
    found, reference = scene()
    ours = panoptic_quality(detect("e", "stone", found, reference, Volume(np.zeros(found.shape, np.int16), np.eye(4))))
    evaluator = panoptica.Panoptica_Evaluator(
        expected_input=panoptica.InputType.SEMANTIC,
        instance_approximator=panoptica.ConnectedComponentsInstanceApproximator(),
        instance_matcher=panoptica.NaiveThresholdMatching(),
    )
    (theirs,) = evaluator.evaluate((found > 0).astype(np.uint8), (reference > 0).astype(np.uint8)).values()
    assert (ours.pairs, ours.missed, ours.false) == (theirs.tp, theirs.fn, theirs.fp) == (2, 2, 2)
    assert ours.quality == pytest.approx(theirs.pq) and ours.segmentation == pytest.approx(theirs.sq)


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (5.0, 0.7, 0.7)])
def test_surface_measures_are_those_of_surface_distance(spacing):
    judge = pytest.importorskip("surface_distance", reason="the judge 'surface-distance' is not installed")
    k, j, i = np.meshgrid(*map(np.arange, (24, 50, 50)), indexing="ij")
    reference = ((k - 12) / 7) ** 2 + ((j - 25) / 15) ** 2 + ((i - 25) / 12) ** 2 < 1
    found = ((k - 13) / 7) ** 2 + ((j - 26) / 14) ** 2 + ((i - 24) / 13) ** 2 < 1
    ours = agreement(found, reference, spacing, reader_tolerance_mm=1.3)
    theirs = judge.compute_surface_distances(reference, found, spacing)
    assert ours.surface_dice == pytest.approx(judge.compute_surface_dice_at_tolerance(theirs, 2.0), abs=0.01)
    assert ours.reader_surface_dice == pytest.approx(judge.compute_surface_dice_at_tolerance(theirs, 1.3), abs=0.02)
    # theirs weighs surface elements, ours (MONAI) counts voxels of the surface: within a voxel
    assert ours.hd95_mm == pytest.approx(judge.compute_robust_hausdorff(theirs, 95), abs=max(spacing))
    assert ours.dice == pytest.approx(judge.compute_dice_coefficient(reference, found))


def test_the_rest_of_an_agreement_follows_from_its_volumes():
    found, reference = np.zeros((2, 4, 5), bool), np.zeros((2, 4, 5), bool)
    found[0, :2], reference[0, 1:3] = True, True
    result = agreement(found, reference, (1.0, 2.0, 3.0), image_voxels=100)
    assert (result.precision, result.recall, result.dice) == (0.5, 0.5, 0.5)
    assert result.iou == pytest.approx(1 / 3) and result.accuracy == pytest.approx(0.9)
    assert result.reader_surface_dice is None
    flat = agreement(found[:1], reference[:1], (1.0, 1.0, 1.0))
    assert flat.hd95_mm == pytest.approx(1.0)
    assert agreement(found & False, reference, (1, 1, 1)).precision is None


def _tolerance_of(volume_ml: float, dice: float) -> float:
    """Returns the 95th percentile of the distance between readers in mm, from their Dice and the mean volume."""
    radius = (3 * volume_ml * 1000 / (4 * math.pi)) ** (1 / 3)
    p95_by_mean = 1.959964 / math.sqrt(2 / math.pi)  # of |x|, x normally distributed
    return p95_by_mean * 2 * (1 - dice) * radius / 3


def test_tolerances_are_those_of_the_readers():
    if not READERS.is_file():
        pytest.skip("the readers' data (shared/data/kits23_shapes) are not here")
    cases = json.loads(READERS.read_text())
    for structure, name in (("kidney", "kidney"), ("mass", "tumor"), ("cyst", "cyst")):
        derived = [_tolerance_of(c["volume_ml"], c["mean_dice"]) for c in cases if c["structure"] == name]
        assert TOLERANCE_MM[structure] == pytest.approx(median(derived), abs=0.05)


def test_confidence_is_that_of_the_lesions_voxels():
    labels = np.zeros((6, 20, 20), np.uint8)
    labels[1:4, 2:9, 2:9], labels[1:4, 11:18, 11:18] = 4, 4
    reference = np.where(np.arange(20) < 10, labels, 0).astype(np.uint8)
    percent = np.where(np.arange(20) < 10, 90, 40).astype(np.uint8) * (labels > 0)
    confidence = Confidence.within(labels, percent.astype(np.uint8))
    box = (slice(0, 6), slice(0, 20), slice(0, 20))
    assert np.array_equal(confidence.on(box), percent)
    grid = Volume(np.zeros(labels.shape, np.int16), np.eye(4))
    lesions = detect("e", "cyst", labels, reference, grid, percent=confidence.on(box))
    assert [(one.status, one.confidence) for one in lesions] == [
        (Status.FOUND, pytest.approx(0.9)),
        (Status.TRUE, pytest.approx(0.9)),
        (Status.FALSE, pytest.approx(0.4)),
    ]
