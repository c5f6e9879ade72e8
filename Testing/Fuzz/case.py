"""What a case of the battery is: how its files are made, and what reading them must give."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

import numpy as np

from Fuzz.truth import TRUTH, Truth
from KidneySegLib.exam import Exam


class Outcome(StrEnum):
    """How a case ended. The first three are right where the case allows them; the others are faults of the engine."""

    RIGHT = "right volume, no remark"
    FLAGGED = "right volume, flagged"
    REFUSED = "one clear sentence"
    WRONG = "WRONG VOLUME"
    UNEXPECTED = "UNEXPECTED END"
    TRACEBACK = "TRACEBACK"
    LEAK = "PATH OR PATIENT DATA TOLD"
    HANG = "HANG"
    CRASH = "CRASH OF THE PROCESS"


FAULTS = (Outcome.WRONG, Outcome.UNEXPECTED, Outcome.TRACEBACK, Outcome.LEAK, Outcome.HANG, Outcome.CRASH)


class Leak(Exception):  # noqa: N818  (what was found, not why something stopped)
    """A reader found that something tells who the patient is."""


@dataclass(frozen=True)
class Expected:
    """What must come of a case.

    Attributes:
        read: True: a volume; False: a sentence; None: either, but a volume must be right.
        words: regular expression that the sentence, or else the flags' sentences, must match.
        flags: codes of flags of which at least one must be there; where a volume holds less than the whole truth, some
            flag must be there anyway.
        slices: number of slices of the volume; None where any number may come.
        truth: what the voxels must be.
        tolerance: in HU; images that were interpolated are rounded twice.
        exit_code: of the error where there is a sentence; None for any.
    """

    read: bool | None
    words: str = ""
    flags: tuple[str, ...] = ()
    slices: int | None = None
    truth: Truth = TRUTH
    tolerance: float = 1.01
    exit_code: int | None = None


@dataclass(frozen=True)
class Case:
    """One bad input.

    Attributes:
        name: says what is wrong; unique.
        family: the table's row.
        build: makes the input below a folder and returns what the user points at; all chance comes from the generator.
        expected: what must come of it.
        unprivileged: read without the rights of the administrator, who may read everything.
        reader: what reads it; None: as the engine does. One that returns no image says by AssertionError what is wrong.
    """

    name: str
    family: str
    build: Callable[[Path, np.random.Generator], Path]
    expected: Expected
    unprivileged: bool = False
    reader: Callable[[Path], Exam | None] | None = None


@dataclass(frozen=True)
class Result:
    """How a case ended.

    Attributes:
        name, family: those of the case.
        outcome: its kind.
        detail: flags, sentence, or what is wrong.
        seconds: wall time.
    """

    name: str
    family: str
    outcome: Outcome
    detail: str = ""
    seconds: float = 0.0


@dataclass
class Family:
    """Collects the cases of one row of the table; ``reader`` is that of all its cases."""

    name: str
    cases: list[Case] = field(default_factory=list)
    reader: Callable[[Path], Exam | None] | None = None

    def add(
        self,
        name: str,
        build: Callable[[Path, np.random.Generator], Path],
        read: bool | None,
        words: str = "",
        *,
        unprivileged: bool = False,
        **expected: object,
    ) -> None:
        """Adds a case; ``expected`` are further attributes of ``Expected``."""
        self.cases.append(Case(name, self.name, build, Expected(read, words, **expected), unprivileged, self.reader))
