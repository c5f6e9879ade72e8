"""How a run tells where it is, and how it is stopped."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Receives progress; called often, must be quick.

    A receiver stops the run by raising ``errors.Cancelled``; nothing half-written is left then.
    """

    def __call__(self, stage: str, fraction: float, message: str) -> None:
        """Takes the stage's name, its finished share 0..1 and a sentence for the user."""


def silent(stage: str, fraction: float, message: str) -> None:
    """A receiver that tells nobody."""
