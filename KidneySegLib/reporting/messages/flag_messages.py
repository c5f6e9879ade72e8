"""Flags in the report's language.

A flag carries its English sentence with words and numbers filled in. A message that fits one of ``flag_sentences`` is
translated and filled again, its words and numbers in the report's language; one that fits none stays English.
"""

from __future__ import annotations

import re
from functools import cache

from KidneySegLib.reporting.messages.flag_sentences import PARTS, SENTENCES
from KidneySegLib.reporting.messages.translations import N_, Language
from KidneySegLib.reporting.messages.vocabulary import (
    ENDS,
    KIDNEY_OF,
    PHASES,
    POLES,
    SERIES_WORDS,
    SIDES,
    STRUCTURES,
    STRUCTURES_IN_TEXT,
)

PROBABLY = N_("probably ")
_WORDS = {
    PROBABLY,
    *SERIES_WORDS,
    *(
        word
        for group in (KIDNEY_OF, SIDES, POLES, STRUCTURES, STRUCTURES_IN_TEXT, ENDS, PHASES)
        for word in group.values()
    ),
}
_NUMBER = re.compile(r"-?\d+(\.\d+)?%?(, -?\d+(\.\d+)?)*( \.\.\.)?")


def translate(message: str, language: Language) -> str:
    """Returns a flag's message in the report's language, or as it is where no sentence fits."""
    if language.code == "en":
        return message
    for sentence in SENTENCES:
        filled = _refilled(message, sentence, language)
        if filled is not None:
            return language.capitalised(filled)
    return message


def is_known(message: str) -> bool:
    """Whether a message fits one of the sentences."""
    return any(_pattern(sentence).fullmatch(message) for sentence in SENTENCES)


def _refilled(text: str, sentence: str, language: Language) -> str | None:
    """Returns the translated sentence with what ``text`` has in its fields, or None if the text does not fit."""
    found = _pattern(sentence).fullmatch(text)
    if found is None:
        return None
    fields = {name: _field(value, language) for name, value in found.groupdict().items()}
    return language.text(sentence).format(**fields)


def _field(value: str, language: Language) -> str:
    """Returns what stands in a field: a word, a number, or a part of a sentence."""
    if _NUMBER.fullmatch(value):
        return language.localised(value)
    if value in _WORDS:
        return language.text(value)
    parts = (_refilled(value, part, language) for part in PARTS)
    return next((part for part in parts if part is not None), value)


@cache
def _pattern(sentence: str) -> re.Pattern[str]:
    """Returns an expression whose groups are the sentence's fields.

    ``probably`` may be left out, and an identifier is one word, unlike the structure's name before it.
    """
    escaped = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>.+?)", re.escape(sentence))
    for name, pattern in (("probably", "(?:probably )?"), ("id", r"\S+")):
        escaped = escaped.replace(f"(?P<{name}>.+?)", f"(?P<{name}>{pattern})")
    return re.compile(escaped)
