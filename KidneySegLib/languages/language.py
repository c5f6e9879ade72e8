"""Languages of reports and flags: words through gettext catalogues, numbers and dates by their own conventions.

English is the language of the code, so it needs no catalogue. The others lie in
``Resources/Translations/<language>/LC_MESSAGES``. ``Testing/Python/languages/translatable_texts.py`` finds the texts of
the code (literals, so none stand in f-strings); after a change of a ``.po`` file, ``pybabel compile -D kidneyseg -d
Resources/Translations`` makes the ``.mo`` file that is read at run time.
"""

from __future__ import annotations

import gettext
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from string import Formatter
from typing import Any

from KidneySegLib.errors import InputError
from KidneySegLib.resources import resource_folder

DOMAIN = "kidneyseg"
# Names the language of errors and progress of the command line; Slicer's module sets it to Slicer's.
VARIABLE = "KIDNEYSEG_LANGUAGE"
# Decimal sign of each language; digits are not grouped, as the SI brochure (5.4.4) has it for up to four of them.
DECIMAL_SIGNS = {"en": ".", "es": ",", "tr": ","}
MINUS, NOT_KNOWN = "−", "–"


def N_(message: str) -> str:  # noqa: N802  (the name that extraction tools know)
    """Marks a text for the catalogues where it stands, without translating it there."""
    return message


MONTHS = (
    N_("January"),
    N_("February"),
    N_("March"),
    N_("April"),
    N_("May"),
    N_("June"),
    N_("July"),
    N_("August"),
    N_("September"),
    N_("October"),
    N_("November"),
    N_("December"),
)


def check_language(code: str) -> None:
    """Refuses a language that reports do not come in.

    Raises:
        InputError: it does not.
    """
    if code not in DECIMAL_SIGNS:
        raise InputError(
            "The report is available in {languages}. Choose one of them.", languages=", ".join(DECIMAL_SIGNS)
        )


@dataclass(frozen=True)
class Language:
    """One language.

    Attributes:
        code: ISO 639-1 code, such as ``es``.
        catalogue: its translations.
    """

    code: str
    catalogue: gettext.NullTranslations

    @classmethod
    def of(cls, code: str) -> Language:
        """Returns the language with this code.

        Raises:
            InputError: the report does not speak it.
        """
        check_language(code)
        if code == "en":
            return cls(code, gettext.NullTranslations())
        try:
            return cls(code, gettext.translation(DOMAIN, resource_folder() / "Translations", [code]))
        except OSError as error:
            raise InputError("The report's translations are missing. Install KidneySeg again.") from error

    @classmethod
    def of_environment(cls) -> Language:
        """Returns the language that the environment names; English if it names none that there is."""
        code = os.environ.get(VARIABLE, "")
        return cls.of(code if code in DECIMAL_SIGNS else "en")

    def text(self, message: str) -> str:
        """Returns the translation of a text."""
        return self.catalogue.gettext(message) if message else ""

    def filled(self, sentence: str, values: Mapping[str, object]) -> str:
        """Returns the translation of a sentence with its fields filled in.

        Numbers get the language's decimal sign; of words, those that the catalogue knows are translated.
        """
        return _Filling(self).format(self.text(sentence), **values) if values else self.text(sentence)

    def plural(self, one: str, many: str, count: int) -> str:
        """Returns the translation of a text that depends on a number, with ``{n}`` filled in."""
        return self.one_or_many(one, many, count).format(n=count)

    def one_or_many(self, one: str, many: str, count: int) -> str:
        """Returns the translation of a text that depends on a number, not filled in."""
        return self.catalogue.ngettext(one, many, count)

    def number(self, value: float | None, digits: int = 0, *, signed: bool = False) -> str:
        """Returns a number with this many decimals, or a dash where it is not known.

        Args:
            value: the number; None or NaN if it is not known.
            digits: number of decimals.
            signed: whether a plus sign is written.
        """
        if value is None or not math.isfinite(value):
            return NOT_KNOWN
        text = f"{value:{'+' if signed else ''}.{digits}f}"
        if float(text) == 0:
            text = text.lstrip("+-")
        return self._written(text)

    def significant(self, value: float, digits: int) -> str:
        """Returns a number with at most this many significant digits, without zeros at its end."""
        return self._written(f"{value:.{digits}g}")

    def listed(self, numbers: Sequence[str]) -> str:
        """Returns written numbers or names in a row."""
        return (", " if DECIMAL_SIGNS[self.code] == "." else "; ").join(numbers)

    def _written(self, text: str) -> str:
        return text.replace("-", MINUS).replace(".", DECIMAL_SIGNS[self.code])

    def capitalised(self, text: str) -> str:
        """Returns a sentence with a capital first letter."""
        first = "İ" if self.code == "tr" and text[:1] == "i" else text[:1].upper()
        return first + text[1:]

    def date(self, day: date) -> str:
        """Returns a date in words, so that no reader takes the month for the day."""
        return self.text("{day} {month} {year}").format(
            day=day.day, month=self.text(MONTHS[day.month - 1]), year=day.year
        )


class _Filling(Formatter):
    """Fills fields as ``str.format`` does, in a language."""

    def __init__(self, language: Language) -> None:
        self._language = language

    def format_field(self, value: Any, format_spec: str) -> str:
        """Returns a value as it is written in a sentence."""
        if isinstance(value, str):
            value = self._language.text(value)
        text = str(super().format_field(value, format_spec))
        return text.replace(".", DECIMAL_SIGNS[self._language.code]) if isinstance(value, float) else text
