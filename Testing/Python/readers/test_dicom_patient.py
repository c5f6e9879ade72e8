"""Who a series is of: names in any script, contradictory headers, and the very series that was segmented."""

from __future__ import annotations

import shutil
import warnings
from datetime import date
from pathlib import Path

import pytest
from deidentification_cases import write_ct
from pydicom import dcmread

from KidneySegLib.errors import InputError
from KidneySegLib.readers.dicom.ct import read_ct
from KidneySegLib.readers.dicom.finding.patient import Patient, patient_of, read_patient

PERSON = {
    "PatientName": "Doe^Jane^Q",
    "PatientID": " A&1234 ",
    "PatientBirthDate": "19600503",
    "PatientSex": "F",
    "StudyDate": "20260607",
    "AccessionNumber": "ACC-7",
}
JANE = Patient("Doe, Jane Q", "A&1234", date(1960, 5, 3), "F", date(2026, 6, 7), "ACC-7")


def source_of(folder: Path) -> dict:
    return read_ct(folder).source.to_dict()


def changed(file: Path, **attributes: object) -> None:
    dataset = dcmread(file)
    for keyword, value in attributes.items():
        setattr(dataset, keyword, value)
    dataset.save_as(file)


def write_raw_name(file: Path, character_set: str, name: bytes) -> None:
    """Puts bytes into the header as a scanner would, without asking pydicom whether they are right."""
    dataset = dcmread(file)
    dataset.PatientName = "N" * (len(name) + len(name) % 2)
    dataset.SpecificCharacterSet = character_set.split("\\")
    dataset.save_as(file)
    content = file.read_bytes()
    assert content.count(b"N" * len(name)) == 1
    file.write_bytes(content.replace(b"N" * (len(name) + len(name) % 2), name.ljust(len(name) + len(name) % 2)))


def test_patient_and_exam_are_read_from_the_headers(tmp_path: Path) -> None:
    write_ct(tmp_path, **PERSON)
    assert read_patient(tmp_path, source_of(tmp_path)) == JANE
    assert read_patient(tmp_path / "image000.dcm", source_of(tmp_path)) == JANE


@pytest.mark.parametrize(
    ("character_set", "name", "expected"),
    [
        ("ISO_IR 100", "Núñez^José".encode("latin-1"), "Núñez, José"),
        ("", "Müller^Jörg".encode("latin-1"), "Müller, Jörg"),  # not declared, as old scanners write it
        ("ISO_IR 148", "Öztürk^Gül Işık".encode("iso8859-9"), "Öztürk, Gül Işık"),
        ("ISO_IR 144", "Иванова^Анна".encode("iso8859-5"), "Иванова, Анна"),
        ("ISO_IR 192", "Иванова^Анна^Петровна".encode(), "Иванова, Анна Петровна"),
        ("ISO_IR 192", "Mu\u0308ller^Jo\u0308rg".encode(), "Müller, Jörg"),
        ("\\ISO 2022 IR 87", b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B", "Yamada, Tarou"),
        ("ISO_IR 192", "=山田^太郎".encode(), "山田, 太郎"),
        ("GB18030", "Wang^XiaoDong=王^小东".encode("gb18030"), "Wang, XiaoDong"),
        ("NO SUCH SET", b"Doe^Jane", "Doe, Jane"),
        ("ISO_IR 192", b"Doe", "Doe"),
        ("ISO_IR 192", b"^Jane", "Jane"),
        ("ISO_IR 192", b"Doe^" + b"J" * 70, "Doe, " + "J" * 63 + "…"),
    ],
)
def test_names_are_read_in_the_headers_character_set(
    tmp_path: Path, character_set: str, name: bytes, expected: str
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        files = write_ct(tmp_path, 3, PatientID="1")
        for file in files:
            write_raw_name(file, character_set, name)
    assert patient_of(files).name == expected


def test_what_is_missing_or_no_date_is_left_out(tmp_path: Path) -> None:
    files = write_ct(tmp_path, 3, PatientName="", PatientID="7", PatientBirthDate="", PatientSex="", StudyDate="")
    assert patient_of(files) == Patient("", "7")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        changed(files[0], PatientBirthDate="unknown", PatientSex="X")
    assert patient_of(files) == Patient("", "7")
    changed(files[0], PatientBirthDate="19600503", PatientName="Doe^Jane", PatientSex="F")
    changed(files[1], PatientName="DOE^JANE^^^", PatientBirthDate="19600503")
    assert patient_of(files) == Patient("Doe, Jane", "7", date(1960, 5, 3), "F"), "one file's word is enough"


@pytest.mark.parametrize(
    ("attribute", "value", "words"),
    [
        ("PatientName", "Doe^John", "several patients"),
        ("PatientID", "A&1235", "several patients"),
        ("PatientBirthDate", "19600504", "several patients"),
        ("PatientSex", "M", "several patients"),
        ("StudyDate", "20260608", "several exams"),
        ("AccessionNumber", "ACC-8", "several exams"),
    ],
)
def test_headers_that_contradict_each_other_are_refused(tmp_path: Path, attribute: str, value: str, words: str) -> None:
    files = write_ct(tmp_path, **PERSON)
    changed(files[2], **{attribute: value})
    with pytest.raises(InputError, match=words) as refusal:
        read_patient(tmp_path, source_of(tmp_path))
    assert "Doe" not in str(refusal.value) and value not in str(refusal.value)


def test_a_copy_under_another_name_is_a_contradiction(tmp_path: Path) -> None:
    """The same identifiers in two files: whose image was read, nobody can tell."""
    files = write_ct(tmp_path, **PERSON)
    source = source_of(tmp_path)
    shutil.copy(files[0], tmp_path / "copy.dcm")
    changed(tmp_path / "copy.dcm", PatientName="Other^Body")
    with pytest.raises(InputError, match="several patients"):
        read_patient(tmp_path, source)


def test_a_series_that_names_nobody_is_refused(tmp_path: Path) -> None:
    write_ct(tmp_path, PatientName="", PatientID=None)
    with pytest.raises(InputError, match="neither name nor number"):
        read_patient(tmp_path, source_of(tmp_path))


def test_only_the_series_that_was_segmented_counts(tmp_path: Path) -> None:
    write_ct(tmp_path / "one", 5, **PERSON)
    write_ct(tmp_path / "other", 4, PatientName="Other^Body", PatientID="2", SeriesInstanceUID="1.2.9")
    assert read_patient(tmp_path, source_of(tmp_path / "one")) == JANE
    with pytest.raises(InputError, match="another series"):
        read_patient(tmp_path / "other", source_of(tmp_path / "one"))
    source = source_of(tmp_path / "one")
    (tmp_path / "one" / "image003.dcm").unlink()
    with pytest.raises(InputError, match="1 of the 5 images of the result are missing"):
        read_patient(tmp_path, source)
    with pytest.raises(InputError, match="not made from a DICOM series with identifiers"):
        read_patient(tmp_path, {})
