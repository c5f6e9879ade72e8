"""Several made exams together: sums, rates, mistakes and the tables."""

import csv

import numpy as np
import pytest

from KidneySegLib.evaluation.tables import make_tables, write_tables
from KidneySegLib.evaluation.volumes import Evaluation, evaluate_labels
from KidneySegLib.measuring.instances import Confidence
from KidneySegLib.structures import Side
from KidneySegLib.volume import Volume

SHAPE = (12, 30, 60)
GRID = Volume(np.zeros(SHAPE, np.int16), np.eye(4))
RIGHT = (1, (2, 10), (5, 25), (5, 25))
LEFT = (2, (2, 10), (5, 25), (35, 55))
KIDNEY_VOXELS = 8 * 20 * 20
# 6 mm wide in an axial slice: hypot(6, 5) mm
CYST = (4, (4, 8), (10, 16), (10, 16))
MASS = (3, (3, 9), (8, 20), (38, 50))
STONE = (5, (5, 6), (10, 11), (40, 44))


def labels(*boxes):
    result = np.zeros(SHAPE, np.uint8)
    for label, *ranges in boxes:
        result[tuple(slice(a, b) for a, b in ranges)] = label
    return result


def exam(name, found, reference):
    return evaluate_labels(name, GRID, labels(*found), labels(*reference))


@pytest.fixture(scope="module")
def evaluation():
    kidneys = (RIGHT, LEFT)
    stray = (4, (4, 7), (20, 23), (20, 23))
    pebble = (5, (8, 9), (20, 21), (40, 42))
    return Evaluation(
        (
            exam("cyst", (*kidneys, CYST), (*kidneys, CYST)),
            exam("mass", (*kidneys, (4, *MASS[1:])), (*kidneys, MASS)),
            exam("stone", (*kidneys, (5, (5, 6), (10, 11), (40, 43)), pebble), (*kidneys, STONE)),
            exam("healthy", (*kidneys, stray), kidneys),
            exam("chest", (), ()),
        )
    )


def test_the_organ_keeps_its_lesions(evaluation):
    cyst, mass, *_, chest = evaluation.exams
    assert cyst.organs[Side.RIGHT].dice == mass.organs[Side.LEFT].dice == 1.0
    assert mass.organs[Side.LEFT].reference_ml == pytest.approx(KIDNEY_VOXELS / 1000)
    assert chest.organs == {}


def test_a_lesion_at_the_end_of_the_image_has_its_confidence():
    # the whole grid is labelled, so the box around the labels ends where the image ends
    cut = labels((1, (0, 12), (0, 30), (0, 60)), (4, (8, 12), (20, 30), (50, 60)))
    sure = Confidence.within(cut, np.where(cut == 4, 80, 0).astype(np.uint8))
    lesions = evaluate_labels("cut", GRID, cut, cut, sure).lesions
    assert [lesion.confidence for lesion in lesions] == [pytest.approx(0.8)] * 2


def test_voxels_are_pooled_over_exams(evaluation):
    mass, stray, cyst = 6 * 12 * 12, 27, 4 * 6 * 6
    assert evaluation.confusion.tolist() == [
        [0, 0, 0, 0],
        [0, 8 * KIDNEY_VOXELS - mass - cyst - stray, 0, stray],
        [0, 0, 0, mass],
        [0, 0, 0, cyst],
    ]


def test_a_map_is_cut_out_without_losing_its_place():
    far = exam("far", (), ((4, (9, 12), (20, 28), (50, 58)),))
    (lesion,) = far.lesions
    assert lesion.component.centroid_lps_mm == pytest.approx((53.5, 23.5, 10.0))
    assert lesion.component.slice_index == 9


