"""The engine's progress: its JSON lines, and how long it will still take."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass

from KidneySegWidgets.translation import tr as _

# Before this share is done, the time for the rest cannot be told.
_LEAST_FRACTION = 0.1
# An estimate that grew by less is the one that was said.
_SLACK_S = 2.0


@dataclass(frozen=True)
class ProgressLine:
    """One line of `--progress json`.

    Attributes:
        stage: the engine's word for it.
        fraction: finished share of the whole run, 0 to 1.
        message: a sentence for the user.
    """

    stage: str
    fraction: float
    message: str

    @classmethod
    def parse(cls, text: str) -> ProgressLine | None:
        """Returns the progress that a line tells, or None for any other line."""
        try:
            values = json.loads(text)
            fraction = min(1.0, max(0.0, float(values["fraction"])))
            return cls(str(values["stage"]), fraction, str(values["message"]))
        except (ValueError, TypeError, KeyError):
            return None


class RemainingTime:
    """Estimates the time that is left from the time that has passed.

    Stages do not take the time that their shares promise, so an estimate may grow; what was said never does.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._start = clock()
        self._said: float | None = None

    def seconds(self, fraction: float) -> float | None:
        """Returns the seconds that are left, or None while that cannot be told."""
        if fraction < _LEAST_FRACTION:
            return None
        passed = self._clock() - self._start
        return passed * (1 - fraction) / fraction

    def text(self, fraction: float) -> str:
        """Returns the remaining time in words; empty while it cannot be told, or would be more than was said."""
        seconds = self.seconds(fraction)
        if seconds is None or (self._said is not None and seconds > self._said + _SLACK_S):
            return ""
        seconds = self._said = seconds if self._said is None else min(seconds, self._said)
        if seconds < 90:
            return _("about {seconds} s left").format(seconds=max(1, round(seconds)))
        return _("about {minutes} min left").format(minutes=round(seconds / 60))
