"""How the parts of a bundle are declared: dataclasses whose fields pydantic checks when they are made.

A field that is unknown, missing, of another type or out of range is refused. Numbers are finite, and neither a text nor
true is a number.
"""

from typing import Annotated, Any, TypeVar, dataclass_transform

from pydantic import AfterValidator, AllowInfNan, ConfigDict, Field, Strict, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from KidneySegLib.bundles.header import one_line

T = TypeVar("T")

Number = Annotated[float, Strict(), AllowInfNan(False)]
Positive = Annotated[Number, Field(gt=0)]
Share = Annotated[Number, Field(ge=0, le=1)]
Whole = Annotated[int, Strict()]
Count = Annotated[Whole, Field(ge=1)]
Switch = Annotated[bool, Strict()]
Text = Annotated[str, Strict(), AfterValidator(one_line)]

_WORDS = {"unexpected_keyword_argument": "nothing reads this field", "missing": "it is missing"}
_LONGEST_REASON = 120


@dataclass_transform(frozen_default=True)
def declaration(kind: type[T]) -> type[T]:
    """Makes a frozen dataclass of a class; its fields are checked by their types."""
    make: Any = dataclass(frozen=True, config=ConfigDict(extra="forbid"))
    declared: type[T] = make(kind)
    return declared


def read_declaration(kind: type[T], data: Any) -> T:
    """Makes a declared object from JSON-like values.

    Raises:
        ValueError: they are not what is declared; the message says where, in words for a user.
    """
    try:
        return TypeAdapter(kind).validate_python(data)
    except ValidationError as error:
        raise ValueError(short_reason(error)) from error


def short_reason(error: Exception) -> str:
    """Returns what an error says in a few words of one line; it may quote what a hostile file holds."""
    said = str(error)
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        cause = first.get("ctx", {}).get("error")
        said = str(cause) if cause else _WORDS.get(first["type"], first["msg"][:1].lower() + first["msg"][1:])
        said = f"{where}: {said}" if where else said
    return "".join(letter if letter.isprintable() else " " for letter in said)[:_LONGEST_REASON].rstrip(" .")
