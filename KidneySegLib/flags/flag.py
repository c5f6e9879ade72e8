"""A remark for the reader of a result, as data: what is told, how severe it is, and its values.

A flag is raised where something was repaired, assumed or left out, or where a result needs a look. Which flags there
are, with their severity, values and sentences, stands in ``flags.catalogue``. Values never hold a patient's name,
identifier or birth date, nor a path.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from numbers import Integral, Real
from typing import Any

from KidneySegLib.flags.catalogue import CATALOGUE
from KidneySegLib.flags.kinds import Severity
from KidneySegLib.languages.language import Language

# The one value of a flag whose sentence is all that is known, because an earlier or later version wrote it.
TEXT = "text"
_DECIMALS = 6  # of numbers in files


@dataclass(frozen=True)
class Flag:
    """One remark.

    Attributes:
        code: stable identifier for programs, lower case with underscores, such as ``missing_slices``.
        severity: info (nothing to do), warning (look at it), error (the result is not to be relied on).
        values: what the sentence is filled with, by name, such as ``{"side": "right"}``; see the reference of flags.
        message: the sentence in English.

    Example:
        >>> Flag.of("thick_slices", spacing_mm=8).message[:27]
        'The slices are 8.0 mm apart'
    """

    code: str
    severity: Severity
    values: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Makes plain values of numpy's, tuples of lists, and keeps six decimals."""
        object.__setattr__(self, "values", {name: _plain(value) for name, value in self.values.items()})

    @classmethod
    def of(cls, code: str, **values: Any) -> Flag:
        """Returns the flag of the catalogue with this code.

        Args:
            code: a key of ``CATALOGUE``.
            values: those of one of its sentences.

        Raises:
            KeyError: the catalogue has no such code.
            ValueError: the values are those of none of its sentences.
        """
        flag = cls(code, CATALOGUE[code].severity, values)
        CATALOGUE[code].sentence(flag.values)
        return flag

    @property
    def message(self) -> str:
        """The sentence in English."""
        return self.said(Language.of("en"))

    def said(self, language: Language) -> str:
        """Returns the sentence in a language.

        Raises:
            KeyError, ValueError: the values are none of the catalogue's.
        """
        if TEXT in self.values:
            return str(self.values[TEXT])
        return CATALOGUE[self.code].said(self.values, language)

    def by_header(self) -> Flag:
        """Returns the flag with sides that are the header's only, as ``header-right`` for ``right``."""
        if TEXT in self.values:
            return self
        kinds = CATALOGUE[self.code].values
        return replace(
            self,
            values={
                name: kinds[name].by_header(value) if name in kinds else value for name, value in self.values.items()
            },
        )

    def to_dict(self) -> dict[str, Any]:
        """Returns the flag as JSON values, with its sentence in English for readers without the catalogue."""
        return {
            "code": self.code,
            "severity": self.severity.value,
            "values": dict(self.values),
            "message": self.message,
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Flag:
        """Takes what ``to_dict`` returned.

        A flag without values, from an earlier version, or with values that this catalogue does not know, keeps its
        sentence as it is.

        Raises:
            KeyError: a field is missing.
            ValueError: the severity is unknown.
        """
        code, severity = str(stored["code"]), Severity(stored["severity"])
        if isinstance(stored.get("values"), Mapping):
            flag = cls(code, severity, stored["values"])
            try:
                flag.message  # noqa: B018  (whether the catalogue knows how to say it)
            except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError):
                pass
            else:
                return flag
        return cls(code, severity, {TEXT: str(stored["message"])})


def flags_as_json(flags: Sequence[Flag]) -> str:
    """Returns flags as a JSON list, as they stand in ``findings.json``."""
    return json.dumps([flag.to_dict() for flag in flags])


def flags_from_json(text: str) -> list[Flag]:
    """Takes what ``flags_as_json`` returned.

    Raises:
        ValueError: it is something else.
    """
    stored = json.loads(text)
    if not isinstance(stored, list):
        raise ValueError("no list of flags")
    try:
        return [Flag.from_dict(values) for values in stored]
    except (KeyError, TypeError) as error:
        raise ValueError("no list of flags") from error


def _plain(value: Any) -> Any:
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        return round(float(value), _DECIMALS) if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    return tuple(_plain(item) for item in value)
