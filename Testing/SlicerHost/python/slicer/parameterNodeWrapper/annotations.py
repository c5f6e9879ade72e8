"""What stands beside a type in `Annotated[type, ...]`: a default, limits, and how a widget steps."""

from __future__ import annotations

import abc
import types
import typing
from dataclasses import dataclass
from typing import Any


class Validator(abc.ABC):
    """Refuses values with a ValueError."""

    @abc.abstractmethod
    def validate(self, value: Any) -> None:
        """Raises ValueError if the value is not allowed."""


@dataclass(frozen=True)
class Default:
    """The value of a parameter that was never set."""

    value: Any


@dataclass(frozen=True)
class Decimals:
    """Decimals of a connected spin box or slider."""

    value: int


@dataclass(frozen=True)
class SingleStep:
    """Step of a connected spin box or slider."""

    value: float


@dataclass(frozen=True)
class WithinRange(Validator):
    """From minimum to maximum, both included."""

    minimum: float
    maximum: float

    def validate(self, value: Any) -> None:
        if not self.minimum <= value <= self.maximum:
            raise ValueError(f"Value must be within range [{self.minimum}, {self.maximum}], but is {value}")


@dataclass(frozen=True)
class Minimum(Validator):
    """Not below."""

    minimum: float

    def validate(self, value: Any) -> None:
        if value < self.minimum:
            raise ValueError(f"Value must be >= {self.minimum}, but is {value}")


@dataclass(frozen=True)
class Maximum(Validator):
    """Not above."""

    maximum: float

    def validate(self, value: Any) -> None:
        if value > self.maximum:
            raise ValueError(f"Value must be <= {self.maximum}, but is {value}")


@dataclass(frozen=True)
class Choice(Validator):
    """One of the given values."""

    choices: Any

    def validate(self, value: Any) -> None:
        if value not in self.choices:
            raise ValueError(f"Value must be one of {list(self.choices)}, but is {value!r}")


def splitAnnotated(hint: Any) -> tuple[Any, tuple[Any, ...]]:
    """Returns the plain type and what is annotated."""
    if typing.get_origin(hint) is typing.Annotated:
        return hint.__origin__, hint.__metadata__
    return hint, ()


def withoutNone(hint: Any) -> tuple[Any, bool]:
    """Returns the type without None and whether None was allowed: `X | None`, `Optional[X]`."""
    if typing.get_origin(hint) not in (typing.Union, types.UnionType):
        return hint, False
    members = typing.get_args(hint)
    others = tuple(member for member in members if member is not type(None))
    return (others[0] if len(others) == 1 else typing.Union[others]), len(others) < len(members)  # noqa: UP007


def annotation(annotations: tuple[Any, ...], kind: type) -> Any:
    """Returns the first annotation of a kind, or None."""
    return next((each for each in annotations if isinstance(each, kind)), None)
