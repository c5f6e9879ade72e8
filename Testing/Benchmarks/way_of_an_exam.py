#!/usr/bin/env python3
"""Follows an exam through the engine call by call, from the DICOM folder to the table.

    python Testing/Benchmarks/way_of_an_exam.py SERIES [--list]

`kidneyseg segment` runs in this process. A **handover** is a place in one file of `KidneySegLib` that calls a function
of another file with the exam as an argument: its path, the `Exam` or a `Volume`. What an exam is asked itself
(`exam.py`, `volume.py`) is none. A **return** is a handover to a file that the exam was in before, and has left since.
A place counts once, however often a loop comes there. `--list` names every handover; an arrow back marks the returns.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

HERE = Path(__file__).resolve().parents[2]
ENGINE = f"{HERE / 'KidneySegLib'}/"
THE_EXAM_ITSELF = {"exam.py", "volume.py"}


@dataclass(frozen=True)
class Handover:
    """A place that hands the exam over: file and line of the caller, file and name of what is called."""

    caller: str
    line: int
    file: str
    function: str


class Follower:
    """Notes the handovers, in the order in which they come first.

    Attributes:
        handovers: what was noted.
    """

    def __init__(self, source: Path) -> None:
        """Follows ``source``, and each ``Exam`` and ``Volume``."""
        self.handovers: dict[Handover, None] = {}
        self._source = str(source)

    def __call__(self, frame: FrameType, event: str, _: Any) -> None:
        """Takes an event of ``sys.setprofile``."""
        code, back = frame.f_code, frame.f_back
        if event != "call" or not code.co_filename.startswith(ENGINE):
            return
        while back is not None and not back.f_code.co_filename.startswith(ENGINE):
            back = back.f_back
        if back is None or back.f_code.co_filename == code.co_filename:
            return
        count = code.co_argcount + code.co_kwonlyargcount
        if any(self._is_exam(frame.f_locals.get(name)) for name in code.co_varnames[:count]):
            caller, file = (name.removeprefix(ENGINE) for name in (back.f_code.co_filename, code.co_filename))
            if THE_EXAM_ITSELF.isdisjoint((caller, file)):
                self.handovers[Handover(caller, back.f_lineno, file, code.co_qualname)] = None

    def _is_exam(self, value: object) -> bool:
        return type(value).__name__ in ("Exam", "Volume") or (isinstance(value, Path) and str(value) == self._source)


def returns(handovers: list[Handover]) -> set[int]:
    """Returns the numbers of those handovers that come back to a file which the exam has left."""
    passed: set[str] = set()
    here, back = "", set()
    for number, handover in enumerate(handovers):
        if handover.file in passed and handover.file != here:
            back.add(number)
        passed |= {handover.caller, handover.file}
        here = handover.file
    return back


def main() -> None:
    """Runs the engine and prints the counts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("series", type=Path, help="DICOM folder")
    parser.add_argument("--list", action="store_true", help="name every handover")
    options = parser.parse_args()
    sys.path.insert(0, str(HERE))
    from KidneySegLib.commands.app import main as command_line

    follower = Follower(options.series)
    with tempfile.TemporaryDirectory(prefix="kidneyseg-way-") as folder:
        sys.argv = ["kidneyseg", "segment", str(options.series), "-o", f"{folder}/result", "--progress", "none"]
        threading.setprofile(follower)
        sys.setprofile(follower)
        try:
            command_line()
        except SystemExit as end:
            if end.code:
                raise
        finally:
            sys.setprofile(None)
    found = list(follower.handovers)
    back = returns(found)
    if options.list:
        for number, handover in enumerate(found):
            arrow = "<-" if number in back else "->"
            print(f"{handover.caller}:{handover.line} {arrow} {handover.file} {handover.function}")
    files = {name for handover in found for name in (handover.caller, handover.file)}
    print(f"{len(files)} files, {len(found)} handovers, {len(back)} returns")


if __name__ == "__main__":
    main()
