"""What a reader asked of the worklist, and what is remembered of it for Undo."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from KidneySegWidgets.worklist.labelChange import LabelChange
from KidneySegWidgets.worklist.lesionEdits import Ask


@dataclass(frozen=True)
class MarkStep:
    """A mark that was set: on which finding, and what it had before."""

    identifier: str
    before: Any


@dataclass(frozen=True)
class DrawnStep:
    """A change of what is drawn, and the findings that were shown before it, with their marks."""

    change: LabelChange
    findings: Any


Step = MarkStep | DrawnStep


@dataclass(frozen=True)
class Request:
    """What the reader asked for: the question, the sentence where it fails, and the findings until it is measured."""

    ask: Ask
    failure: Callable[[BaseException], str]
    shownAtOnce: Callable[[Any, LabelChange], Any]


def newByClick(before: Any, shown: Any) -> list[str]:
    """Returns the names of lesions and stones that were not listed before, and that no network had in mind."""
    known = {each.id for each in (*before.lesions, *before.stones)}
    listed = (each for each in (*shown.lesions, *shown.stones) if each.id not in known)
    return [each.id for each in listed if each.reading.state == "added" and each.reading.was is None]
