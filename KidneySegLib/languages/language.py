"""Languages of reports and flags: words through gettext catalogues, numbers and dates by their own conventions.

English is the language of the code, so it needs no catalogue. The others lie in
``Resources/Translations/<language>/LC_MESSAGES``. ``Testing/Python/languages/translatable_texts.py`` finds the texts of
the code (literals, so none stand in f-strings); after a change of a ``.po`` file, ``pybabel compile -D kidneyseg -d
Resources/Translations`` makes the ``.mo`` file that is read at run time.
"""

from __future__ import annotations

import gettext
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from KidneySegLib.errors import InputError
from KidneySegLib.resources import resource_folder

DOMAIN = "kidneyseg"
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
        raise InputError(f"The report is available in {', '.join(DECIMAL_SIGNS)}. Choose one of them.")


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

    def text(self, message: str) -> str:
        """Returns the translation of a text."""
        return self.catalogue.gettext(message) if message else ""

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
