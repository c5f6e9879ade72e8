"""`object.connect("signal(arguments)", callable)` as PythonQt has it.

PythonQt returns False for an unknown signature, which is easily overlooked; here it is an error.
"""

from __future__ import annotations

import contextlib
import inspect
import weakref
from collections.abc import Callable
from typing import Any

from PySide6 import QtCore

from .standins import cppSignalName, signalSignatures

_Record = tuple[str, Callable[..., Any], Callable[..., Any]]
_connections: weakref.WeakKeyDictionary[QtCore.QObject, list[_Record]] = weakref.WeakKeyDictionary()

_originalConnect = QtCore.QObject.connect
_originalDisconnect = QtCore.QObject.disconnect


class NoSuchSignal(ValueError):
    """The object has no signal of this signature."""


def normalise(signature: str) -> str:
    """Returns a signature as Qt compares it; `clicked` without arguments in brackets is refused, as in Qt."""
    if "(" not in signature or not signature.rstrip().endswith(")"):
        raise NoSuchSignal(f"{signature!r} is no signature: PythonQt needs the brackets, for example 'clicked()'")
    return bytes(QtCore.QMetaObject.normalizedSignature(signature.strip()).data()).decode()


def findSignal(sender: QtCore.QObject, signature: str) -> tuple[Any, int]:
    """Returns the sender's signal and how many arguments this signature hands on.

    Raises:
        NoSuchSignal: The sender has no such signal.
    """
    wanted = normalise(signature)
    arguments = wanted[wanted.index("(") + 1 : -1]
    count = len(arguments.split(",")) if arguments else 0
    name = cppSignalName(type(sender), wanted)
    if name is None:
        if sender.metaObject().indexOfSignal(wanted) < 0:
            known = ", ".join(signalSignatures(sender))
            raise NoSuchSignal(f"{type(sender).__name__} has no signal {wanted!r}; it has {known}")
        name = wanted[: wanted.index("(")]
    signal = getattr(sender, name)
    if arguments:
        # a signal with one signature only may have it under another name of the types
        with contextlib.suppress(KeyError, IndexError, TypeError):
            signal = signal[tuple(arguments.split(","))] if count > 1 else signal[arguments]
    return signal, count


def _positional(function: Callable[..., Any]) -> int | None:
    """Returns how many positional arguments the function takes at most; None if any number."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return None
    if any(p.kind is p.VAR_POSITIONAL for p in parameters):
        return None
    return sum(p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) for p in parameters)


def _receiver(function: Callable[..., Any], count: int) -> Callable[..., Any]:
    """Returns a slot that hands on at most `count` arguments, and no more than the function takes."""
    taken = _positional(function)
    used = count if taken is None else min(count, taken)

    def slot(*arguments: Any) -> None:
        function(*arguments[:used])

    return slot


def connect(self: QtCore.QObject, *arguments: Any) -> Any:
    """Connects a signal of this object: (signature, callable) or (signature, receiver, slot)."""
    if not (arguments and isinstance(arguments[0], str)):
        return _originalConnect(*arguments)
    if len(arguments) == 3:
        signature, function = arguments[0], getattr(arguments[1], arguments[2].partition("(")[0])
    else:
        signature, function = arguments
    if not callable(function):
        raise TypeError(f"connect() needs a callable, not {type(function).__name__}")
    signal, count = findSignal(self, signature)
    slot = _receiver(function, count)
    signal.connect(slot)
    _connections.setdefault(self, []).append((normalise(signature), function, slot))
    return True


def disconnect(self: QtCore.QObject, *arguments: Any) -> Any:
    """Ends a connection that `connect` made with the same signature and callable; returns whether there was one."""
    if not (arguments and isinstance(arguments[0], str)):
        return _originalDisconnect(*arguments)
    wanted = normalise(arguments[0])
    records = _connections.get(self, [])
    for record in records:
        if record[0] == wanted and (len(arguments) == 1 or record[1] == arguments[1]):
            findSignal(self, wanted)[0].disconnect(record[2])
            records.remove(record)
            return True
    return False


def addConnect(kind: type) -> None:
    """Gives a class PythonQt's `connect` and `disconnect`.

    PySide6 answers `connect` of an instance itself, so an attribute of the class would not be seen. Most classes look
    their attributes up as QObject does; those with methods that are static and not static, as QProcess, in a way of
    their own.
    """
    original = kind.__dict__.get("__getattribute__")
    if original is None:
        return

    def getattribute(self: QtCore.QObject, name: str) -> Any:
        if name == "connect":
            return connect.__get__(self)
        if name == "disconnect":
            return disconnect.__get__(self)
        return original(self, name)

    kind.__getattribute__ = getattribute  # type: ignore[method-assign]
