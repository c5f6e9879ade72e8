"""Kinds of values that flags have, and how each is shown in a language.

Values are what JSON holds: numbers, words of a list, and lists and mappings of such. They are created without any
rounding for display; how many decimals make sense is a matter of the kind.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from KidneySegLib.languages.language import N_, Language
from KidneySegLib.languages.words import ENDS, POLES, SIDES, STRUCTURES

HEADER = "header-"


def _unchanged(value: Any) -> Any:
    return value


@dataclass(frozen=True)
class ValueKind:
    """What a value is.

    Attributes:
        told: unit or meaning, for the reference of flags.
        shown: takes a value and a language, and returns the value as it stands in a sentence.
        by_header: returns the value where sides are the header's only: ``right`` becomes ``header-right``.
        words: the texts by value, where values are words of a list.
    """

    told: str
    shown: Callable[[Any, Language], str]
    by_header: Callable[[Any], Any] = _unchanged
    words: Mapping[str, str] = field(default_factory=dict)


def number(told: str, digits: int = 0) -> ValueKind:
    """Returns the kind of a number in a unit, shown with so many decimals."""
    return ValueKind(told, lambda value, language: language.number(value, digits))


def significant(told: str, digits: int = 3) -> ValueKind:
    """Returns the kind of a number as a header or a user gave it, shown with so many significant digits at most."""
    return ValueKind(told, lambda value, language: language.significant(value, digits))


def numbers(told: str, digits: int = 1) -> ValueKind:
    """Returns the kind of several numbers, of which the first ten are shown."""

    def shown(value: Sequence[float], language: Language) -> str:
        listed = language.listed([language.number(number, digits) for number in value[:10]])
        return listed + (" ..." if len(value) > 10 else "")

    return ValueKind(told, shown)


def proper_name(told: str) -> ValueKind:
    """Returns the kind of a name that is the same in all languages."""
    return ValueKind(told, lambda value, _: str(value))


def proper_names(told: str) -> ValueKind:
    """Returns the kind of several names that are the same in all languages."""
    return ValueKind(told, lambda value, language: language.listed([str(name) for name in value]))


def word(words: Mapping[str, str]) -> ValueKind:
    """Returns the kind of a word or clause of a list."""
    told = ", ".join(f"`{word}`" for word in words)
    return ValueKind(told, lambda value, language: language.text(words[value]), words=words)


def all_of(words: Mapping[str, str]) -> ValueKind:
    """Returns the kind of several words or clauses of a list, which are joined by "and"."""

    def shown(value: Sequence[str], language: Language) -> str:
        return _joined([language.text(words[word]) for word in value], language)

    return ValueKind("list of " + ", ".join(f"`{word}`" for word in words), shown, words=words)


def said(text: str) -> ValueKind:
    """Returns the kind of a word, with the blank after it, that is said or not."""
    return ValueKind("`true` or `false`", lambda value, language: language.text(text) if value else "")


def side_word(words: Mapping[str, str] = SIDES) -> ValueKind:
    """Returns the kind of a side: the patient's, or the header's where the anatomy contradicts the header."""
    told = "`right` or `left`, `header-right` or `header-left` where the anatomy contradicts the header"
    return ValueKind(told, lambda value, language: language.text(words[value]), header_word, words)


def header_word(word: str) -> str:
    """Returns ``header-right`` for ``right``, ``header-right side`` for ``right side``, and so on."""
    return HEADER + word if word.startswith(("right", "left")) else word


def _joined(words: Sequence[str], language: Language) -> str:
    text = words[0]
    for word in words[1:]:
        text = language.text(N_("{one} and {other}")).format(one=text, other=word)
    return text


def _ends(value: Sequence[str], language: Language) -> str:
    the_end = language.text(N_("the {end}"))
    return _joined([the_end.format(end=language.text(ENDS[end])) for end in value], language)


def _finding(value: Mapping[str, Any], language: Language) -> str:
    """Returns a name such as ``Cyst C1 (right kidney, upper pole)``."""
    if value["pole"]:
        template = N_("{structure} {id} ({side} kidney, {pole})")
    elif value["structure"] == "stone":
        template = N_("{structure} {id} ({side} side)")
    else:
        template = N_("{structure} {id} ({side} kidney)")
    return language.text(template).format(
        structure=language.text(STRUCTURES[value["structure"]]),
        id=value["id"],
        side=language.text(SIDES[value["side"]]),
        pole=language.text(POLES[value["pole"]]) if value["pole"] else "",
    )


def _organ_volume(value: Mapping[str, float], language: Language) -> str:
    """Returns the volume, and that of the lesions where it matters."""
    some = value["lesions_ml"] >= 1
    template = N_("{total} ml, of which {lesions} ml are lesions") if some else N_("{total} ml")
    total, lesions = (language.number(value[key]) for key in ("total_ml", "lesions_ml"))
    return language.text(template).format(total=total, lesions=lesions)


PERCENT = ValueKind(
    "0 to 1", lambda value, language: language.text(N_("{number}%")).format(number=language.number(100 * value))
)
SIZE = ValueKind("voxels along k, j, i", lambda value, language: "×".join(language.number(axis) for axis in value))
# ends of the image that a body reaches
IMAGE_ENDS = ValueKind(
    "list of " + ", ".join(f"`{end}`" for end in ENDS), _ends, lambda value: tuple(header_word(end) for end in value)
)
# a mass, cyst or stone
FINDING = ValueKind(
    "`structure` (`mass`, `cyst`, `stone`), `id`, `side`, and `pole` (`upper`, `inter`, `lower`) or `null`",
    _finding,
    lambda value: {**value, "side": header_word(value["side"])},
)
# of a kidney with its lesions
ORGAN_VOLUME = ValueKind("`total_ml` and `lesions_ml` (of it)", _organ_volume)
