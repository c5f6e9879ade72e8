"""What widgets of the scene have in common: the scene, and options that `.ui` files set."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import Property


class SceneAware:
    """Beside a widget class among the bases: keeps the scene."""

    _scene: Any = None

    def mrmlScene(self) -> Any:
        return self._scene

    def setMRMLScene(self, scene: Any) -> None:
        self._scene = scene


def keptOption(name: str, kind: Any = bool, changed: Callable[[Any], None] | None = None) -> Property:
    """Returns a property that lies in the widget's dictionary `_options`.

    Args:
        name: its key there.
        kind: type of its values.
        changed: called with the widget after each change.
    """

    def read(self: Any) -> Any:
        return self._options[name]

    def write(self: Any, value: Any) -> None:
        self._options[name] = value
        if changed is not None:
            changed(self)

    return Property(kind, read, write)
