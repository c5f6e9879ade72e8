"""Qt properties as Python attributes: `checkBox.checked = True`, and `lineEdit.text` is a string, not a method."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6 import QtCore, QtGui

# Virtual methods that are properties too: Shiboken would take an attribute of this name for a Python override and call
# it from C++. They stay methods, which is laxer than PythonQt.
_VIRTUAL = {"sizeHint", "minimumSizeHint", "duration"}


def _isInteger(value: Any) -> bool:
    return isinstance(value, int)


def _isNumber(value: Any) -> bool:
    return isinstance(value, int | float)


def _isText(value: Any) -> bool:
    return isinstance(value, str)


def _isTextList(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(item, str) for item in value)


# PythonQt would also make the text "None" of None and 3 of 3.7: nobody means that, so it is refused here.
_ACCEPTS: dict[str, Callable[[Any], bool]] = {
    "bool": _isInteger,
    "int": _isInteger,
    "uint": _isInteger,
    "double": _isNumber,
    "QString": _isText,
    "QStringList": _isTextList,
}


class WrongValue(AttributeError):
    """A property was given a value that it does not take; PythonQt raises AttributeError, too."""


def checkValue(name: str, typeName: str, value: Any) -> None:
    """Raises WrongValue if PythonQt would not turn the value into the property's type."""
    accepts = _ACCEPTS.get(typeName)
    kind = getattr(QtGui, typeName, None)
    wrong = not accepts(value) if accepts is not None else kind is not None and not isinstance(value, kind)
    if wrong:
        raise refusal(name, typeName, value)


def refusal(name: str, typeName: str, value: Any) -> WrongValue:
    """Returns the error for a value that a property does not take."""
    return WrongValue(
        f"Property '{name}' of type '{typeName}' does not accept an object of type {type(value).__name__} ({value!r})"
    )


class QtProperty(property):
    """A Qt property on a PySide6 class.

    On the class itself the original method stays (`QTimer.singleShot` is a static method and a property).
    """

    original: Any = None

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        """Returns the property's value, or the original attribute of the class."""
        if instance is None:
            return self if self.original is None else self.original
        return super().__get__(instance, owner)


def _accessors(kind: type, name: str) -> tuple[Any, Any]:
    """Returns the C++ getter and setter of a property, as PySide6 has them on the class; None where it has none."""
    if issubclass(kind, QtCore.QCoreApplication):  # the accessors are static there and take no object
        return None, None
    capital = name[0].upper() + name[1:]
    candidates = [getattr(kind, each, None) for each in (f"is{capital}", name)]  # singleShot() starts a timer
    getter = next((each for each in candidates if callable(each)), None)
    return getter, getattr(kind, f"set{capital}", None)


def _makeProperty(kind: type, meta: QtCore.QMetaProperty) -> QtProperty:
    name, typeName = meta.name(), meta.typeName()
    getter, setter = _accessors(kind, name)

    def read(self: Any) -> Any:
        return getter(self) if getter else self.property(name)

    def write(self: Any, value: Any) -> None:
        checkValue(name, typeName, value)
        try:
            # an enumeration may be given as a number: only the property system converts that
            if setter is None or (type(value) is int and meta.isEnumType()):
                done = self.setProperty(name, value)
            else:
                setter(self, value)
                done = True
        except (TypeError, ValueError) as error:
            raise refusal(name, typeName, value) from error
        if not done:
            raise refusal(name, typeName, value)

    made = QtProperty(read, write if meta.isWritable() else None)
    original = getattr(kind, name, None)
    made.original = None if isinstance(original, property) else original
    return made


def hasProperty(kind: type, name: str) -> bool:
    """Tells whether a class has a Qt property, of its own or from a base."""
    return any(isinstance(base.__dict__.get(name), QtProperty | QtCore.Property) for base in kind.__mro__)


def addProperties(kind: type) -> None:
    """Makes attributes of the properties that a PySide6 class declares itself."""
    meta: QtCore.QMetaObject | None = getattr(kind, "staticMetaObject", None)
    if meta is None:
        return
    for number in range(meta.propertyOffset(), meta.propertyCount()):
        each = meta.property(number)
        if each.name() not in _VIRTUAL and not isinstance(kind.__dict__.get(each.name()), property):
            setattr(kind, each.name(), _makeProperty(kind, each))
