"""Progress on the terminal: a bar for people, JSON lines for front ends, or nothing."""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from functools import partial

from KidneySegLib.errors import Cancelled
from KidneySegLib.languages.language import N_, Language
from KidneySegLib.progress import Progress, silent

# Share of the whole run that each stage takes on a CPU, for one bar over all stages.
STAGES = {
    "read": 0.15,
    "load": 0.1,
    "locate": 0.15,
    "kidneys": 0.25,
    "lesions": 0.15,
    "stones": 0.05,
    "measure": 0.05,
    "write": 0.1,
}


class ProgressStyle(StrEnum):
    """How progress is shown."""

    BAR = "bar"
    JSON = "json"
    NONE = "none"


@contextmanager
def showing(style: ProgressStyle) -> Iterator[Progress]:
    """Gives a receiver of progress that shows it in this style."""
    if style is ProgressStyle.JSON:
        yield partial(_json_line, Language.of_environment())
    elif style is ProgressStyle.BAR:
        with _bar() as receiver:
            yield receiver
    else:
        yield silent


def overall(stage: str, fraction: float) -> float:
    """Returns the finished share of the whole run, 0..1; a stage of no run is a whole of its own."""
    if stage not in STAGES:
        return min(1.0, max(0.0, fraction))
    names = list(STAGES)
    before = sum(STAGES[name] for name in names[: names.index(stage)])
    return before + STAGES[stage] * min(1.0, max(0.0, fraction))


def _json_line(language: Language, stage: str, fraction: float, message: str) -> None:
    """Prints a line.

    Raises:
        Cancelled: nobody reads them any more: the front end ended, and nobody waits for the result.
    """
    line = {"stage": stage, "fraction": round(overall(stage, fraction), 4), "message": language.text(message)}
    try:
        print(json.dumps(line), file=sys.stdout, flush=True)
    except BrokenPipeError:
        # what is left in the buffer must not be written when Python ends
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise Cancelled("Stopped: nobody reads the progress any more. Nothing half-written is left.") from None


@contextmanager
def _bar() -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    columns = (TextColumn("{task.description:<34}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
    with Bars(*columns, TimeElapsedColumn(), console=Console(stderr=True), transient=True) as bars:
        language = Language.of_environment()
        task = bars.add_task(language.text(N_("Starting")), total=1.0)

        def receive(stage: str, fraction: float, message: str) -> None:
            bars.update(task, completed=overall(stage, fraction), description=language.text(message))

        yield receive
