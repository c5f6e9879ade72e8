"""Who a series is of: for reports that are meant to name the patient, and for nothing else.

What is read here goes into such a report and nowhere else: not into findings, flags, logs or the names of files.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from KidneySegLib.errors import InputError
from KidneySegLib.readers.dicom.finding.scan import quiet_pydicom, scan
from KidneySegLib.readers.dicom.finding.source_frames import source_frames
from KidneySegLib.readers.dicom.images.frames import text
from KidneySegLib.readers.dicom.images.opening import open_dicom

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

KEYWORDS = ["PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "AccessionNumber"]
SEXES = ("F", "M", "O")
LONGEST = 64  # characters of a group of a name and of an identifier (PS3.5 6.2)
_OF_THE_EXAM = ("exam_date", "accession_number")


@dataclass(frozen=True)
class Patient:
    """Who a report is about, and which exam.

    Attributes:
        name: as it should be read, such as ``Doe, Jane``; "" if it is not known.
        identifier: the hospital's number (PatientID), "" if it is not known.
        birth_date: None if it is not known or not to be shown.
        sex: ``F``, ``M``, ``O`` (other), or "".
        exam_date: StudyDate; None if it is not known or not to be shown.
        accession_number: the exam's number, "" if it is not known or not to be shown.
    """

    name: str
    identifier: str
    birth_date: date | None = None
    sex: str = ""
    exam_date: date | None = None
    accession_number: str = ""


def read_patient(path: Path, source: Mapping[str, Any]) -> Patient:
    """Reads whose images a result was made from.

    Args:
        path: folder of the series, searched with all its subfolders, or one file of it.
        source: what the result's provenance holds of the series, as ``Source.to_dict`` gave it.

    Raises:
        InputError: these are not the images of the result, or their headers name nobody or several patients.
    """
    headers = scan(path)[0]
    source_frames(headers, source)  # refuses other images than those of the result
    return patient_of(dict.fromkeys(header.path for header in headers if header.series_uid == source["series_uid"]))


def patient_of(files: Iterable[Path]) -> Patient:
    """Reads whose images these are.

    A value that some files lack is taken from the others; values may differ in capitals.

    Args:
        files: DICOM files of one series.

    Raises:
        InputError: a file is damaged, or the headers name nobody, several patients or several exams.
    """
    with quiet_pydicom():
        told = [_read(file) for file in files]
    found = {field.name: _only(told, field.name) for field in fields(Patient)}
    if not (found["name"] or found["identifier"]):
        raise InputError(
            "The headers of the series hold neither name nor number of the patient. Make the report without them."
        )
    return Patient(**found)


def _only(told: Iterable[Patient], name: str) -> Any:
    """Returns the one value that all files agree on, or an empty one."""
    values = [getattr(patient, name) for patient in told]
    different = {str(value).casefold(): value for value in reversed(values) if value}
    if len(different) > 1:
        what = "several exams" if name in _OF_THE_EXAM else "several patients"
        raise InputError(
            "The headers of the series contradict each other: they name {what}. Correct them in the "
            "archive, or make the report without the patient's name.",
            what=what,
        )
    return next(iter(different.values()), values[0])


def _read(file: Path) -> Patient:
    try:
        dataset = open_dicom(file, stop_before_pixels=True, force=True, specific_tags=list(KEYWORDS))
        sex = text(dataset, "PatientSex").upper()
        return Patient(
            name=_name(dataset),
            identifier=_readable(text(dataset, "PatientID")),
            birth_date=_date(text(dataset, "PatientBirthDate")),
            sex=sex if sex in SEXES else "",
            exam_date=_date(text(dataset, "StudyDate")),
            accession_number=_readable(text(dataset, "AccessionNumber")),
        )
    except Exception as error:  # a damaged file makes pydicom raise nearly anything
        raise InputError("A DICOM file of the series is damaged. Copy or export it again.") from error


def _name(dataset: Dataset) -> str:
    """Returns family and given names; of several scripts the alphabetic one, if the name has it (PS3.5 6.2)."""
    from pydicom.multival import MultiValue

    value = dataset.get("PatientName")
    name = value[0] if isinstance(value, MultiValue) else value
    if not name:
        return ""
    groups = (name.alphabetic, name.ideographic, name.phonetic)
    group = next((group for group in groups if group.strip("^ ")), "")
    family, given, middle = (_readable(part) for part in [*group.split("^"), "", ""][:3])
    return ", ".join(part for part in (family, f"{given} {middle}".strip()) if part)


def _readable(value: str) -> str:
    """Returns a text with composed letters and without control characters, cut where it is longer than DICOM allows."""
    composed = unicodedata.normalize("NFC", value)
    flat = " ".join("".join(letter if letter.isprintable() else " " for letter in composed).split())
    return flat if len(flat) <= LONGEST else f"{flat[: LONGEST - 1]}…"


def _date(value: str) -> date | None:
    """Returns a date, None where there is none or, as in de-identified series, something else."""
    from pydicom.valuerep import DA

    try:
        day = DA(value or None)
    except ValueError:
        return None
    return None if day is None else date(day.year, day.month, day.day)
