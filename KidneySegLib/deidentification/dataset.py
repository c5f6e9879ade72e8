"""Cleaning one DICOM data set, with all sequences in it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from KidneySegLib.deidentification.code_strings import is_telling
from KidneySegLib.deidentification.identity import Identity
from KidneySegLib.deidentification.profile import BYTES, CHARACTERISTICS, CODES, DATES, PIXELS, TEXT, Action, Profile
from KidneySegLib.deidentification.pseudonyms import Pseudonyms
from KidneySegLib.errors import ResourceError

if TYPE_CHECKING:
    from pydicom.dataelem import DataElement
    from pydicom.dataset import Dataset


NO_DATE, NO_TIME = "19000101", "000000"
DUMMIES = {"DA": NO_DATE, "TM": NO_TIME, "DT": NO_DATE + NO_TIME}

# HHMMSS.FFFFFF, cut anywhere between two parts, or HH:MM:SS as ACR-NEMA wrote it (PS3.5 6.2)
_CLOCK = r"(?:[01]\d|2[0-3])(?::?[0-5]\d(?::?(?:[0-5]\d|60)(?:\.\d{1,6})?)?)?"
_TIME = re.compile(rf"{_CLOCK}\s*")
# YYYYMMDD, or YYYY.MM.DD as ACR-NEMA wrote it; DT goes on with the time and the zone
_DATE = re.compile(rf"(\d{{4}})\.?(\d{{2}})\.?(\d{{2}})((?:{_CLOCK})?(?:[+-][01]\d[0-5]\d)?)\s*")

REMOVED = "REMOVED"
_DUMMIES = {**DUMMIES, "AS": "000Y", "DS": "0", "IS": "0", "CS": REMOVED} | dict.fromkeys(TEXT, REMOVED)
_PATIENT_GROUP = 0x0010  # birth dates are not part of a course over time and are never moved, only removed
_STUDY_GROUP = 0x0008  # dates of the study itself, which may have been made on the day of birth
_NUMBERS = frozenset({"US", "SS", "UL", "SL", "UV", "SV", "FL", "FD"})
_LIKE_A_UID = re.compile(r"\d+(\.\d+){5,}")
_SHORTEST_IN_TABLES = 4  # bytes: look-up tables are small, so that a short name does not stand there by chance
# Text of a structured report is kept only under these concepts (PS3.16 Annex D): algorithm name and version, tracking
# identifier, manufacturer and model of the device that observed.
_TEXT_CONCEPTS = frozenset((code, "DCM") for code in ("111001", "111003", "112039", "121014", "121015"))
_METHOD = "KidneySeg, PS3.15 Annex E"
# Codes of PS3.16 CID 7050
_BASIC_PROFILE = ("113100", "Basic Application Confidentiality Profile")
_CLEAN_GRAPHICS = ("113103", "Clean Graphics Option")
_CLEAN_STRUCTURED_CONTENT = ("113104", "Clean Structured Content Option")
_MODIFIED_DATES = ("113107", "Retain Longitudinal Temporal Information Modified Dates Option")
_PATIENT_CHARACTERISTICS = ("113108", "Retain Patient Characteristics Option")


@dataclass(frozen=True)
class Options:
    """What is kept beyond the basic profile.

    Attributes:
        shift_dates: all dates of a patient are moved by the same number of days; otherwise they are removed.
        keep_characteristics: sex, age, size, weight and the like stay.
        keep_captures: images that may have text burned into their pixels are not left out.
    """

    shift_dates: bool = False
    keep_characteristics: bool = False
    keep_captures: bool = False


class Cleaner:
    """Cleans data sets of one run."""

    def __init__(self, pseudonyms: Pseudonyms, options: Options) -> None:
        """Loads the profile.

        Raises:
            ResourceError: the package that carries the profile is not installed.
        """
        self._pseudonyms = pseudonyms
        self._options = options
        self._profile = Profile(keep_characteristics=options.keep_characteristics)

    def clean(self, dataset: Dataset, patient: str, identity: Identity) -> None:
        """Cleans a whole data set in place and says in it what was done (PS3.15 E.1.1).

        Args:
            dataset: the data set of a file.
            patient: what tells patients apart.
            identity: values that must not stay anywhere.
        """
        methods = self._methods(dataset)
        self._clean_items(dataset, self._pseudonyms.days_back(patient), identity)
        dataset.PatientName = dataset.PatientID = self._pseudonyms.patient(patient)
        dataset.PatientIdentityRemoved = "YES"
        dataset.DeidentificationMethod = _METHOD
        dataset.DeidentificationMethodCodeSequence = [_code(*method) for method in methods]
        dataset.LongitudinalTemporalInformationModified = "MODIFIED" if self._options.shift_dates else "REMOVED"

    def _methods(self, dataset: Dataset) -> list[tuple[str, str]]:
        methods = [_BASIC_PROFILE]
        if "GraphicAnnotationSequence" in dataset:
            methods.append(_CLEAN_GRAPHICS)
        if "ContentSequence" in dataset:
            methods.append(_CLEAN_STRUCTURED_CONTENT)
        if self._options.shift_dates:
            methods.append(_MODIFIED_DATES)
        if self._options.keep_characteristics:
            methods.append(_PATIENT_CHARACTERISTICS)
        return methods

    def _clean_items(self, dataset: Dataset, days: int, identity: Identity, *, nested: bool = False) -> None:
        """Cleans a data set or an item of a sequence in place."""
        for tag in list(dataset.keys()):
            try:
                element = dataset[tag]
                keep = self._clean_element(element, days, identity, nested=nested)
            except ResourceError:
                raise
            except Exception:  # an odd value makes pydicom raise nearly anything, and what cannot be read is not kept
                keep = False
            if not keep:
                del dataset[tag]
        if "TextValue" in dataset and not _is_kept_text(dataset):  # whatever ValueType says, or does not say
            dataset.TextValue = REMOVED

    def _clean_element(self, element: DataElement, days: int, identity: Identity, *, nested: bool) -> bool:
        """Cleans one element in place; returns whether it stays."""
        vr = element.VR
        action = self._profile.action(int(element.tag), vr, element.keyword)
        if vr in DATES and self._options.shift_dates and element.tag.group != _PATIENT_GROUP:
            _set_values(element, [_moved(element, value, days, identity) for value in _values(element)])
            return True
        if action is Action.EMPTY and vr not in BYTES:
            element.value = [] if vr == "SQ" else None
            return True
        if action is Action.DUMMY and vr == "UI":
            action = Action.CLEAN
        if action is Action.DUMMY and vr in _DUMMIES:
            element.value = _DUMMIES[vr]
            return True
        if action is not Action.CLEAN:
            return False
        return self._clean_value(element, days, identity, nested=nested)

    def _clean_value(self, element: DataElement, days: int, identity: Identity, *, nested: bool) -> bool:
        """Cleans the value of an element that the profile keeps; returns whether it stays."""
        vr = element.VR
        if vr == "SQ":
            for item in element.value:
                self._clean_items(item, days, identity, nested=True)
        elif vr == "UI":
            _set_values(element, [self._pseudonyms.uid(str(value)) for value in _values(element)])
        elif element.keyword in PIXELS:
            return not nested  # an image inside an image is a preview or hidden
        elif vr in BYTES:
            return not identity.is_in_bytes(element.value, _SHORTEST_IN_TABLES)
        elif vr in _NUMBERS:
            return not any(identity.is_integer(value) for value in _values(element))
        elif vr in TEXT or vr in ("CS", "DS", "IS"):
            self._clean_text(element, identity)
        elif vr == "AS" and element.keyword in CHARACTERISTICS:
            _set_values(element, [_not_rare(str(value)) for value in _values(element)])
        return True

    def _clean_text(self, element: DataElement, identity: Identity) -> None:
        """Replaces what holds an identifying value; elements that hold none are not touched."""
        number = element.VR in ("DS", "IS")
        cleaned = []
        for value in _values(element):
            text = str(value)
            if number:
                bad = identity.is_number(text)
            elif element.VR == "CS":
                bad = is_telling(text, element.keyword, identity)
            else:
                code = element.keyword in CODES
                bad = identity.is_in(text, short=not code) or (not code and bool(_LIKE_A_UID.search(text)))
            cleaned.append(("" if number else REMOVED) if bad else value)
        if cleaned != list(_values(element)):
            _set_values(element, cleaned)


def without_own_words(data: bytes) -> bytes:
    """Returns a file's bytes without what the cleaner itself wrote into it; a patient may be called Patient."""
    options = (_BASIC_PROFILE, _CLEAN_GRAPHICS, _CLEAN_STRUCTURED_CONTENT, _MODIFIED_DATES, _PATIENT_CHARACTERISTICS)
    for text in (_METHOD, *(meaning for _, meaning in options)):
        data = data.replace(text.encode(), b"")
    return data


