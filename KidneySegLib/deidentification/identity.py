"""Values that identify a patient, collected from the files themselves, so that they are found wherever they stand."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING, Any

from KidneySegLib.deidentification.spelling import (
    date_patterns,
    name_forms,
    normal,
    other_decoding,
    squeezed,
    words,
)

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

# Whole values that name a person or a visit, beside the parts of all person names.
# fmt: off
_IDENTIFIERS = frozenset({
    "PatientID", "OtherPatientIDs", "AccessionNumber", "AdmissionID", "ServiceEpisodeID", "PatientAddress",
    "PatientTelephoneNumbers", "PatientTelecomInformation", "PatientBirthDateInAlternativeCalendar", "MilitaryRank",
    "MedicalRecordLocator", "InsurancePlanIdentification", "InstitutionName", "InstitutionAddress",
    "ReferringPhysicianAddress", "ReferringPhysicianTelephoneNumbers", "FillerOrderNumberImagingServiceRequest",
    "PlacerOrderNumberImagingServiceRequest", "RequestedProcedureID", "ScheduledProcedureStepID",
    "PerformedProcedureStepID", "CurrentPatientLocation", "PatientInstitutionResidence", "ResponsibleOrganization",
    "ClinicalTrialSubjectID", "ClinicalTrialSubjectReadingID", "BarcodeValue", "SpecimenIdentifier",
    "ContainerIdentifier", "PersonAddress", "PersonTelephoneNumbers",
})
# fmt: on
_BIRTH = "PatientBirthDate"
_NAME_PARTS = re.compile(r"[\^=\s,;.()/_-]+")
_DATE = re.compile(r"(\d{4})[.\-/]?(\d{2})[.\-/]?(\d{2})")
_ENCODINGS = (
    *("utf-8", "latin-1", "iso8859-2", "iso8859-5", "iso8859-7", "iso8859-9", "shift_jis", "iso2022_jp", "euc_kr"),
    *("gb18030", "utf-16-le", "utf-16-be"),
)
_SHORTEST_ANYWHERE = 4  # characters: a shorter part of a name is a part of many words
_SHORTEST_SQUEEZED = 6  # letters of a name that are found across blanks; shorter ones arise between two words
_SHORTEST_NUMBER = 5  # digits of a number that are found without its letters and hyphens
_SHORTEST_BYTES = 6  # a shorter string of bytes occurs in pixels by chance
_SHORTEST_INTEGER = 6  # digits of a number that may have been stored as one; five fit into 16 bits by chance
_SHORTEST_FRACTION = 8  # digits; the decimals of coordinates take shorter values by chance


class Identity:
    """Values that identify one patient."""

    def __init__(self) -> None:
        """Starts with none."""
        self._names: set[str] = set()
        self._numbers: set[str] = set()
        self._joined: set[str] = set()
        self._dates: set[date] = set()
        self._births: set[date] = set()
        self._all_digits: set[str] = set()
        self._patterns: tuple[re.Pattern[str], ...] | None = None
        self._forms: set[bytes] | None = None
        self._answers: dict[tuple[str, bool], bool] = {}

    def learn(self, dataset: Dataset) -> None:
        """Adds the values of a data set and of the sequences in it."""
        for vr, keyword, value in _identifying(dataset):
            if vr == "PN":
                self._learn_name(value)
            elif keyword == _BIRTH or vr in ("DA", "DT"):
                days = self._births if keyword == _BIRTH else self._dates
                days.update(day for day in [_day(value)] if day)
            elif len(value.strip()) > 1:
                self._numbers.add(value.strip())
        self._forget()

    def add(self, other: Identity) -> None:
        """Adds the values of another identity of the same patient."""
        self._names |= other._names
        self._numbers |= other._numbers
        self._joined |= other._joined
        self._dates |= other._dates
        self._births |= other._births
        self._forget()

    def is_in(self, text: str, *, short: bool = True) -> bool:
        """Whether a text holds one of the values, however it is written.

        Case, accents, the script, the order of a name's parts, blanks and hyphens in numbers, and the spelling of
        dates make no difference.

        Args:
            text: any text.
            short: whether names of two or three letters and numbers of three digits count, where they stand alone.
        """
        known = self._answers.get((text, short))
        if known is None:
            known = self._answers[text, short] = self._search(text, short)
        return known

    def is_number(self, text: str) -> bool:
        """Whether a written number is one of the patient's numbers or dates."""
        digits = [run.lstrip("0") for run in re.findall(r"\d+", text.replace("_", ""))]
        whole = [run for run in digits[:1] if len(run) >= _SHORTEST_NUMBER]
        fraction = [run for run in digits[1:] if len(run) >= _SHORTEST_FRACTION]
        return any(run in self._all_digits for run in (*whole, *fraction))

    def is_integer(self, value: Any) -> bool:
        """Whether a stored number is one of the patient's numbers or dates."""
        if isinstance(value, float):
            value = int(value) if value.is_integer() else 0
        return isinstance(value, int) and len(str(abs(value))) >= _SHORTEST_INTEGER and str(value) in self._all_digits

    def is_birth(self, text: str) -> bool:
        """Whether a date (DA, DT) is the day of birth."""
        return _day(text) in self._births

    def is_in_bytes(self, data: bytes, shortest: int = _SHORTEST_BYTES) -> bool:
        """Whether one of the values is written in bytes, in capitals or not, in any of the usual encodings.

        Args:
            data: any bytes.
            shortest: of the encoded values that are looked for.
        """
        if self._forms is None:
            self._forms = {form for value in self._written() for form in _encoded(value)}
        lower = data.lower()
        return any(_stands_in(form, lower) for form in self._forms if len(form) >= shortest)

    def _forget(self) -> None:
        self._patterns = self._forms = None
        self._answers = {}
        self._all_digits = {_digits(value) for value in self._numbers}
        self._all_digits |= {f"{day:%Y%m%d}" for day in self._dates | self._births}
        self._all_digits = {digits for digits in self._all_digits if len(digits) >= _SHORTEST_NUMBER}

    def _learn_name(self, value: str) -> None:
        for reading in {value, other_decoding(value) or value}:
            for group in reading.split("="):
                parts = [part for part in _NAME_PARTS.split(group) if _is_telling(part)]
                self._names.update(parts)
                if len(parts) > 1:  # Li^Wu is also written LIWU and Wuli
                    self._joined |= {"".join(parts[:2]), "".join(reversed(parts[:2])), "".join(parts)}

    def _search(self, text: str, short: bool) -> bool:
        raw, (one, two) = normal(text), words(text)
        if self._patterns is None:
            self._patterns = self._compile()
        signs, anywhere, alone, packed, days = self._patterns
        if signs.search(raw) or any(anywhere.search(form) or days.search(form) for form in (one, two)):
            return True
        if packed.search(one.replace(" ", "")) or packed.search(two.replace(" ", "")):
            return True
        return short and bool(alone.search(one) or alone.search(two))

    def _compile(self) -> tuple[re.Pattern[str], ...]:
        names = {form for name in self._names for form in name_forms(name)}
        joined = {form.replace(" ", "") for name in self._joined for form in name_forms(name)}
        phrases = {words(number)[0] for number in self._numbers}
        packed = {form for form in names | joined if len(form) >= _SHORTEST_SQUEEZED}
        packed |= {form for form in map(squeezed, self._numbers) if _is_number(form)} | {
            digits for digits in self._all_digits if len(digits) >= _SHORTEST_INTEGER
        }
        anywhere = {form for form in names | joined | phrases if len(form) >= _SHORTEST_ANYWHERE}
        alone = {form for form in names if 2 <= len(form) < _SHORTEST_ANYWHERE}
        alone |= {form for form in phrases if len(form) == 3 or (len(form) == 2 and form.isalpha())}
        signs = {normal(value) for value in self._names | self._numbers if not value.isascii()}
        days = [pattern for day in self._births for pattern in date_patterns(day, short_years=True)]
        days += [pattern for day in self._dates for pattern in date_patterns(day, short_years=False)]
        return (
            _any(map(re.escape, signs)),
            _any(map(re.escape, anywhere)),
            _any(rf"\b{re.escape(form)}\b" for form in alone),
            _any(map(re.escape, packed)),
            _any(days),
        )

    def _written(self) -> Iterator[str]:
        """Yields the values as they may stand in bytes."""
        yield from self._names | self._numbers | self._joined
        for name in self._names | self._joined:
            yield from name_forms(name)
        for number in self._numbers:
            yield from (form for form in [squeezed(number)] if _is_number(form))
        for day in self._births:
            yield from (f"{day:%Y%m%d}", f"{day:%Y-%m-%d}", f"{day:%Y.%m.%d}", f"{day:%d.%m.%Y}", f"{day:%d/%m/%Y}")


