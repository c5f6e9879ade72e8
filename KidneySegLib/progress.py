"""How a run tells where it is, and how it is stopped."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol


class Progress(Protocol):
    """Receives progress; called often, must be quick.

    A receiver stops the run by raising ``errors.Cancelled``; nothing half-written is left then.
    """

    def __call__(self, stage: str, fraction: float, message: str) -> None:
        """Takes the stage's name, its finished share 0..1 and a sentence for the user."""


def silent(stage: str, fraction: float, message: str) -> None:
    """A receiver that tells nobody."""


class Share:
    """The finished share of a stage, or of a part of one, 0 to 1.

    Example:
        >>> told = []
        >>> Share(told.append).part(0.5, 1.0)(0.5)
        >>> told
        [0.75]
    """

    def __init__(self, tell: Callable[[float], None], start: float = 0.0, end: float = 1.0) -> None:
        """Takes who is told, and which part of it this is."""
        self._tell, self._start, self._length = tell, start, end - start

    @classmethod
    def of(cls, progress: Progress, stage: str, message: str) -> Share:
        """Returns a whole stage of a run."""
        return cls(lambda done: progress(stage, done, message))

    def __call__(self, done: float) -> None:
        """Takes the finished share of this part and tells that of the whole."""
        self._tell(self._start + done * self._length)

    def part(self, start: float, end: float) -> Share:
        """Returns the part from ``start`` to ``end`` of this one."""
        return Share(self, start, end)

    def nth(self, number: int, count: int) -> Share:
        """Returns one of ``count`` equal parts, the first one with ``number`` 0."""
        return self.part(number / count, (number + 1) / count)
