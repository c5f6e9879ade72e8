"""Flags: what a reader of the result should know about the input or the result.

A flag is raised where something was repaired, assumed or left out, or where a result needs a look. Its text is written
for a radiologist and never holds a patient's name, identifier or birth date, nor a path.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How much a flag should worry the reader."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True)
class Flag:
    """One remark.

    Attributes:
        code: stable identifier for programs, lower case with underscores, such as ``missing_slices``.
        severity: info (nothing to do), warning (look at it), error (the result is not to be relied on).
        message: a plain sentence for the user.
    """

    code: str
    severity: Severity
    message: str

    def to_dict(self) -> dict[str, str]:
        """Returns the flag as plain JSON values."""
        return {"code": self.code, "severity": self.severity.value, "message": self.message}

    @classmethod
    def from_dict(cls, values: dict[str, str]) -> Flag:
        """Takes what ``to_dict`` returned.

        Raises:
            KeyError: a field is missing.
            ValueError: the severity is unknown.
        """
        return cls(values["code"], Severity(values["severity"]), values["message"])


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
