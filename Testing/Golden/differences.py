"""What two records of the same exam do not have in common."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import zip_longest
from typing import Any

import numpy as np

from Golden.recording import Record

# Keys of JSON files that differ with every run, every release or every export.
CHANGING = re.compile(r"seconds|started_utc|libraries|sha256|\w*version|\w*_uids?|EncapsulatedDocumentLength")
CHANGING_TEXT = (
    (re.compile(r"\b[0-9a-f]{12,}\b"), "CHECKSUM"),
    (re.compile(r"\b\d+\.\d+\.\d+(\+\w+)?\b"), "VERSION"),
    (re.compile(r"\b20\d\d-\d\d-\d\d(T[\d:.+]+)?"), "DATE"),
    (re.compile(r"\b\d{1,2} (de )?[^\W\d]+ (de )?20\d\d\b"), "DATE"),
)
NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
# A picture's checksum stands in the place of its pixels: it follows from them as a number does.
PICTURE = re.compile(r"\bpicture [0-9a-f]{64}\b")
REMARKS = {"Remarks", "Observaciones", "Uyarılar"}
FLAG_ON_TERMINAL = re.compile(r"\[(info|warning|error)\] ")
ABSENT, LINE = "(absent)", "line"


class Kind(StrEnum):
    """What differs."""

    MISSING = "missing"
    VOXELS = "voxels"
    MEASURE = "measure"
    FLAG = "flag"
    WORDING = "wording of a flag"
    TEXT = "text"
    PICTURE = "picture"
    DICOM = "DICOM"
    OTHER = "other data"


@dataclass(frozen=True)
class Difference:
    """One difference.

    Attributes:
        kind: what differs.
        place: folder, file and place in it.
        before: what the first recording says.
        after: what the second one says.
        is_numeric: only numbers or a picture's pixels differ, as they do where a voxel has moved.
    """

    kind: Kind
    place: str
    before: str
    after: str
    is_numeric: bool = False

    def __str__(self) -> str:
        """Returns a line for the terminal."""
        return f"{self.kind}: {self.place}: {self.before} -> {self.after}"

    def pattern(self) -> str:
        """Returns the same without numbers and pictures, so that what several exams share is found."""
        return f"{self.kind}: {masked(self.place)}: {masked(self.before)} -> {masked(self.after)}"


@dataclass(frozen=True)
class MovedVoxels:
    """Voxels of one array that differ.

    Attributes:
        place: folder and file.
        moved: how many differ.
        total: how many there are.
        labelled: how many have a label in either.
        per_label: of each label, how many voxels have it in one of the two only.
    """

    place: str
    moved: int
    total: int
    labelled: int
    per_label: dict[int, int]

    def __str__(self) -> str:
        """Returns a line for the terminal."""
        labels = ", ".join(f"label {label}: {count}" for label, count in self.per_label.items())
        of_all, of_labelled = (1e6 * self.moved / voxels for voxels in (self.total, self.labelled))
        rates = f"{of_all:.2f} per million, {of_labelled:.1f} per million labelled ones"
        return f"{Kind.VOXELS}: {self.place}: {self.moved} of {self.total} differ ({rates}): {labels}"


def compare_voxels(before: Record, after: Record) -> Iterator[MovedVoxels | Difference]:
    """Compares all arrays; the background has no label."""
    for place in sorted({*before.voxels, *after.voxels}):
        first, second = before.voxels.get(place), after.voxels.get(place)
        if first is None or second is None or first.shape != second.shape:
            shapes = (ABSENT if array is None else str(array.shape) for array in (first, second))
            yield Difference(Kind.VOXELS, f"{place} (shape)", *shapes)
        elif moved := np.count_nonzero(differs := first != second):
            labels = np.union1d(first[differs], second[differs])
            per_label = {
                int(label): np.count_nonzero(differs & ((first == label) | (second == label)))
                for label in labels[labels != 0]
            }
            labelled = np.count_nonzero(first.astype(bool) | second.astype(bool))
            yield MovedVoxels(place, moved, first.size, labelled, per_label)


def compare_data(before: Record, after: Record) -> list[Difference]:
    """Compares everything but voxels."""
    return list(_compare(_steady(before.data), _steady(after.data), ()))


def _steady(value: Any) -> Any:
    """Returns the data without what differs with every run."""
    if isinstance(value, dict):
        return {key: _steady(item) for key, item in value.items() if not CHANGING.fullmatch(key)}
    if isinstance(value, list):
        return [_steady(item) for item in value]
    return steady_text(value) if isinstance(value, str) else value


def steady_text(text: str) -> str:
    """Returns a text without dates, versions and checksums; a picture's checksum stays."""
    kept = PICTURE.search(text)
    for pattern, word in CHANGING_TEXT:
        text = pattern.sub(word, text)
    return text.replace("picture CHECKSUM", kept[0]) if kept else text


