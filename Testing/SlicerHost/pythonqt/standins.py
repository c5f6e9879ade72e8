"""The list of classes that stand for C++ classes of CTK and Slicer."""

from __future__ import annotations

from typing import TypeVar

from PySide6 import QtCore, QtWidgets

Class = TypeVar("Class", bound=type)

_registered: dict[str, type] = {}


def standIn(kind: Class) -> Class:
    """Class decorator: the class stands for the C++ class of the same name.

    It can be named in `.ui` files, and its instances are as closed as C++ objects: a script cannot give them new
    attributes. Attributes that begin with an underscore are the stand-in's own.

    A stand-in may list `cppSignals`, which maps C++ signatures to the names of its signals, for arguments that PySide6
    cannot name (`vtkMRMLNode*`).
    """
    _registered[kind.__name__] = kind
    return kind


def standInWidgets() -> dict[str, type]:
    """Returns the stand-ins that a `.ui` file can name."""
    return {name: kind for name, kind in _registered.items() if issubclass(kind, QtWidgets.QWidget)}


def isCppClass(kind: type) -> bool:
    """Tells whether instances of exactly this class are C++ objects for a script, or would be in Slicer."""
    return kind.__module__.startswith("PySide6.") or _registered.get(kind.__name__) is kind


def isStandIn(kind: type) -> bool:
    """Tells whether the class is one of the registered stand-ins."""
    return _registered.get(kind.__name__) is kind


def cppSignalName(kind: type, signature: str) -> str | None:
    """Returns the name of the stand-in's signal for a normalised C++ signature, or None."""
    for base in kind.__mro__:
        name = base.__dict__.get("cppSignals", {}).get(signature)
        if name is not None:
            return str(name)
    return None


def signalSignatures(sender: QtCore.QObject) -> list[str]:
    """Returns all signatures a script can connect to, for messages."""
    declared = [signature for base in type(sender).__mro__ for signature in base.__dict__.get("cppSignals", {})]
    meta = sender.metaObject()  # a class's own staticMetaObject does not live as long as the class
    methods = [meta.method(number) for number in range(meta.methodCount())]
    signals = [m for m in methods if m.methodType() == QtCore.QMetaMethod.MethodType.Signal]
    return sorted({*declared, *(bytes(m.methodSignature().data()).decode() for m in signals)})