def _values(element: DataElement) -> list[Any]:
    if element.VM == 0:
        return []
    return list(element.value) if element.VM > 1 else [element.value]


def _set_values(element: DataElement, values: list[Any]) -> None:
    if values:
        element.value = values if len(values) > 1 else values[0]


def _moved(element: DataElement, value: Any, days: int, identity: Identity) -> str:
    """Returns a moved date, the time of day as it is, "" for what is not a date or time, or is a day of birth."""
    text = str(value)
    if element.VR == "TM":
        return text if is_time(text) and not identity.is_number(text) else ""
    if element.tag.group != _STUDY_GROUP and identity.is_birth(text):
        return ""
    return moved_back(text, days) or ""


def _not_rare(age: str) -> str:
    """Returns an age (AS) with all above 89 years as 90: there are too few of that age."""
    return "090Y" if re.fullmatch(r"\d{3}Y", age) and int(age[:3]) > 89 else age


def _is_kept_text(item: Dataset) -> bool:
    concepts = item.get("ConceptNameCodeSequence") or []
    return any((code.get("CodeValue"), code.get("CodingSchemeDesignator")) in _TEXT_CONCEPTS for code in concepts)


def _code(value: str, meaning: str) -> Dataset:
    from pydicom.dataset import Dataset

    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, "DCM", meaning
    return item


def is_time(value: str) -> bool:
    """Whether a value is a time of day (TM) and nothing else; a date of eight digits is not one."""
    return _TIME.fullmatch(value) is not None


def moved_back(value: str, days: int) -> str | None:
    """Returns a DICOM date (DA) or date with time (DT) moved back by ``days``; None where it names no single day."""
    match = _DATE.fullmatch(value)
    if match is None:
        return None
    year, month, day, rest = match.groups()
    try:
        moved = date(int(year), int(month), int(day)) - timedelta(days=days)
    except (ValueError, OverflowError):
        return None
    return f"{moved.year:04d}{moved.month:02d}{moved.day:02d}{rest}"
