"""Values that identify a patient, collected from the files themselves, so that they are found wherever they stand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

# Whole values that name a person or a visit, beside the parts of all person names.
# fmt: off
_IDENTIFIERS = frozenset({
    "PatientID", "OtherPatientIDs", "AccessionNumber", "AdmissionID", "ServiceEpisodeID", "PatientAddress",
    "PatientTelephoneNumbers", "PatientTelecomInformation", "PatientBirthDate", "MilitaryRank",
    "MedicalRecordLocator", "InsurancePlanIdentification", "InstitutionName", "InstitutionAddress",
    "ReferringPhysicianAddress", "ReferringPhysicianTelephoneNumbers", "FillerOrderNumberImagingServiceRequest",
    "PlacerOrderNumberImagingServiceRequest", "RequestedProcedureID",
})
# fmt: on
_NAME_PARTS = re.compile(r"[\^=\s,;.()]+")
_ENCODINGS = ("utf-8", "latin-1", "iso8859-2", "iso8859-5", "iso8859-7", "iso8859-9", "shift_jis", "euc_kr", "gb18030")
_SHORTEST_ANYWHERE = 4  # characters: a shorter part of a name is a part of many words
_SHORTEST_BYTES = 6  # a shorter string of bytes occurs in pixels by chance


class Identity:
    """Values that identify one patient."""

    def __init__(self) -> None:
        """Starts with none."""
        self._values: set[str] = set()
        self._patterns: tuple[re.Pattern[str], re.Pattern[str]] | None = None

    def learn(self, dataset: Dataset) -> None:
        """Adds the values of a data set and of the sequences in it."""
        for vr, value in _identifying(dataset):
            parts = _NAME_PARTS.split(value) if vr == "PN" else [value]
            self._values.update(stripped for part in parts if len(stripped := part.strip()) > 1)
        self._patterns = None

    def is_in(self, text: str, *, short: bool = True) -> bool:
        """Whether a text holds one of the values, in capitals or not.

        Args:
            text: any text.
            short: whether two or three Latin letters that stand alone count; among code strings they mean something
                else (a phantom may be called CT).
        """
        if self._patterns is None:
            folded = sorted({value.casefold() for value in self._values})
            long = [re.escape(value) for value in folded if len(value) >= _SHORTEST_ANYWHERE or not value.isascii()]
            words = [rf"\b{value}\b" for value in folded if len(value) < _SHORTEST_ANYWHERE and value.isalpha()]
            self._patterns = re.compile("|".join(long) or "(?!)"), re.compile("|".join(words) or "(?!)")
        anywhere, words_alone = self._patterns
        folded_text = text.casefold()
        return bool(anywhere.search(folded_text) or (short and words_alone.search(folded_text)))

    def is_exactly(self, text: str) -> bool:
        """Whether a text is one of the values."""
        return text in self._values

    def is_in_bytes(self, data: bytes) -> bool:
        """Whether one of the longer values is written in a file's bytes, in any of the usual encodings."""
        return any(form in data for value in self._values for form in _encoded(value))


def _identifying(dataset: Dataset) -> Iterator[tuple[str, str]]:
    """Yields VR and value of names and identifiers, also in sequences; what cannot be read is passed over."""
    for tag in list(dataset.keys()):
        try:
            element = dataset[tag]
        except Exception:  # an odd value makes pydicom raise nearly anything; the cleaner removes it
            continue
        if element.VR == "SQ":
            for item in element.value or []:
                yield from _identifying(item)
        elif element.VR == "PN" or element.keyword in _IDENTIFIERS:
            values = element.value if element.VM > 1 else [element.value]
            yield from ((element.VR, str(value)) for value in values if value)


def _encoded(value: str) -> Iterator[bytes]:
    for text in {value, value.upper(), value.lower(), value.title()}:
        for encoding in _ENCODINGS:
            try:
                data = text.encode(encoding)
            except UnicodeEncodeError:
                continue
            if len(data) >= _SHORTEST_BYTES:
                yield data
