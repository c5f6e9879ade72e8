"""Cleaning one DICOM data set, with all sequences in it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from KidneySegLib.deidentification.dates import DUMMIES, moved_back
from KidneySegLib.deidentification.identity import Identity
from KidneySegLib.deidentification.profile import BYTES, CHARACTERISTICS, DATES, TEXT, Action, Profile
from KidneySegLib.deidentification.pseudonyms import Pseudonyms

if TYPE_CHECKING:
    from pydicom.dataelem import DataElement
    from pydicom.dataset import Dataset

REMOVED = "REMOVED"
_DUMMIES = {**DUMMIES, "AS": "000Y", "DS": "0", "IS": "0", "CS": REMOVED} | dict.fromkeys(TEXT, REMOVED)
_PATIENT_GROUP = 0x0010  # birth dates are no part of a course over time and are never moved, only removed
# Code strings are capitals, digits, space and underscore (PS3.5 6.2); a name written there mostly is not.
_CODE_STRING = re.compile(r"[A-Z0-9 _]*")
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

    def _clean_items(self, dataset: Dataset, days: int, identity: Identity) -> None:
        """Cleans a data set or an item of a sequence in place."""
        for tag in list(dataset.keys()):
            try:
                element = dataset[tag]
                keep = self._clean_element(element, days, identity)
            except Exception:  # an odd value makes pydicom raise nearly anything, and what cannot be read is not kept
                keep = False
            if not keep:
                del dataset[tag]
        if dataset.get("ValueType") == "TEXT" and "TextValue" in dataset and not _is_kept_text(dataset):
            dataset.TextValue = REMOVED

    def _clean_element(self, element: DataElement, days: int, identity: Identity) -> bool:
        """Cleans one element in place; returns whether it stays."""
        vr = element.VR
        action = self._profile.action(int(element.tag), vr, element.keyword)
        if vr in DATES and self._options.shift_dates and element.tag.group != _PATIENT_GROUP:
            _set_values(element, [_moved(vr, value, days) for value in _values(element)])
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
        if vr == "SQ":
            for item in element.value:
                self._clean_items(item, days, identity)
        elif vr == "UI":
            _set_values(element, [self._pseudonyms.uid(str(value)) for value in _values(element)])
        elif vr in BYTES and not element.keyword.endswith("PixelData"):
            return not identity.is_in_bytes(element.value)
        elif vr in TEXT or vr in ("CS", "DS", "IS"):
            self._clean_text(element, identity)
        elif vr == "AS" and element.keyword in CHARACTERISTICS:
            _set_values(element, [_not_rare(str(value)) for value in _values(element)])
        return True

    def _clean_text(self, element: DataElement, identity: Identity) -> None:
        """Replaces what holds an identifying value; elements that hold none are not touched."""
        code = element.VR == "CS"
        number = element.VR in ("DS", "IS")
        cleaned = []
        for value in _values(element):
            text = str(value)
            bad = identity.is_in(text, short=not code) or (code and not _CODE_STRING.fullmatch(text))
            if number:
                bad = len(text.strip()) > 4 and identity.is_exactly(text.strip())
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


def _moved(vr: str, value: Any, days: int) -> str:
    """Returns a moved date, the time of day as it is, "" for what is no date."""
    text = str(value)
    if vr == "TM":
        return text if re.fullmatch(r"[\d:.]*\s*", text) else ""
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
