"""Below the operating point a mass or cyst is a candidate: listed apart, in no label map, number or volume."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from lesion_cases import ball, draw, grid, kidneys
from numpy.typing import NDArray
from reporting_cases import findings_of

from KidneySegLib.bundles.rules import OperatingPoint
from KidneySegLib.errors import InputError
from KidneySegLib.evaluation.tables import make_tables
from KidneySegLib.evaluation.volumes import Evaluation, evaluate_labels
from KidneySegLib.exam import Exam
from KidneySegLib.findings import Findings, Reading
from KidneySegLib.findings.marks import confirmed, dismissed, marked_as
from KidneySegLib.languages.language import Language
from KidneySegLib.measuring.describe import describe
from KidneySegLib.measuring.instances import LesionCandidate, Segmentation
from KidneySegLib.reporting.content.facts import summary
from KidneySegLib.reporting.content.tables import findings_tables
from KidneySegLib.reporting.text import findings_text
from KidneySegLib.result_files.result import Result
from KidneySegLib.segmentation.kidneys.outline import Outline
from KidneySegLib.segmentation.lesions.find import FoundLesions
from KidneySegLib.segmentation.lesions.operating_point import take_out_candidates
from KidneySegLib.structures import KIDNEYS, Side
from KidneySegLib.tasks.ct import CT
from KidneySegLib.tasks.run import correct
from KidneySegLib.volume import Volume

MASS, CYST = 3, 4
POINT = OperatingPoint(least_mass_confidence=0.65, least_cyst_confidence=0.45)


def scan(
    *lesions: tuple[int, tuple[float, float, float], int, int], parenchyma: int = 150
) -> tuple[Volume, NDArray, NDArray]:
    """Returns an image, labels and certainty in per cent; lesions are (label, centre, HU, per cent) of 9 mm radius."""
    volume = grid((2.0, 2.0, 2.0), (240.0, 120.0, 180.0))
    labels = draw(volume, [*kidneys(), *((label, ball(centre, 9.0)) for label, centre, _, _ in lesions)])
    volume.voxels[labels > 0] = parenchyma
    percent = np.zeros_like(labels)
    for label, centre, hu, certainty in lesions:
        inside = draw(volume, [(label, ball(centre, 9.0))]) > 0
        volume.voxels[inside], percent[inside] = hu, certainty
    return volume, labels, percent


def taken_out(
    volume: Volume,
    labels: NDArray,
    percent: NDArray,
    point: OperatingPoint = POINT,
    outlined: NDArray | bool = True,
    belongs: NDArray | None = None,
) -> tuple[LesionCandidate, ...]:
    """Takes candidates out of labels; outlines hold kidneys and lesions where ``outlined`` says so.

    ``belongs`` is the probability of the organ in per cent.
    """
    middle, outlines, lesions = labels.shape[2] // 2, [], []
    everywhere = tuple(slice(0, n) for n in labels.shape)
    for side in Side:
        here = np.zeros(labels.shape, bool)
        here[..., :middle] = True
        own = (labels > 0) & (here if side is Side.RIGHT else ~here)
        mask = own & outlined
        outlines.append(Outline(side, everywhere, mask, mask.astype(np.float32), 0.9, 100.0, False, ()))
        lesions.append(FoundLesions(everywhere, np.where(own & (labels >= MASS), labels, 0), percent, (), belongs))
    return take_out_candidates(volume, labels, percent, outlines, lesions, point)


RIGHT, LEFT = (-60.0, 0.0, 20.0), (60.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("label", "hu", "percent", "parenchyma", "is_candidate"),
    [
        (MASS, 90, 60, 150, True),
        (MASS, 90, 70, 150, False),
        (CYST, 15, 50, 150, False),
        (CYST, 15, 40, 150, True),
        # as dense as no fluid in an enhanced kidney, and a dense cyst in an unenhanced one
        (CYST, 55, 90, 150, True),
        (CYST, 55, 90, 35, False),
    ],
)
def test_what_is_too_uncertain_or_too_dense_is_a_candidate(
    label: int, hu: int, percent: int, parenchyma: int, is_candidate: bool
) -> None:
    volume, labels, certainty = scan((label, RIGHT, hu, percent), parenchyma=parenchyma)
    before = labels.copy()
    candidates = taken_out(volume, labels, certainty)
    if not is_candidate:
        assert candidates == () and np.array_equal(labels, before)
        return
    (candidate,) = candidates
    instance = candidate.instance
    assert (instance.structure.label, instance.side, candidate.confidence) == (label, Side.RIGHT, percent / 100)
    assert np.count_nonzero(instance.body.mask) == np.count_nonzero(before == label)
    assert np.array_equal(labels, np.where(before == label, KIDNEYS[Side.RIGHT].label, before))


@pytest.mark.parametrize("label", [MASS, CYST])
@pytest.mark.parametrize(("organ", "is_candidate"), [(90, False), (70, True), (0, False)])  # 0: not known
def test_what_may_not_belong_to_the_kidney_is_a_candidate_and_no_kidney_beyond_its_outline(label, organ, is_candidate):
    volume, labels, certainty = scan((label, RIGHT, 15, 95))
    lesion, before = labels == label, labels.copy()
    outlined = ~lesion | (np.indices(labels.shape)[0] < np.argwhere(lesion)[:, 0].mean())
    belongs = np.where(lesion, organ, 0).astype(np.uint8)
    point = OperatingPoint(least_organ_confidence=0.85)
    candidates = taken_out(volume, labels, certainty, point, outlined, belongs)
    if not is_candidate:
        assert candidates == () and np.array_equal(labels, before)
        return
    (candidate,) = candidates
    assert np.count_nonzero(candidate.instance.body.mask) == np.count_nonzero(lesion)
    assert (labels[lesion & outlined] == KIDNEYS[Side.RIGHT].label).all() and not labels[lesion & ~outlined].any()


def test_without_an_operating_point_of_the_bundle_every_mass_is_a_finding() -> None:
    volume, labels, certainty = scan((MASS, RIGHT, 90, 1))
    assert taken_out(volume, labels, certainty, OperatingPoint()) == ()


def test_masses_come_first_then_right_before_left() -> None:
    where = [(CYST, RIGHT, 15, 30), (MASS, LEFT, 90, 30), (MASS, (-60.0, 0.0, -30.0), 90, 20)]
    candidates = taken_out(*scan(*where))
    assert [(c.instance.structure.key, c.instance.side) for c in candidates] == [
        ("mass", Side.RIGHT),
        ("mass", Side.LEFT),
        ("cyst", Side.RIGHT),
    ]


@pytest.fixture
def result() -> Result:
    """A result with a mass on the left, and on the right one that is a candidate."""
    volume, labels, certainty = scan((MASS, RIGHT, 90, 60), (MASS, LEFT, 90, 80))
    candidates = taken_out(volume, labels, certainty)
    exam = Exam(volume)
    segmentation = replace(Segmentation.of(exam.volume, labels), candidates=candidates)
    findings = describe(exam, segmentation, provenance=findings_of(volume, labels).provenance)
    return Result(exam, segmentation, findings)


def test_candidates_are_listed_apart_and_told(result: Result) -> None:
    findings = result.findings
    (mass,), (candidate,) = findings.lesions, findings.candidates
    assert (mass.side, candidate.id, candidate.side) == (Side.LEFT, "P1", Side.RIGHT)
    assert candidate.confidence == 0.6 and candidate.measures.hu_mean == 90
    (flag,) = [flag for flag in findings.flags if flag.code == "lesion_candidates"]
    assert flag.values["lesion"]["id"] == "P1" and "too doubtful" in findings_text(findings, Language.of("en"))
    right = findings.kidney(Side.RIGHT)
    assert right is not None and right.organ_volume_ml == pytest.approx(right.measures.volume_ml)
    assert type(findings).from_json(findings.to_json()).candidates[0].id == "P1"


@pytest.mark.parametrize("language", ["en", "es", "tr"])
def test_the_report_has_a_table_of_its_own_and_no_word_in_the_summary(result: Result, language: str) -> None:
    speaking = Language.of(language)
    titles = {table.title: table for table in findings_tables(result.findings, speaking, 12)}
    apart = titles[speaking.text("Candidates")]
    assert [row[0] for row in apart.rows] == ["P1"] and len(apart.notes) == 1
    assert [row[0] for row in titles[speaking.text("Masses and cysts")].rows] == ["M1"]
    assert not any("P1" in sentence for sentence in summary(result.findings, speaking))


def test_the_result_folder_keeps_them(result: Result, tmp_path: Path) -> None:
    result.write(tmp_path)
    with (tmp_path / "measurements.csv").open() as table:
        assert [row["id"] for row in csv.DictReader(table)] == ["", "", "M1"]
    with (tmp_path / "candidates.csv").open() as table:
        (row,) = csv.DictReader(table)
    assert (row["id"], row["structure"], row["side"]) == ("P1", "mass", "right")
    (read,), (made,) = Result.read(tmp_path).segmentation.candidates, result.segmentation.candidates
    assert read.instance.body.is_same(made.instance.body) and read.confidence == made.confidence
    (tmp_path / "candidates.nii.gz").write_bytes(b"damaged")
    assert Result.read(tmp_path).segmentation.candidates == ()


def test_a_reader_makes_a_finding_of_one(result: Result) -> None:
    (candidate,), label_map = result.segmentation.candidates, result.segmentation.label_map
    instance = candidate.instance
    drawn = label_map.voxels.copy()
    drawn[instance.body.box][instance.body.mask] = MASS
    corrected = correct(CT(), result.image, drawn, result).findings
    assert [lesion.reading.state for lesion in corrected.lesions] == ["added", "found"] and not corrected.candidates
    assert corrected.lesions[0].reading.was == "P1"
    # what is changed elsewhere leaves it a candidate
    other = label_map.voxels.copy()
    other[other == MASS] = KIDNEYS[Side.LEFT].label
    assert [lesion.id for lesion in correct(CT(), result.image, other, result).findings.candidates] == ["P1"]


def test_the_others_keep_their_names_and_what_the_reader_made_of_them() -> None:
    volume, labels, certainty = scan((MASS, RIGHT, 90, 60), (MASS, LEFT, 90, 50), (CYST, (60.0, 0.0, -30.0), 15, 30))
    candidates, exam = taken_out(volume, labels, certainty), Exam(volume)
    segmentation = replace(Segmentation.of(exam.volume, labels), candidates=candidates)
    original = describe(exam, segmentation, provenance=findings_of(volume, labels).provenance)
    network = Result(exam, segmentation, original)
    drawn, body = labels.copy(), candidates[0].instance.body
    drawn[body.box][body.mask] = MASS
    last = dismissed(original, "P3")
    findings = correct(CT(), exam, drawn, network, last).findings
    assert [(each.id, each.reading.state) for each in findings.candidates] == [("P2", "found"), ("P3", "dismissed")]
    assert Findings.from_json(findings.to_json()).to_json() == findings.to_json()
    (flag,) = [flag for flag in findings.flags if flag.code == "lesion_candidates"]
    assert flag.values["count"] == 1 and flag.values["lesion"]["id"] == "P2"
    (note,) = [note for table in findings_tables(findings, Language.of("en"), 12) for note in table.notes[1:]]
    assert note == "Dismissed by the reader: P3."
    # taken back: each is where it was
    again = correct(CT(), exam, labels, network, dismissed(findings, "P2")).findings
    assert [each.reading.state for each in again.candidates] == ["found", "dismissed", "dismissed"]
    none = dismissed(again, "P1")
    assert not any(flag.code == "lesion_candidates" for flag in none.flags)
    assert set(map(str, marked_as(none, "P1", Reading()).flags)) == set(map(str, again.flags))


def test_only_candidates_are_dismissed(result: Result) -> None:
    for mark, name in ((dismissed, "M1"), (confirmed, "P1"), (dismissed, "P9")):
        with pytest.raises(InputError, match="no lesion, stone or candidate"):
            mark(result.findings, name)
    wrong = replace(result.findings.lesions[0], reading=Reading("dismissed"))
    for damaged in (
        replace(result.findings, lesions=(wrong,)),
        replace(result.findings, candidates=(replace(wrong, reading=Reading("confirmed")),)),
    ):
        with pytest.raises(InputError, match="damaged"):
            Findings.from_json(damaged.to_json())


def test_evaluation_counts_them_apart(result: Result) -> None:
    labels = result.segmentation.labels
    truth = np.where(labels == MASS, KIDNEYS[Side.LEFT].label, labels).astype(np.uint8)
    candidates = result.segmentation.candidates
    healthy = evaluate_labels("a", result.image.volume, truth, truth, None, candidates)
    (body,) = [candidate.instance.body for candidate in candidates]
    ill = truth.copy()
    ill[body.box][body.mask] = CYST
    diseased = evaluate_labels("b", result.image.volume, truth, ill, None, candidates)
    pages, _files = make_tables(Evaluation((healthy, diseased)))
    (table,) = [page for page in pages if page.name == "candidates"]
    assert table.rows == [("all", 2, 2, 1, 1, 1.0), ("without", 1, 1, 0, 1, 1.0)]
