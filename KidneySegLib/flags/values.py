"""Kinds of values that flags have, and how each is shown in a language.

Values are what JSON holds: numbers, words of a list, and lists and mappings of such. They are created without any
rounding for display; how many decimals make sense is a matter of the kind.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from KidneySegLib.languages.language import N_, Language
from KidneySegLib.languages.words import ENDS, SIDES

HEADER = "header-"


class ValueKind(Protocol):
    """What a value is."""

    @property
    def told(self) -> str:
        """Unit or meaning, for the reference of flags."""

    def shown(self, value: Any, language: Language) -> str:
        """Returns the value as it stands in a sentence."""

    def by_header(self, value: Any) -> Any:
        """Returns the value where sides are the header's only: ``right`` becomes ``header-right``."""


class WithoutSide:
    """A value that names no side."""

    def by_header(self, value: Any) -> Any:
        """Returns the value itself."""
        return value


@dataclass(frozen=True)
class Number(WithoutSide):
    """A number.

    Attributes:
        told: its unit, or what is counted.
        digits: decimals.
    """

    told: str
    digits: int = 0

    def shown(self, value: Any, language: Language) -> str:
        """Returns it with its decimals."""
        return language.number(value, self.digits)


@dataclass(frozen=True)
class Significant(WithoutSide):
    """A number as a header or a user gave it.

    Attributes:
        told: its unit.
        digits: significant digits at most.
    """

    told: str
    digits: int = 3

    def shown(self, value: Any, language: Language) -> str:
        """Returns it without zeros at its end."""
        return language.significant(value, self.digits)


@dataclass(frozen=True)
class Percent(WithoutSide):
    """A number of 0 to 1, shown in per cent."""

    told: str = "0 to 1"

    def shown(self, value: Any, language: Language) -> str:
        """Returns per cent."""
        return language.text(N_("{number}%")).format(number=language.number(100 * value))


@dataclass(frozen=True)
class Numbers(WithoutSide):
    """Several numbers, of which the first ten are shown.

    Attributes:
        told: their unit.
        digits: decimals.
    """

    told: str
    digits: int = 1

    def shown(self, value: Sequence[float], language: Language) -> str:
        """Returns a list; a semicolon stands between numbers that have a decimal comma."""
        shown = language.listed([language.number(number, self.digits) for number in value[:10]])
        return shown + (" ..." if len(value) > 10 else "")


@dataclass(frozen=True)
class Size(WithoutSide):
    """Voxels along the axes k, j, i."""

    told: str = "voxels along k, j, i"

    def shown(self, value: Sequence[int], language: Language) -> str:
        """Returns them with crosses between."""
        return "×".join(language.number(number) for number in value)


@dataclass(frozen=True)
class Name(WithoutSide):
    """A name that is the same in all languages.

    Attributes:
        told: of what.
    """

    told: str

    def shown(self, value: str, language: Language) -> str:  # noqa: ARG002
        """Returns it."""
        return str(value)


@dataclass(frozen=True)
class Names(WithoutSide):
    """Several names that are the same in all languages.

    Attributes:
        told: of what.
    """

    told: str

    def shown(self, value: Sequence[str], language: Language) -> str:
        """Returns a list."""
        return language.listed([str(name) for name in value])


@dataclass(frozen=True)
class Word(WithoutSide):
    """A word or clause of a list.

    Attributes:
        words: the texts by value.
        named: the meaning of the value, where the list of all would be too long.
    """

    words: Mapping[str, str]
    named: str = ""

    @property
    def told(self) -> str:
        """The list, or its name."""
        return self.named or ", ".join(f"`{word}`" for word in self.words)

    def shown(self, value: str, language: Language) -> str:
        """Returns the text of the value."""
        return language.text(self.words[value])


@dataclass(frozen=True)
class SideWord:
    """A side: the patient's, or the header's where the anatomy contradicts the header.

    Attributes:
        words: the texts by value.
    """

    words: Mapping[str, str] = field(default_factory=lambda: SIDES)
    told: str = "`right` or `left`, `header-right` or `header-left` where the anatomy contradicts the header"

    def shown(self, value: str, language: Language) -> str:
        """Returns the word of the side."""
        return language.text(self.words[value])

    def by_header(self, value: str) -> str:
        """Returns the header's side."""
        return header_word(value)


def header_word(word: str) -> str:
    """Returns ``header-right`` for ``right``, ``header-right side`` for ``right side``, and so on."""
    return HEADER + word if word.startswith(("right", "left")) else word


@dataclass(frozen=True)
class Said(WithoutSide):
    """A word that is said or not.

    Attributes:
        text: the word, with the blank after it.
    """

    text: str
    told: str = "`true` or `false`"

    def shown(self, value: bool, language: Language) -> str:
        """Returns the word or nothing."""
        return language.text(self.text) if value else ""


@dataclass(frozen=True)
class AllOf(WithoutSide):
    """Several words or clauses, joined by "and".

    Attributes:
        words: the texts by value.
    """

    words: Mapping[str, str]

    @property
    def told(self) -> str:
        """The list of words."""
        return "list of " + ", ".join(f"`{word}`" for word in self.words)

    def shown(self, value: Sequence[str], language: Language) -> str:
        """Returns them joined."""
        return joined([language.text(self.words[word]) for word in value], language)


@dataclass(frozen=True)
class Ends:
    """Ends of the image that a body reaches."""

    told: str = "list of " + ", ".join(f"`{end}`" for end in ENDS)

    def shown(self, value: Sequence[str], language: Language) -> str:
        """Returns them joined."""
        the_end = language.text(N_("the {end}"))
        return joined([the_end.format(end=language.text(ENDS[end])) for end in value], language)

    def by_header(self, value: Sequence[str]) -> tuple[str, ...]:
        """Returns the ends with the header's sides."""
        return tuple(header_word(end) for end in value)


def joined(words: Sequence[str], language: Language) -> str:
    """Returns words with "and" between them."""
    text = words[0]
    for word in words[1:]:
        text = language.text(N_("{one} and {other}")).format(one=text, other=word)
    return text
