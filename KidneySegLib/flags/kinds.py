"""What the catalogue says of one flag: how severe it is, its values, its sentences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from string import Formatter
from typing import Any

from KidneySegLib.flags.values import ValueKind
from KidneySegLib.languages.language import MINUS, Language


class Severity(StrEnum):
    """How much a flag should worry the reader."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True)
class Sentence:
    """A sentence with fields for values, in English; a text of the catalogues of all languages.

    Attributes:
        text: the sentence; a field is the name of a value in braces.
        when: values, not shown, that a flag must have for this sentence.
    """

    text: str
    when: Mapping[str, Any] = field(default_factory=dict)

    @property
    def texts(self) -> tuple[str, ...]:
        """The texts of the catalogues."""
        return (self.text,)

    @property
    def names(self) -> frozenset[str]:
        """The values that a flag with this sentence has."""
        return frozenset(fields_of(self.texts[0])) | frozenset(self.when)

    def fits(self, values: Mapping[str, Any]) -> bool:
        """Whether a flag with these values says this sentence."""
        return set(values) == self.names and all(values[name] == value for name, value in self.when.items())

    def template(self, values: Mapping[str, Any], language: Language) -> str:  # noqa: ARG002
        """Returns the sentence in a language, not filled in."""
        return language.text(self.text)


@dataclass(frozen=True)
class Counted:
    """A sentence that depends on a number, in English; a text of the catalogues with plural forms.

    Attributes:
        one: the sentence for 1.
        many: the sentence for other numbers.
        by: name of the value that is counted.
    """

    one: str
    many: str
    by: str = "count"

    @property
    def texts(self) -> tuple[str, ...]:
        """The texts of the catalogues."""
        return (self.one, self.many)

    @property
    def names(self) -> frozenset[str]:
        """The values that a flag with this sentence has."""
        return frozenset(fields_of(self.one))

    def fits(self, values: Mapping[str, Any]) -> bool:
        """Whether a flag with these values says this sentence."""
        return set(values) == self.names

    def template(self, values: Mapping[str, Any], language: Language) -> str:
        """Returns the sentence in a language and number, not filled in."""
        return language.one_or_many(self.one, self.many, int(values[self.by]))


@dataclass(frozen=True)
class FlagKind:
    """One entry of the catalogue.

    Attributes:
        severity: of every flag with this code.
        sentences: which of them is said follows from the values that a flag has.
        values: what the values are, by name; names tell the unit (``_mm``, ``_ml``, ``_hu``).
    """

    severity: Severity
    sentences: tuple[Sentence | Counted, ...]
    values: Mapping[str, ValueKind] = field(default_factory=dict)

    def sentence(self, values: Mapping[str, Any]) -> Sentence | Counted:
        """Returns the sentence for these values.

        Raises:
            ValueError: there is none.
        """
        for sentence in self.sentences:
            if sentence.fits(values):
                return sentence
        raise ValueError(f"no sentence has just the values {sorted(values)}")

    def said(self, values: Mapping[str, Any], language: Language) -> str:
        """Returns the sentence in a language, filled in by its conventions.

        Raises:
            ValueError: there is none for these values.
        """
        template = self.sentence(values).template(values, language)
        shown = {name: self.values[name].shown(values[name], language) for name in fields_of(template)}
        text = language.capitalised(template.format(**shown))
        # English sentences also go to terminals and logs, whose encodings may lack the minus sign
        return text.replace(MINUS, "-") if language.code == "en" else text


def fields_of(text: str) -> set[str]:
    """Returns the names in braces."""
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}