def _identifying(dataset: Dataset) -> Iterator[tuple[str, str, str]]:
    """Yields VR, keyword and value of names, identifiers and dates, also in sequences.

    What cannot be read is passed over.
    """
    for tag in list(dataset.keys()):
        try:
            element = dataset[tag]
            if element.VR == "SQ":
                for item in element.value or []:
                    yield from _identifying(item)
            elif element.VR in ("PN", "DA", "DT") or element.keyword in _IDENTIFIERS:
                values = element.value if element.VM > 1 else [element.value]
                yield from ((element.VR, element.keyword, str(value)) for value in values if value)
        except Exception:  # an odd value makes pydicom raise nearly anything; the cleaner removes it
            continue


def _is_telling(part: str) -> bool:
    """Whether a part of a name is one; a single Latin letter is an initial, a single ideograph a family name."""
    return len(part) > 1 or any(unicodedata.category(sign) == "Lo" for sign in part)


def _is_number(form: str) -> bool:
    return len(form) >= _SHORTEST_NUMBER and any(sign.isdigit() for sign in form)


def _digits(value: str) -> str:
    """Returns a number's digits alone, without leading zeros; an address has too many words to be a number."""
    digits = "".join(sign for sign in squeezed(value) if sign.isdigit())
    return digits.lstrip("0") if 2 * len(digits) >= len(squeezed(value)) else ""


def _day(value: str) -> date | None:
    match = _DATE.match(value.strip())
    try:
        return date(*map(int, match.groups())) if match else None
    except ValueError:
        return None


def _any(patterns: Iterator[str] | Any) -> re.Pattern[str]:
    return re.compile("|".join(sorted(patterns)) or "(?!)")


def _stands_in(form: bytes, data: bytes) -> bool:
    """Whether a form is in bytes; digits alone must not be a part of a longer number, such as a UID or a coordinate."""
    if form not in data:
        return False
    return not form.isdigit() or re.search(rb"(?<![\d.])" + form + rb"(?!\d)", data) is not None


def _encoded(value: str) -> Iterator[bytes]:
    """Yields a value in all encodings, as it stands in bytes of which the ASCII letters were made lower-case."""
    for text in {value, value.upper(), value.lower(), value.title()}:
        for encoding in _ENCODINGS:
            try:
                yield text.encode(encoding).lower()
            except UnicodeEncodeError:
                continue
