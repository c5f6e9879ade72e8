"""What the catalogue says of one flag: how severe it is, its values, its sentences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from string import Formatter
from typing import Any

from KidneySegLib.flags.series import SERIES, SERIES_LIST
from KidneySegLib.flags.values import (
    FINDING,
    IMAGE_ENDS,
    ORGAN_VOLUME,
    PERCENT,
    ValueKind,
    number,
    proper_name,
    said,
    side_word,
)
from KidneySegLib.languages.language import MINUS, N_, Language

_UNITS = {"mm": "mm", "mm2": "mm²", "ml": "ml", "hu": "HU", "degrees": "degrees"}
_USUAL: dict[str, ValueKind] = {
    "side": side_word(),
    "ends": IMAGE_ENDS,
    "lesion": FINDING,
    "stone": FINDING,
    "volume": ORGAN_VOLUME,
    "confidence": PERCENT,
    "probably": said(N_("probably ")),
    "series": SERIES,
    "others": SERIES_LIST,
}


def usual_kind(name: str) -> ValueKind:
    """Returns what a value is by the last part of its name, such as ``limit_mm`` or ``larger_volume``.

    Raises:
        KeyError: the name tells neither a usual value nor a unit.
    """
    word = name.rsplit("_", 1)[-1]
    return _USUAL[word] if word in _USUAL else number(_UNITS[word])


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
        many: where the sentence depends on a number: the text for other numbers than 1.
        by: name of the value that is counted.
    """

    text: str
    when: Mapping[str, Any] = field(default_factory=dict)
    many: str = ""
    by: str = "count"

    @property
    def texts(self) -> tuple[str, ...]:
        """The texts of the catalogues."""
        return (self.text, self.many) if self.many else (self.text,)

    @property
    def names(self) -> list[str]:
        """The values that a flag with this sentence has, in the order of the text."""
        return [*fields_of(self.text), *self.when]

    def fits(self, values: Mapping[str, Any]) -> bool:
        """Whether a flag with these values says this sentence."""
        return set(values) == set(self.names) and all(values[name] == value for name, value in self.when.items())

    def template(self, values: Mapping[str, Any], language: Language) -> str:
        """Returns the sentence in a language, and for a number, not filled in."""
        if self.many:
            return language.one_or_many(self.text, self.many, int(values[self.by]))
        return language.text(self.text)


def counted(one: str, many: str, by: str = "count") -> Sentence:
    """Returns a sentence that depends on a number: its text for 1, for other numbers, and the name of the number."""
    return Sentence(one, many=many, by=by)


@dataclass(frozen=True)
class FlagKind:
    """One entry of the catalogue.

    Attributes:
        severity: of every flag with this code.
        sentences: which of them is said follows from the values that a flag has.
        values: what the values are, by name.
    """

    severity: Severity
    sentences: tuple[Sentence, ...]
    values: Mapping[str, ValueKind] = field(default_factory=dict)

    def sentence(self, values: Mapping[str, Any]) -> Sentence:
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


def info(*sentences: str | Sentence, **values: ValueKind) -> FlagKind:
    """Returns a flag that asks for nothing.

    Args:
        sentences: which of them is said follows from the values that a flag has.
        values: what the values are whose names do not tell it (``usual_values``).
    """
    return _kind(Severity.INFO, sentences, values)


def warning(*sentences: str | Sentence, **values: ValueKind) -> FlagKind:
    """Returns a flag that asks for a look; arguments as for ``info``."""
    return _kind(Severity.WARNING, sentences, values)


def error(*sentences: str | Sentence, **values: ValueKind) -> FlagKind:
    """Returns a flag by which the result is not to be relied on; arguments as for ``info``."""
    return _kind(Severity.ERROR, sentences, values)


def _kind(severity: Severity, given: Sequence[str | Sentence], values: dict[str, ValueKind]) -> FlagKind:
    sentences = tuple(Sentence(text) if isinstance(text, str) else text for text in given)
    choices: dict[str, dict[str, None]] = {}
    for sentence in sentences:
        for name, choice in sentence.when.items():
            choices.setdefault(name, {})[f"`{choice}`"] = None
    chosen = {name: proper_name(" or ".join(words)) for name, words in choices.items() if name not in values}
    names = dict.fromkeys(name for sentence in sentences for name in sentence.names)
    return FlagKind(severity, sentences, {name: (values | chosen).get(name) or usual_kind(name) for name in names})


def fields_of(text: str) -> list[str]:
    """Returns the names in braces, in their order."""
    return list(dict.fromkeys(name for _, name, _, _ in Formatter().parse(text) if name is not None))