def _compare(before: Any, after: Any, place: tuple[str, ...]) -> Iterator[Difference]:
    if before == after:
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for key in dict.fromkeys((*before, *after)):
            yield from _compare(before.get(key, ABSENT), after.get(key, ABSENT), (*place, key))
    elif place[-1:] == ("flags",) and isinstance(before, list) and isinstance(after, list):
        yield from _compare_flags(before, after, place)
    elif _are_lines(before) and _are_lines(after):
        yield from _compare_lines(before, after, place)
    elif isinstance(before, list) and isinstance(after, list):
        for number, (first, second) in enumerate(zip_longest(before, after, fillvalue=ABSENT)):
            yield from _compare(first, second, (*place, str(number)))
    else:
        yield _difference(before, after, place)


def _are_lines(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _compare_flags(before: list, after: list, place: tuple[str, ...]) -> Iterator[Difference]:
    """Compares flags by code and severity, then by order, then their sentences where both recordings have them."""
    said = [[(flag.get("code"), flag.get("severity")) for flag in flags] for flags in (before, after)]
    counts = [Counter(flags) for flags in said]
    for code, severity in dict.fromkeys((*said[0], *said[1])):
        times = [str(count[code, severity]) for count in counts]
        if times[0] != times[1]:
            yield Difference(Kind.FLAG, f"{_path(place)} {code} ({severity})", *times)
    if counts[0] != counts[1]:
        return
    if said[0] != said[1]:
        yield Difference(Kind.FLAG, f"{_path(place)}, order", *(", ".join(code for code, _ in flags) for flags in said))
        return
    for first, second in zip(before, after, strict=True):
        sentences = first.get("message"), second.get("message")
        if None not in sentences and sentences[0] != sentences[1]:
            numeric = _is_numeric(*sentences)
            yield Difference(Kind.WORDING, f"{_path(place)} {first['code']}", *sentences, numeric)


def _compare_lines(before: list[str], after: list[str], place: tuple[str, ...]) -> Iterator[Difference]:
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    for tag, a, b, c, d in matcher.get_opcodes():
        if tag != "equal":
            for first, second in zip_longest(before[a:b], after[c:d], fillvalue=ABSENT):
                yield _difference(first, second, (*place, LINE))


def _difference(before: Any, after: Any, place: tuple[str, ...]) -> Difference:
    kind = _kind(place, before if isinstance(before, str) else "", after if isinstance(after, str) else "")
    return Difference(kind, _path(place), _short(before), _short(after), _is_numeric(before, after))


def _kind(place: tuple[str, ...], before: str, after: str) -> Kind:
    file = place[1] if len(place) > 1 else ""
    if ABSENT in (before, after) and len(place) <= 2:
        return Kind.MISSING
    if PICTURE.search(before) or PICTURE.search(after):
        return Kind.PICTURE
    if REMARKS.intersection(place) or FLAG_ON_TERMINAL.match(before) or FLAG_ON_TERMINAL.match(after):
        return Kind.WORDING
    if file.endswith(".dcm"):
        return Kind.DICOM
    if file.endswith(".csv") or (file == "findings.json" and "provenance" not in place):
        return Kind.MEASURE
    if file.endswith((".html", ".pdf")) or place[0] == "commands":
        return Kind.TEXT
    return Kind.OTHER


def _is_numeric(before: Any, after: Any) -> bool:
    """Whether the two are equal but for numbers and pictures."""
    if ABSENT in (before, after) or isinstance(before, dict | list) or isinstance(after, dict | list):
        return False
    return masked(str(before)) == masked(str(after))


def masked(text: str) -> str:
    """Returns a text with N for each number and without a picture's checksum."""
    return NUMBER.sub("N", PICTURE.sub("picture", text))


def _path(place: tuple[str, ...]) -> str:
    return "/".join(place)


def _short(value: Any, longest: int = 400) -> str:
    text = str(value)
    return text if len(text) <= longest else f"{text[:longest]}..."
