"""Applies PythonQt's manners to all classes of PySide6 that Slicer's `qt` holds."""

from __future__ import annotations

from typing import Any

from PySide6 import QtCore, QtGui, QtWidgets

from .attributes import makeStrict
from .properties import addProperties
from .signals import addConnect

_MODULES = (QtCore, QtGui, QtWidgets)
# PySide6's own names, which Slicer's `qt` does not have
_PYSIDE_ONLY = {"Signal", "SignalInstance", "Slot", "Property", "ClassInfo", "QEnum", "QFlag", "SIGNAL", "SLOT"}


def _contents() -> dict[str, Any]:
    # PySide6 fills its modules when a name is asked for: vars() would miss most of them
    names = {name: module for module in _MODULES for name in dir(module) if not name.startswith("_")}
    return {name: getattr(module, name) for name, module in names.items() if name not in _PYSIDE_ONLY}


def _classes(contents: dict[str, Any]) -> list[type]:
    kinds = [value for value in contents.values() if isinstance(value, type) and issubclass(value, QtCore.QObject)]
    return sorted(kinds, key=lambda kind: len(kind.__mro__))  # base classes first


def _className(self: QtCore.QObject) -> str:
    return str(self.metaObject().className())


def _findChildren(self: QtCore.QObject, kind: Any = QtCore.QObject, name: str = "") -> list[QtCore.QObject]:
    """PythonQt takes a class or the name of one; an object name narrows the search."""
    inherits = kind if isinstance(kind, str) else None
    candidates = _originalFindChildren(self, QtCore.QObject if inherits else kind)
    return [c for c in candidates if (not inherits or c.inherits(inherits)) and name in ("", c.objectName)]


def _findChild(self: QtCore.QObject, kind: Any = QtCore.QObject, name: str = "") -> QtCore.QObject | None:
    return next(iter(_findChildren(self, kind, name)), None)


_originalFindChildren = QtCore.QObject.findChildren


def namespace() -> dict[str, Any]:
    """Changes the classes and returns what the module `qt` holds."""
    contents = _contents()
    for kind in _classes(contents):
        addProperties(kind)
        makeStrict(kind)
        addConnect(kind)
    base: Any = QtCore.QObject
    base.name = property(lambda self: self.objectName, lambda self, value: self.setObjectName(value))
    base.className = _className
    base.delete = lambda self: self.deleteLater()
    base.findChildren = _findChildren
    base.findChild = _findChild
    return contents
