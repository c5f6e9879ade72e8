"""How a side is written: plainly, or as the header's where the anatomy contradicts the header.

``header-right`` is where the image's header says that the patient's right is. Everything that shows or stores a side
takes the word from here, so that none of them claims a side that is in doubt.
"""

from typing import Protocol

from KidneySegLib.structures import Side

HEADER = "header-"


class Sided(Protocol):
    """A finding that lies on a side."""

    @property
    def side(self) -> Side:
        """The side by the image's header."""

    @property
    def side_certain(self) -> bool:
        """Whether it is the patient's; the anatomy may contradict the header."""


def side_word(finding: Sided) -> str:
    """Returns ``right`` or ``left``, or ``header-right`` or ``header-left`` where the sides are in doubt."""
    return word_of(finding.side, certain=finding.side_certain)


def word_of(side: Side, *, certain: bool) -> str:
    """Returns a side as a word."""
    return side.value if certain else HEADER + side.value


def read_side(word: str) -> tuple[Side, bool]:
    """Returns the side that a word means, and whether it is certain.

    Raises:
        ValueError: it is not a side.
    """
    return Side(word.removeprefix(HEADER)), not word.startswith(HEADER)
