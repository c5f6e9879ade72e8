"""What Orthanc's own interface answers, checked word by word: it may be another program, or a page for people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from KidneySegLib.pacs.identifiers import is_orthanc_id

_LARGEST_NUMBER = 2**62  # fits the queue's file


@dataclass(frozen=True)
class ListedChange:
    """One entry of the list of changes.

    Attributes:
        number: Orthanc's running number.
        kind: such as ``NewStudy``.
        resource_id: Orthanc's identifier of what it happened to; "" where that is none of its resources.
    """

    number: int
    kind: str
    resource_id: str


@dataclass(frozen=True)
class Page:
    """A page of the list of changes.

    Attributes:
        changes: oldest first.
        last: number to read on from.
        is_last: whether there is no further page now.
    """

    changes: tuple[ListedChange, ...]
    last: int
    is_last: bool


def page_after(answer: Any, since: int) -> Page:
    """Returns the page of changes that follows a number.

    Raises:
        ValueError: it is none, or it leads backwards.
    """
    entries = [_change(entry) for entry in _value(answer, "Changes", list)]
    last, is_last = last_number(answer), _value(answer, "Done", bool)
    if any(entry.number > last for entry in entries) or last < since or (last == since and not is_last):
        raise ValueError
    return Page(tuple(entries), last, is_last)


def last_number(answer: Any) -> int:
    """Returns the number of the last change of an answer.

    Raises:
        ValueError: it holds none.
    """
    return _number(answer, "Last")


def study_state(answer: Any) -> tuple[str, bool]:
    """Returns StudyInstanceUID and whether the study is stable.

    Raises:
        ValueError: the answer does not describe a study.
    """
    uid = _value(_value(answer, "MainDicomTags", dict), "StudyInstanceUID", str)
    return uid, _value(answer, "IsStable", bool)


def parent_study(answer: Any) -> str:
    """Returns Orthanc's identifier of a series' study.

    Raises:
        ValueError: the answer does not describe a series.
    """
    identifier = _value(answer, "ParentStudy", str)
    if not is_orthanc_id(identifier):
        raise ValueError
    return identifier


def _change(entry: Any) -> ListedChange:
    kind, identifier = _value(entry, "ChangeType", str), _value(entry, "ID", str)
    # other kinds of changes name other things, such as a job
    return ListedChange(_number(entry, "Seq"), kind, identifier if is_orthanc_id(identifier) else "")


def _number(answer: Any, key: str) -> int:
    number = _value(answer, key, int)
    if not 0 <= number < _LARGEST_NUMBER:
        raise ValueError
    return number


def _value(answer: Any, key: str, kind: type) -> Any:
    """Returns a value of exactly that type; a bool is no int."""
    if not isinstance(answer, dict) or type(answer.get(key)) is not kind:
        raise ValueError
    return answer[key]
