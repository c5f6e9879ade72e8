"""One patient has one pseudonym and one shift of dates, also where files lack the number; two patients never share."""

from __future__ import annotations

from pathlib import Path

import pytest
from deidentification_cases import SECRET, assert_nothing_left, write_ct
from pydicom import dcmread

from KidneySegLib.deidentification.dataset import Options
from KidneySegLib.deidentification.folder import deidentify

pytest.importorskip("dicomanonymizer", reason="the extra 'deidentification' is not installed")

STUDY = {"StudyInstanceUID": "1.2.3.4", "StudyDate": "20240301", "SeriesDate": "20240301"}
WITH = {"PatientID": "MRN-4711007", "PatientName": "Demir^Ece", "PatientBirthDate": "19710203"}
# What may be missing or other in one file of the study
LIKE_IT = {
    "no number": {"PatientID": None},
    "an empty number": {"PatientID": ""},
    "blanks for a number": {"PatientID": "  "},
    "no number and no name": {"PatientID": None, "PatientName": None, "PatientBirthDate": None},
    "an empty name": {"PatientID": "", "PatientName": "^^^^", "PatientBirthDate": ""},
    "a number without its hyphen": {"PatientID": "MRN4711007"},
    "a number in small letters": {"PatientID": "mrn-4711007"},
    "another study of the same person": {
        **{"PatientID": None, "StudyInstanceUID": "1.2.3.5", "FrameOfReferenceUID": "1.9"},
    },
    "another study, another order of the name": {
        **{"PatientID": None, "StudyInstanceUID": "1.2.3.5", "FrameOfReferenceUID": "1.9", "PatientName": "ECE^DEMIR"},
    },
}


def folders(output: Path) -> list[Path]:
    return sorted(output.iterdir())


@pytest.mark.parametrize("what", LIKE_IT)
def test_one_pseudonym_and_one_shift(tmp_path: Path, what: str) -> None:
    write_ct(tmp_path / "in" / "a", 2, **STUDY, **WITH)
    write_ct(tmp_path / "in" / "b", 1, **{**STUDY, **WITH, **LIKE_IT[what]}, Manufacturer="made for Ece Demir")
    summary = deidentify(tmp_path / "in", tmp_path / "out", SECRET, Options(shift_dates=True))
    assert (summary.patients, summary.files) == (1, 3)
    copies = [dcmread(path) for path in (tmp_path / "out").rglob("*.dcm")]
    assert len(folders(tmp_path / "out")) == 1
    for keyword in ("PatientID", "PatientName", "StudyDate"):
        assert len({str(copy[keyword].value) for copy in copies}) == 1
    for path in (tmp_path / "out").rglob("*.dcm"):
        assert_nothing_left(path, ["demir", "4711007", "19710203"])


def test_a_study_in_which_nobody_has_a_number(tmp_path: Path) -> None:
    nobody = {"PatientID": None, "PatientName": None}
    write_ct(tmp_path / "in" / "a", 1, **STUDY, PatientID=None, PatientName="Demir^Ece")
    write_ct(tmp_path / "in" / "b", 1, **STUDY, **nobody)
    deidentify(tmp_path / "in", tmp_path / "out", SECRET)
    assert len(folders(tmp_path / "out")) == 1


def test_two_patients_stay_two(tmp_path: Path) -> None:
    """Numbers that differ by more than hyphens, or by hyphens in different studies; one name, two birth dates."""
    cases = [
        {"PatientID": "1-11", "StudyInstanceUID": "1.1"},
        {"PatientID": "11-1", "StudyInstanceUID": "1.2"},
        {"PatientID": "A", "StudyInstanceUID": "1.3"},
        {"PatientID": "B", "StudyInstanceUID": "1.3"},
        {"PatientID": None, "PatientName": "Demir^Ece", "PatientBirthDate": "19710203", "StudyInstanceUID": "1.4"},
        {"PatientID": None, "PatientName": "Demir^Ece", "PatientBirthDate": "19720203", "StudyInstanceUID": "1.5"},
        {"PatientID": None, "PatientName": None, "StudyInstanceUID": "1.3"},  # of A or of B: nobody knows
    ]
    for number, case in enumerate(cases):
        write_ct(tmp_path / "in" / str(number), 1, **case)
    summary = deidentify(tmp_path / "in", tmp_path / "out", SECRET)
    assert summary.patients == len(folders(tmp_path / "out")) == len(cases)
