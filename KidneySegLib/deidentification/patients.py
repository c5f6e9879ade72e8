"""Who is who in a folder: which file is of which patient, also where a file lacks the patient's number."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING

from KidneySegLib.deidentification.identity import Identity
from KidneySegLib.deidentification.spelling import squeezed
from KidneySegLib.readers.dicom.finding.scan import quiet_pydicom

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_BY_NUMBER, _BY_NAME, _BY_STUDY = "id ", "name ", "study "
_GROUPS = ("SeriesInstanceUID", "StudyInstanceUID", "FrameOfReferenceUID")


class Patients:
    """Learns from all headers first; then every file of one patient gets one pseudonym and one shift of dates."""

    def __init__(self) -> None:
        """Knows nobody."""
        self._identities: dict[str, Identity] = {}
        self._members: dict[tuple[str, str], set[str]] = defaultdict(set)
        self._groups: dict[str, set[tuple[str, str]]] = defaultdict(set)
        self._shapes: dict[str, Counter[tuple[str, str]]] = defaultdict(Counter)
        self._merged: dict[str, Identity] | None = None

    def learn(self, dataset: Dataset) -> None:
        """Adds what a header tells."""
        own = _own_key(dataset)
        self._identities.setdefault(own, Identity()).learn(dataset)
        for group in _groups(dataset):
            self._members[group].add(own)
            self._groups[own].add(group)
        if "Rows" in dataset:
            self._shapes[_text(dataset, "SeriesInstanceUID")][_shape(dataset)] += 1
        self._merged = None

    def patient_of(self, dataset: Dataset) -> str:
        """Returns what tells the patient from others.

        That is the identifier; else that of the file's series, study, frame of reference, or of the person with this
        name and birth date, if there is one only; else name and birth date; else the study.
        """
        return self._settled(_own_key(dataset), list(_groups(dataset)))

    def of_series(self, series: str) -> str | None:
        """Returns the patient of a series; None if its images were not seen."""
        keys = {self._settled(key, []) for key in self._members.get(("SeriesInstanceUID", series), ())}
        return min(keys) if keys else None

    def identity(self, patient: str) -> Identity:
        """Returns the values that identify a patient, from all files of the patient."""
        if self._merged is None:
            self._merged = defaultdict(Identity)
            for key, identity in self._identities.items():
                self._merged[self._settled(key, sorted(self._groups[key]))].add(identity)
        return self._merged.get(patient) or Identity()

    def is_odd_one_out(self, dataset: Dataset) -> bool:
        """Whether an image has another size than most images of its series."""
        shapes = self._shapes[_text(dataset, "SeriesInstanceUID")]
        own = shapes[_shape(dataset)]
        return bool(shapes) and 2 * own < shapes.most_common(1)[0][1]

    def __len__(self) -> int:
        """Returns how many patients there are."""
        return len({self._settled(key, sorted(self._groups[key])) for key in self._identities})

    def _settled(self, own: str, groups: list[tuple[str, str]]) -> str:
        if own.startswith(_BY_NUMBER):
            return self._one_spelling(own, groups)
        for kind in (_BY_NUMBER, _BY_NAME):
            for group in groups:
                keys = {self._one_spelling(key, [group]) for key in self._members[group] if key.startswith(kind)}
                if len(keys) == 1:
                    [key] = keys
                    return key if kind == _BY_NUMBER or key == own else self._settled(key, sorted(self._groups[key]))
        return own

    def _one_spelling(self, own: str, groups: list[tuple[str, str]]) -> str:
        """Returns one for all spellings of a number in one study (PAT-1 and PAT1)."""
        others = {key for group in groups if group[0] == "StudyInstanceUID" for key in self._members[group]}
        return min(
            (key for key in others if key.startswith(_BY_NUMBER) and squeezed(key) == squeezed(own)), default=own
        )


def _own_key(dataset: Dataset) -> str:
    identifier, name = _text(dataset, "PatientID"), _text(dataset, "PatientName")
    if identifier:
        return f"{_BY_NUMBER}{identifier}"
    if name.replace("^", "").strip():
        return f"{_BY_NAME}{name} {_text(dataset, 'PatientBirthDate')}"
    return f"{_BY_STUDY}{_text(dataset, 'StudyInstanceUID') or _text(dataset, 'SOPInstanceUID')}"


def _groups(dataset: Dataset) -> Iterator[tuple[str, str]]:
    """Yields what a file has in common with other files of the same patient."""
    for keyword in _GROUPS:
        if value := _text(dataset, keyword):
            yield keyword, value
    name, birth = _text(dataset, "PatientName"), _text(dataset, "PatientBirthDate")
    if name and birth:
        yield "person", f"{' '.join(sorted(squeezed(part) for part in name.split('=')[0].split('^')))} {birth}"


def _shape(dataset: Dataset) -> tuple[str, str]:
    return _text(dataset, "Rows"), _text(dataset, "Columns")


def _text(dataset: Dataset, keyword: str) -> str:
    with quiet_pydicom():
        try:
            return str(dataset.get(keyword) or "").strip(" \0")
        except Exception:  # an odd value makes pydicom raise nearly anything
            return ""
