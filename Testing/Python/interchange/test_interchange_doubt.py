"""DICOM results of an exam whose header the anatomy contradicts: no laterality, and the contradiction in words."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from interchange_cases import Case, make_case
from pydicom import dcmread
from pydicom.dataset import Dataset
from result_cases import result_of

from KidneySegLib.flags import Flag
from KidneySegLib.interchange.results import write_dicom_results
from KidneySegLib.measuring.orientation.doubt import without_claimed_sides

MESSAGE = Flag.of("orientation_contradicted", signs=["spine in front"]).message
RIGHT, LEFT, LATERALITY = "24028007", "7771000", "272741003"


def codes_in(dataset: Dataset) -> set[str]:
    """All code values of a dataset, however deep."""
    found = set()
    for element in dataset.iterall():
        if element.keyword == "CodeValue":
            found.add(str(element.value))
    return found


def comments_of(report: Dataset) -> list[str]:
    """The comments on the whole report."""
    texts = [item for item in report.ContentSequence if item.ValueType == "TEXT"]
    return [item.TextValue for item in texts if item.ConceptNameCodeSequence[0].CodeValue == "121106"]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> list[Dataset]:
    folder = tmp_path_factory.mktemp("doubt")
    case: Case = make_case(folder)
    flag = Flag.of("orientation_contradicted", signs=["spine in front"])
    doubtful = without_claimed_sides(replace(case.findings, flags=(flag, *case.findings.flags)))
    files = write_dicom_results(folder / "out", result_of(case.volume, case.labels, doubtful), case.series)
    return [dcmread(path) for path in files]


def test_no_code_says_right_or_left(written: list[Dataset]) -> None:
    assert len(written) >= 2
    for dataset in written:
        assert not codes_in(dataset) & {RIGHT, LEFT, LATERALITY}


def test_segments_are_named_by_the_header(written: list[Dataset]) -> None:
    labels = [segment.SegmentLabel for segment in written[0].SegmentSequence]
    assert labels[:2] == ["Header-right kidney", "Header-left kidney"]
    assert all("header-" in label.lower() for label in labels)


def test_the_reports_hold_the_contradiction(written: list[Dataset]) -> None:
    for report in written[1:]:
        assert comments_of(report)[0] == MESSAGE


def test_a_result_without_doubt_has_sides(tmp_path: Path) -> None:
    case = make_case(tmp_path)
    segmentation, report, *_ = map(dcmread, write_dicom_results(tmp_path / "out", *_args(case)))
    assert {RIGHT, LEFT} <= codes_in(segmentation) and {RIGHT, LEFT} <= codes_in(report)
    assert MESSAGE not in comments_of(report)


def test_the_report_holds_warnings_and_which_series_was_read_but_no_other_remark(tmp_path: Path) -> None:
    case = make_case(tmp_path)
    flags = (
        Flag.of(
            "only_ct_volume",
            series={"number": 2, "part": 0, "images": 9},
            others=[{"number": 3, "part": 0, "images": 1}],
        ),
        Flag.of("fused_kidney"),
        Flag.of("phase_unknown"),
    )
    result = result_of(case.volume, case.labels, replace(case.findings, flags=flags))
    _, report, *_ = map(dcmread, write_dicom_results(tmp_path / "out", result, case.series))
    assert comments_of(report) == [flags[0].message, flags[1].message]


def _args(case: Case) -> tuple[object, ...]:
    return case.result, case.series
