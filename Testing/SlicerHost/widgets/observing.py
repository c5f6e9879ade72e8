"""VTK observers that go with the widget that made them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Observers:
    """Observers of one widget; they are taken away together."""

    def __init__(self) -> None:
        self._tags: list[tuple[Any, int]] = []

    def add(self, source: Any, events: list[Any], function: Callable[..., None]) -> None:
        """Calls `function(caller, event)` whenever one of the events happens at the source."""
        self._tags += [(source, source.AddObserver(event, function)) for event in events]

    def clear(self) -> None:
        """Takes all observers away."""
        for source, tag in self._tags:
            source.RemoveObserver(tag)
        self._tags = []
