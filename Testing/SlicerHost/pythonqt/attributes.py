"""Setting attributes of C++ objects: known properties with fitting values only, so that a typo is an error."""

from __future__ import annotations

from typing import Any

from PySide6 import QtCore

from .properties import checkValue
from .standins import isCppClass, isStandIn


def _classAttribute(kind: type, name: str) -> Any:
    return next((base.__dict__[name] for base in kind.__mro__ if name in base.__dict__), None)


def _setOwnProperty(instance: Any, name: str, declared: QtCore.Property, value: Any) -> None:
    """Sets a property that a stand-in declares with PySide6's `Property`."""
    meta = instance.metaObject()
    index = meta.indexOfProperty(name)
    if declared.fset is None:
        raise AttributeError(f"Property '{name}' of {type(instance).__name__} object is not writable")
    if index >= 0:
        checkValue(name, meta.property(index).typeName(), value)
    declared.fset(instance, value)


def _strictSetattr(self: Any, name: str, value: Any) -> None:
    kind = type(self)
    found = _classAttribute(kind, name)
    if isinstance(found, QtCore.Property):
        _setOwnProperty(self, name, found, value)
        return
    if isinstance(found, property):
        if found.fset is None:
            raise AttributeError(f"Property '{name}' of {kind.__name__} object is not writable")
        found.__set__(self, value)
        return
    ofPySide = isinstance(value, QtCore.SignalInstance)  # PySide6 keeps a signal on the object at its first use
    if isCppClass(kind) and not ofPySide and not (isStandIn(kind) and name.startswith("_")):
        if found is not None:
            raise AttributeError(f"Slot '{name}' can not be overwritten on {kind.__name__} object")
        raise AttributeError(
            f"Attribute '{name}' does not exist on {kind.__name__} and creating new attributes on C++ objects "
            "is not allowed"
        )
    # CPython forbids calling object.__setattr__ on these types from outside
    self.__dict__[name] = value


def makeStrict(kind: type) -> None:
    """Replaces the class's way of setting attributes; Shiboken gives every class one of its own."""
    if "__setattr__" in kind.__dict__:
        kind.__setattr__ = _strictSetattr  # type: ignore[method-assign, assignment]
