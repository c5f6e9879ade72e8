"""What the catalogue says of one flag: how severe it is, its values, its sentences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from string import Formatter
from types import MappingProxyType
from typing import Any

from KidneySegLib.flags.findings import FindingName, OrganVolume
from KidneySegLib.flags.series import SeriesList, SeriesName
from KidneySegLib.flags.values import Ends, Name, Number, Percent, Said, SideWord, ValueKind
from KidneySegLib.languages.language import MINUS, N_, Language

_UNITS = {"mm": "mm", "mm2": "mm²", "ml": "ml", "hu": "HU", "degrees": "degrees"}
_USUAL: dict[str, ValueKind] = {
    "side": SideWord(),
    "ends": Ends(),
    "lesion": FindingName(),
    "stone": FindingName(),
    "volume": OrganVolume(),
    "confidence": Percent(),
    "probably": Said(N_("probably ")),
    "series": SeriesName(),
    "others": SeriesList(),
}


def usual_kind(name: str) -> ValueKind:
    """Returns what a value is by the last part of its name, such as ``limit_mm`` or ``larger_volume``.

    Raises:
        KeyError: the name tells neither a usual value nor a unit.
    """
    word = name.rsplit("_", 1)[-1]
    return _USUAL[word] if word in _USUAL else Number(_UNITS[word])


class Severity(StrEnum):
    """How much a flag should worry the reader."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class _AnySentence:
    """What a sentence and a counted sentence have in common."""

    when: Mapping[str, Any] = MappingProxyType({})

    @property
    def texts(self) -> tuple[str, ...]:
        """The texts of the catalogues."""
        raise NotImplementedError

    @property
    def names(self) -> list[str]:
        """The values that a flag with this sentence has, in the order of the text."""
        return [*fields_of(self.texts[0]), *self.when]

    def fits(self, values: Mapping[str, Any]) -> bool:
        """Whether a flag with these values says this sentence."""
        return set(values) == set(self.names) and all(values[name] == value for name, value in self.when.items())


@dataclass(frozen=True)
class Sentence(_AnySentence):
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

    def template(self, values: Mapping[str, Any], language: Language) -> str:  # noqa: ARG002
        """Returns the sentence in a language, not filled in."""
        return language.text(self.text)


@dataclass(frozen=True)
class Counted(_AnySentence):
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

    def template(self, values: Mapping[str, Any], language: Language) -> str:
        """Returns the sentence in a language and number, not filled in."""
        return language.one_or_many(self.one, self.many, int(values[self.by]))


@dataclass(frozen=True)
class FlagKind:
    """One entry of the catalogue.

    Attributes:
        severity: of every flag with this code.
        sentences: which of them is said follows from the values that a flag has.
        values: what the values are, by name.
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


def info(*sentences: str | Sentence | Counted, **values: ValueKind) -> FlagKind:
    """Returns a flag that asks for nothing.

    Args:
        sentences: which of them is said follows from the values that a flag has.
        values: what the values are whose names do not tell it (``usual_values``).
    """
    return _kind(Severity.INFO, sentences, values)


def warning(*sentences: str | Sentence | Counted, **values: ValueKind) -> FlagKind:
    """Returns a flag that asks for a look; arguments as for ``info``."""
    return _kind(Severity.WARNING, sentences, values)


def error(*sentences: str | Sentence | Counted, **values: ValueKind) -> FlagKind:
    """Returns a flag by which the result is not to be relied on; arguments as for ``info``."""
    return _kind(Severity.ERROR, sentences, values)


def _kind(severity: Severity, given: Sequence[str | Sentence | Counted], values: dict[str, ValueKind]) -> FlagKind:
    sentences = tuple(Sentence(text) if isinstance(text, str) else text for text in given)
    choices: dict[str, dict[str, None]] = {}
    for sentence in sentences:
        for name, choice in sentence.when.items():
            choices.setdefault(name, {})[f"`{choice}`"] = None
    chosen = {name: Name(" or ".join(words)) for name, words in choices.items() if name not in values}
    names = dict.fromkeys(name for sentence in sentences for name in sentence.names)
    return FlagKind(severity, sentences, {name: (values | chosen).get(name) or usual_kind(name) for name in names})


def fields_of(text: str) -> list[str]:
    """Returns the names in braces, in their order."""
    return list(dict.fromkeys(name for _, name, _, _ in Formatter().parse(text) if name is not None))