def test_detection_by_structure_and_size(evaluation):
    rows = {(row.structure, row.size): row for row in evaluation.detections()}
    cysts = rows["cyst", "all"]
    assert (cysts.reference, cysts.found, cysts.as_one, cysts.missed, cysts.false) == (1, 1, 1, 0, 2)
    assert (cysts.scans, cysts.scans_without, cysts.false_without) == (5, 4, 2)
    assert cysts.false_per_scan == pytest.approx(0.4) and cysts.false_per_scan_without == pytest.approx(0.5)
    assert (rows["cyst", "< 10 mm"].reference, rows["cyst", "< 10 mm"].false) == (1, 1)
    assert (rows["cyst", "≥ 10 mm"].reference, rows["cyst", "≥ 10 mm"].false) == (0, 1)
    assert rows["cyst", "≥ 10 mm"].sensitivity is None
    masses = rows["mass", "all"]
    assert (masses.reference, masses.found, masses.sensitivity, masses.false) == (1, 0, 0.0, 0)
    both = rows["mass or cyst", "all"]
    # the mass's exam has lesions, so the false cyst there does not count among the exams without
    assert (both.reference, both.found, both.scans_without, both.false_without) == (2, 1, 3, 1)
    stones = rows["stone", "≥ 3 mm"]
    assert (stones.reference, stones.found, stones.false) == (1, 1, 0)
    assert stones.dice == pytest.approx(6 / 7) and stones.distance_mm == pytest.approx(0.5)
    assert rows["stone", "< 3 mm"].false == 1 and rows["stone", "all"].false_per_scan == pytest.approx(0.2)


def test_detection_by_exam_leaves_out_where_nothing_is(evaluation):
    rows = [(name, row.structure, row.found, row.missed, row.false) for name, row in evaluation.detections_by_exam()]
    assert rows == [
        ("cyst", "cyst", 1, 0, 0),
        ("mass", "mass", 0, 1, 0),
        ("mass", "cyst", 0, 0, 1),
        ("stone", "stone", 1, 0, 1),
        ("healthy", "cyst", 0, 0, 1),
    ]


def test_mistakes_between_mass_and_cyst(evaluation):
    counts = {pair: count for pair, count in evaluation.mistakes().items() if count}
    assert counts == {("mass", "cyst"): 1, ("cyst", "cyst"): 1, ("none", "cyst"): 1}


def test_stone_voxels(evaluation):
    stones = evaluation.stones
    assert (stones.reference, stones.found, stones.both) == (4, 5, 3)
    assert stones.dice == pytest.approx(6 / 9)
    assert stones.volume_ratio == pytest.approx(5 / 4)
    healthy = evaluation.exams[3].stones
    assert healthy.dice is None and healthy.volume_ratio is None


def test_tables_say_the_same_in_both_forms(evaluation, tmp_path):
    page = write_tables(tmp_path, *make_tables(evaluation)).read_text()
    with (tmp_path / "classes.csv").open() as file:
        rows = {row["class"]: row for row in csv.DictReader(file)}
    assert float(rows["cyst"]["precision %"]) == pytest.approx(100 * 144 / (144 + 27 + 864))
    assert "| cyst | 96.52 | 13.91 | 100.00 | 24.43 |" in page
    assert "| solid mass | 96.62 |  | 0.00 | 0.00 |" in page
    assert "| mass | mass | 1 | 16.3 | 0.864 | cyst |  |  |  |" in page
    assert "| chest | none in view, none found |  |  |  |  |  |  |" in page
    assert "| healthy | cyst | false | 1 | 3.6 | 0.027 | 21.0 | 21.0 | 5.0 | 5 | kidney |" in page
    assert "| all | 0.667 | 0.004 | 0.005 | 1.250 |" in page
    with (tmp_path / "lesions.csv").open() as file:
        lesions = list(csv.DictReader(file))
    assert [(row["exam"], row["what"]) for row in lesions if row["structure"] == "stone"] == [
        ("stone", "found"),
        ("stone", "true"),
        ("stone", "false"),
    ]
    names = {table.name for tables in make_tables(evaluation) for table in tables}
    assert {path.stem for path in tmp_path.glob("*.csv")} == names


def test_exams_without_any_lesion_leave_the_rates_empty(tmp_path):
    healthy = Evaluation((exam("healthy", (RIGHT, LEFT), (RIGHT, LEFT)),))
    page = write_tables(tmp_path, *make_tables(healthy)).read_text()
    assert "| cyst |  |  |  |  |\n" in page and "| mean | 100.00 | 100.00 | 100.00 | 100.00 |" in page
    assert "| cyst | all | 0 | 0 | 0 | 0 |  |  |  | 0 | 1 | 0.000 | 1 | 0.000 |" in page
