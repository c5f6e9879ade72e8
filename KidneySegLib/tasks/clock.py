"""The clock of a run: it hears the progress, and so knows how long each stage took."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from KidneySegLib.progress import Progress


class Clock:
    """Passes progress on and sums the wall time of each stage.

    Attributes:
        started_utc: when the run began, ISO 8601 in UTC.
        seconds: wall time of the stages that have ended.
    """

    def __init__(self, receiver: Progress) -> None:
        """Starts."""
        self.started_utc = datetime.now(UTC).isoformat(timespec="seconds")
        self.seconds: dict[str, float] = {}
        self._receiver = receiver
        self._stage, self._since = "", time.perf_counter()

    def __call__(self, stage: str, fraction: float, message: str) -> None:
        """Takes progress; a new stage ends the one before."""
        if stage != self._stage:
            self.stop()
            self._stage = stage
        self._receiver(stage, fraction, message)

    def stop(self) -> None:
        """Ends the stage that runs."""
        now = time.perf_counter()
        if self._stage:
            self.seconds[self._stage] = self.seconds.get(self._stage, 0.0) + now - self._since
        self._stage, self._since = "", now
