"""VTK observers that go with the widget that made them."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

import shiboken6


class Observers:
    """Observers of one widget; they are taken away together, and when the widget has been deleted.

    They do not keep the widget alive: a script that drops its panel must not go on hearing of the scene.
    """

    def __init__(self) -> None:
        self._tags: list[tuple[Any, int]] = []

    def add(self, source: Any, events: list[Any], method: Callable[..., None]) -> None:
        """Calls the widget's `method(caller, event)` whenever one of the events happens at the source."""
        weak = weakref.WeakMethod(method)

        def call(caller: Any, event: str) -> None:
            found = weak()
            if found is not None and shiboken6.isValid(found.__self__):
                found(caller, event)
            else:
                self.clear()

        self._tags += [(source, source.AddObserver(event, call)) for event in events]

    def clear(self) -> None:
        """Takes all observers away."""
        for source, tag in self._tags:
            source.RemoveObserver(tag)
        self._tags = []
