"""What a reader made of a lesion or stone: the marks that a finding carries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, cast, get_args

from KidneySegLib.structures import BY_KEY, Side

ReadingState = Literal["found", "confirmed", "changed", "added", "dismissed"]

# Characters of a name: it must fit into a line of a report and a label in DICOM.
LONGEST_NAME = 48


@dataclass(frozen=True)
class Reading:
    """What a reader made of a lesion, stone or candidate that is listed.

    Attributes:
        state: ``found`` (by the network, or given with a label map; no reader spoke of it), ``confirmed`` (by a reader,
            as the network drew it), ``changed`` (by a reader, in outline or kind), ``added`` (by a reader), or of a
            candidate ``dismissed`` (a reader looked at it and made no finding of it).
        reader_name: what the reader calls it; "" if nothing.
        was: identifier that the network gave to it or to most of it, where that is another one, because its kind was
            changed, it was split off, or it was a candidate; the key of a kidney, such as ``kidney_right``, where a
            whole kidney was made this; None otherwise.
    """

    state: ReadingState = "found"
    reader_name: str = ""
    was: str | None = None

    @property
    def was_kidney(self) -> Side | None:
        """Side of the kidney of which a reader made this; None if it was no kidney."""
        was = BY_KEY.get(self.was or "")
        return was.side if was is not None else None

    def to_dict(self) -> dict[str, Any]:
        """Returns the marks as plain JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Reading:
        """Takes the marks out of a finding's values; findings of earlier versions have none.

        Raises:
            ValueError: they are none.
        """
        state, name, was = values.get("state", "found"), values.get("reader_name", ""), values.get("was")
        if state not in get_args(ReadingState) or not is_name(name) or not (was is None or isinstance(was, str)):
            raise ValueError("unknown marks of a reader")
        return cls(cast(ReadingState, state), name, was)


NOT_READ = Reading()


def is_name(text: object) -> bool:
    """Whether a text can be a reader's name of a finding: one short line."""
    return isinstance(text, str) and len(text) <= LONGEST_NAME and text.isprintable()
