"""Telling patients and days apart without knowing them.

A folder may hold exams of several patients. Of who they are, only marks are kept: hashes with a key that each run draws
anew, so that they can be compared with each other and with nothing else.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING

from KidneySegLib.readers.dicom.finding.words import plain_words

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

KEYWORDS = ("PatientID", "PatientName", "PatientBirthDate", "StudyDate")
_KEY = secrets.token_bytes(32)


@dataclass(frozen=True)
class PatientMarks:
    """Whose images these are, and of which day, as marks; "" where the header does not say.

    Attributes:
        identifier, name, birth: of the patient.
        day: of the study.
    """

    identifier: str = ""
    name: str = ""
    birth: str = ""
    day: str = ""

    def is_other_patient(self, other: PatientMarks) -> bool:
        """Whether two headers name different patients; spellings of one name count as the same patient."""
        if self.identifier and other.identifier and self.identifier != other.identifier:
            return True
        names_differ = bool(self.name and other.name and self.name != other.name)
        births_differ = bool(self.birth and other.birth and self.birth != other.birth)
        if self.identifier and self.identifier == other.identifier:
            return names_differ and births_differ  # one of them alone is a correction, or a marriage
        return names_differ or births_differ


def number_of_patient(marks: PatientMarks, known: list[PatientMarks]) -> int:
    """Returns the place of a header's patient among the known ones, who is added where the patient is another one."""
    for number, other in enumerate(known):
        if not marks.is_other_patient(other):
            return number
    known.append(marks)
    return len(known) - 1


def marks_of(dataset: Dataset) -> PatientMarks:
    """Returns the marks of a header."""
    return PatientMarks(*(_mark(dataset, keyword) for keyword in KEYWORDS))


def _mark(dataset: Dataset, keyword: str) -> str:
    try:
        value = str(dataset.get(keyword) or "")
    except Exception:  # a damaged value makes pydicom raise nearly anything; it tells nobody apart
        return ""
    return _hashed(value)


@lru_cache(maxsize=64)
def _hashed(value: str) -> str:
    # of several scripts the first one; without accents, but a name in other letters keeps them
    value = value.split("=")[0]
    words = (plain_words(value) or value.strip()).lstrip("0 ")
    return blake2b(words.encode(errors="replace"), key=_KEY, digest_size=12).hexdigest() if words else ""
