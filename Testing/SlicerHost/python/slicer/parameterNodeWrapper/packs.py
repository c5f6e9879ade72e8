"""Packs: a parameter that is a small class of parameters. `pack.member` of a wrapper writes to the node."""

from __future__ import annotations

import typing
from typing import Any

from .annotations import Default, annotation, splitAnnotated
from .serializers import Serializer, makeSerializer


class Member:
    """One typed attribute of a pack or a wrapper."""

    def __init__(self, name: str, hint: Any, owner: type) -> None:
        self.name = name
        self.hint = hint
        self.kind, annotations = splitAnnotated(hint)
        self.pack = self.kind if isParameterPack(self.kind) else None
        self.serializer: Serializer | None = None if self.pack else makeSerializer(self.kind, annotations)
        given = annotation(annotations, Default)
        if name in owner.__dict__:
            self._default = owner.__dict__[name]
        elif given is not None:
            self._default = given.value
        elif self.serializer is not None:
            self._default = self.serializer.default()
        else:
            self._default = None

    def default(self) -> Any:
        """Returns a default of its own for each parameter, so that nobody shares a list."""
        if self.pack is not None:
            return self._default if self._default is not None else self.pack()
        assert self.serializer is not None
        return self.serializer.check(self._default)


def members(kind: type) -> dict[str, Member]:
    """Returns the annotated attributes of a class and of its bases."""
    hints = typing.get_type_hints(kind, include_extras=True)
    return {name: Member(name, hint, kind) for name, hint in hints.items()}


def isParameterPack(kind: Any) -> bool:
    """Tells whether the class is a pack."""
    return isinstance(kind, type) and "_packMembers" in kind.__dict__


class _PackAttribute:
    """An attribute of a pack; it writes through to the parameter that the pack belongs to."""

    def __init__(self, member: Member) -> None:
        self._member = member

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self if instance is None else instance._values[self._member.name]

    def __set__(self, instance: Any, value: Any) -> None:
        member = self._member
        if member.serializer is not None:
            value = member.serializer.check(value)
        elif not isinstance(value, member.kind):
            raise TypeError(f"{value!r} is no {member.kind.__name__}")
        instance._values[member.name] = value
        if instance._onChange is not None:
            instance._onChange()


def parameterPack(kind: type | None = None) -> Any:
    """Class decorator that makes a pack of the annotated attributes."""
    if kind is None:
        return parameterPack
    found = members(kind)

    def initialise(self: Any, *values: Any, **named: Any) -> None:
        unknown = set(named) - set(found)
        if unknown or len(values) > len(found):
            raise TypeError(f"{kind.__name__} has the members {', '.join(found)}")
        given = dict(zip(found, values, strict=False)) | named
        self._onChange = None
        self._values = {}
        for name, member in found.items():
            setattr(self, name, given.get(name, member.default()))

    def equal(self: Any, other: Any) -> bool:
        return isinstance(other, kind) and bool(self._values == other._values)

    attributes: dict[str, Any] = {"_packMembers": found, "__init__": initialise, "__eq__": equal, "__hash__": None}
    attributes["getValue"] = getattr
    attributes["setValue"] = setattr
    for name, value in (attributes | {name: _PackAttribute(member) for name, member in found.items()}).items():
        setattr(kind, name, value)
    return kind
