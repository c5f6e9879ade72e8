"""Headers as DICOM results need them: nothing missing that must be there, nothing wrong that would be copied."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

# Attributes of patient and study that must be present in every instance, if only empty (type 2, PS3.3 C.7.1 and C.7.2).
REQUIRED = (
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "StudyDate",
    "StudyTime",
    "ReferringPhysicianName",
    "StudyID",
    "AccessionNumber",
)
SEXES = ("M", "F", "O")


def complete(dataset: Dataset) -> Dataset:
    """Adds what is missing and empties what is not valid, so that results do not inherit it.

    Args:
        dataset: header of an image; it is changed.

    Returns:
        The same data set.
    """
    for keyword in REQUIRED:
        if keyword not in dataset:
            setattr(dataset, keyword, "")
    if dataset.PatientSex not in ("", None, *SEXES):
        dataset.PatientSex = ""
    for keyword in ("PatientBirthDate", "StudyDate", "StudyTime"):
        if not _is_valid(dataset, keyword):
            setattr(dataset, keyword, "")
    return dataset


def _is_valid(dataset: Dataset, keyword: str) -> bool:
    """Whether a date or time can be read as one; de-identified series hold words there."""
    from pydicom.valuerep import DA, TM

    try:
        (DA if keyword.endswith("Date") else TM)(dataset[keyword].value or None)
    except (ValueError, TypeError):
        return False
    return True
