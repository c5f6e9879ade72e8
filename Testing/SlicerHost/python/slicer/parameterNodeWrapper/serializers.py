"""Values as texts and references of a vtkMRMLScriptedModuleNode."""

from __future__ import annotations

import enum
import json
import typing
from pathlib import Path, PosixPath, PurePath, WindowsPath
from typing import Any

import slicer

from .annotations import Validator, withoutNone

_PATHS = (Path, PosixPath, WindowsPath, PurePath)


class NotSupported(TypeError):
    """The host has no way to keep a parameter of this type."""


class Serializer:
    """Writes one parameter as one JSON text; the value is turned into JSON's types and back."""

    def __init__(self, kind: Any, validators: list[Validator]) -> None:
        self._kind = kind
        self._validators = validators

    def default(self) -> Any:
        """Returns the value of a parameter without a default of its own."""
        return next(iter(self._kind)) if issubclass(self._kind, enum.Enum) else self._kind()

    def check(self, value: Any) -> Any:
        """Returns the value in the parameter's type.

        Raises:
            TypeError: The value is of another type.
            ValueError: A validator refuses it.
        """
        if self._kind is float and type(value) is int:
            value = float(value)
        if self._kind in _PATHS and isinstance(value, str):
            value = self._kind(value)
        if not isinstance(value, self._kind) or (isinstance(value, bool) and self._kind in (int, float)):
            raise TypeError(f"{value!r} is no {self._kind.__name__}")
        self.validate(value)
        return value

    def validate(self, value: Any) -> None:
        """Raises ValueError if a validator refuses the value."""
        for each in self._validators:
            each.validate(value)

    def toJson(self, value: Any) -> Any:
        """Returns the value as JSON can hold it."""
        if isinstance(value, enum.Enum):
            return value.name
        return str(value) if isinstance(value, PurePath) else value

    def fromJson(self, value: Any) -> Any:
        """Returns the value again."""
        return self._kind[value] if issubclass(self._kind, enum.Enum) else self._kind(value)

    def isIn(self, node: Any, name: str) -> bool:
        """Tells whether the node has a value."""
        return bool(node.HasParameter(name))

    def write(self, node: Any, name: str, value: Any) -> None:
        """Writes a checked value."""
        node.SetParameter(name, json.dumps(self.toJson(self.check(value))))

    def read(self, node: Any, name: str) -> Any:
        """Reads the value."""
        return self.fromJson(json.loads(node.GetParameter(name)))


class NodeSerializer(Serializer):
    """Keeps a reference to a node of the scene; None is always allowed, as in Slicer."""

    def __init__(self, kinds: tuple[type, ...], validators: list[Validator]) -> None:
        super().__init__(kinds, validators)

    def default(self) -> None:
        return None

    def check(self, value: Any) -> Any:
        if value is not None and not isinstance(value, self._kind):
            raise TypeError(f"a {value.GetClassName()} is no {' or '.join(kind.__name__ for kind in self._kind)}")
        self.validate(value)
        return value

    def isIn(self, node: Any, name: str) -> bool:
        return True  # no reference is None

    def write(self, node: Any, name: str, value: Any) -> None:
        checked = self.check(value)
        node.SetNodeReferenceID(name, checked.GetID() if checked is not None else None)

    def read(self, node: Any, name: str) -> Any:
        return node.GetNodeReference(name)


class OptionalSerializer(Serializer):
    """`X | None` of a plain type."""

    def __init__(self, inner: Serializer) -> None:
        super().__init__(object, [])
        self._inner = inner

    def default(self) -> None:
        return None

    def check(self, value: Any) -> Any:
        return None if value is None else self._inner.check(value)

    def toJson(self, value: Any) -> Any:
        return None if value is None else self._inner.toJson(value)

    def fromJson(self, value: Any) -> Any:
        return None if value is None else self._inner.fromJson(value)


class SequenceSerializer(Serializer):
    """`list[X]`, and `tuple[X, Y]` with a type for each place."""

    def __init__(self, kind: type, inner: list[Serializer], validators: list[Validator]) -> None:
        super().__init__(kind, validators)
        self._inner = inner

    def _pairs(self, values: Any) -> list[tuple[Serializer, Any]]:
        inner = self._inner if self._kind is tuple else self._inner * len(values)
        if len(inner) != len(values):
            raise ValueError(f"{len(inner)} values are needed, not {len(values)}")
        return list(zip(inner, values, strict=True))

    def default(self) -> Any:
        return tuple(each.default() for each in self._inner) if self._kind is tuple else []

    def check(self, value: Any) -> Any:
        if not isinstance(value, self._kind):
            raise TypeError(f"{value!r} is no {self._kind.__name__}")
        checked = self._kind(inner.check(each) for inner, each in self._pairs(value))
        self.validate(checked)
        return checked

    def toJson(self, value: Any) -> Any:
        return [inner.toJson(each) for inner, each in self._pairs(value)]

    def fromJson(self, value: Any) -> Any:
        return self._kind(inner.fromJson(each) for inner, each in self._pairs(value))


class DictionarySerializer(Serializer):
    """`dict[K, V]`; kept as pairs, because JSON's keys are texts."""

    def __init__(self, key: Serializer, value: Serializer, validators: list[Validator]) -> None:
        super().__init__(dict, validators)
        self._key, self._value = key, value

    def check(self, value: Any) -> Any:
        if not isinstance(value, dict):
            raise TypeError(f"{value!r} is no dict")
        checked = {self._key.check(key): self._value.check(each) for key, each in value.items()}
        self.validate(checked)
        return checked

    def toJson(self, value: Any) -> Any:
        return [[self._key.toJson(key), self._value.toJson(each)] for key, each in value.items()]

    def fromJson(self, value: Any) -> Any:
        return {self._key.fromJson(key): self._value.fromJson(each) for key, each in value}


def _isNode(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, slicer.vtkMRMLNode)


def nodeClasses(hint: Any) -> tuple[type, ...]:
    """Returns the node classes of a type; empty if it is none of nodes only."""
    plain, _optional = withoutNone(hint)
    members = typing.get_args(plain) if typing.get_origin(plain) is typing.Union else (plain,)
    return tuple(members) if all(_isNode(member) for member in members) else ()


def makeSerializer(hint: Any, annotations: tuple[Any, ...] = ()) -> Serializer:
    """Returns what keeps values of this type.

    Raises:
        NotSupported: There is nothing for this type.
    """
    validators = [each for each in annotations if isinstance(each, Validator)]
    nodes = nodeClasses(hint)
    if nodes:
        return NodeSerializer(nodes, validators)
    plain, optional = withoutNone(hint)
    if optional:
        return OptionalSerializer(makeSerializer(plain, annotations))
    origin, arguments = typing.get_origin(plain), typing.get_args(plain)
    if origin in (list, tuple):
        return SequenceSerializer(origin, [makeSerializer(each) for each in arguments], validators)
    if origin is dict:
        return DictionarySerializer(makeSerializer(arguments[0]), makeSerializer(arguments[1]), validators)
    if plain in (str, bool, int, float, *_PATHS) or (isinstance(plain, type) and issubclass(plain, enum.Enum)):
        return Serializer(plain, validators)
    raise NotSupported(f"no way to keep a parameter of the type {hint}")
