"""Spellings: one form for all ways in which a name, a number or a date may be written."""

import re
import unicodedata
from collections.abc import Iterator
from datetime import date
from functools import lru_cache

from KidneySegLib.errors import ResourceError

# Where a letter has become two: Müller is written Mueller or Muller, Ørsted Oersted or Orsted.
_TWO_LETTERS = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe", "æ": "ae", "œ": "oe", "ß": "ss", "ð": "dh", "þ": "th"}
)
_APOSTROPHES = dict.fromkeys(map(ord, "'`´ʼ‘’"), "")
_CALENDAR_SIGNS = dict.fromkeys(map(ord, "年月日년월일"), " ")
_NO_WORD = re.compile(r"[\W_]+")
_KANA = re.compile(r"[\u3040-\u30ff]")
_LONG_VOWELS = (("ou", "o"), ("oo", "o"), ("uu", "u"))
# First letters of the months in English, German, French, Spanish, Italian, Portuguese, Turkish
_MONTHS = (
    "jan ene gen oca",
    "feb fev sub",
    "mar mrz mae",
    "apr avr abr nis",
    "may mai mag",
    "jun jui giu haz",
    "jul jui lug tem",
    "aug aou ago agu",
    "sep set eyl",
    "oct okt ott out eki",
    "nov kas",
    "dec dez dic ara",
)
_BUDDHIST_YEARS = 543
# Japanese eras: the letter and the year before the first
_ERAS = {"m": 1867, "t": 1911, "s": 1925, "h": 1988, "r": 2018}


@lru_cache(maxsize=4096)
def words(text: str) -> tuple[str, str]:
    """Returns a text as lower-case ASCII words with one blank between them, with one and with two letters for ä, ö, ü.

    Letters of other scripts are transliterated sign by sign.

    Raises:
        ResourceError: the package that transliterates is not installed.
    """
    plain = normal(text).translate(_APOSTROPHES).translate(_CALENDAR_SIGNS)
    one, two = _ascii(plain), _ascii(plain.translate(_TWO_LETTERS))
    return _NO_WORD.sub(" ", one).strip(), _NO_WORD.sub(" ", two).strip()


def normal(text: str) -> str:
    """Returns a text without differences of case and of width (half-width kana, full-width Latin letters)."""
    return unicodedata.normalize("NFKC", text.casefold()).casefold()


def squeezed(text: str) -> str:
    """Returns a text's letters and digits, lower-case ASCII, with nothing between them."""
    return words(text)[0].replace(" ", "")


def name_forms(part: str) -> set[str]:
    """Returns how a part of a name may be written in ASCII, lower-case."""
    forms = {form for form in words(part) if form}
    if _KANA.search(unicodedata.normalize("NFKC", part)):
        for long, short in _LONG_VOWELS:
            forms |= {form.replace(long, short) for form in forms}
    return forms


def other_decoding(text: str) -> str | None:
    """Returns a text that was UTF-8 and was read as Latin-1, as it was meant; None where it was not."""
    try:
        meant = text.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return None
    return meant if meant != text else None


def date_patterns(day: date, *, short_years: bool) -> Iterator[str]:
    """Yields regular expressions that find a date in ``words``.

    Args:
        day: the date.
        short_years: whether years of two digits count, and other calendars.
    """
    year, month, number = rf"{day.year}", rf"0?{day.month}", rf"0?{day.day}"
    padded = (f"{day.year}", f"{day.month:02d}", f"{day.day:02d}")
    name = rf"(?:{'|'.join(_MONTHS[day.month - 1].split())})[a-z]*"
    yield "".join(padded)
    years = [year]
    if short_years:
        years += [f"{day.year % 100:02d}", str(day.year + _BUDDHIST_YEARS)]
        yield from _short(day)
    for y in years:
        for order in ((y, month, number), (number, month, y), (month, number, y)):
            yield rf"(?<!\d){' '.join(order)}(?!\d)"
        yield rf"(?<!\d){number} ?(?:st|nd|rd|th|er)? ?(?:de |of |d)?{name} ?(?:de |del )?{y}(?!\d)"
        yield rf"{name} ?{number}(?:st|nd|rd|th)? ?{y}(?!\d)"
        yield rf"(?<!\d){y} ?{name} ?{number}(?!\d)"
    yield rf"(?<!\d)(?:{padded[2]}{padded[1]}|{padded[1]}{padded[2]}){year}(?!\d)"


def _short(day: date) -> Iterator[str]:
    y, m, d = f"{day.year % 100:02d}", f"{day.month:02d}", f"{day.day:02d}"
    yield rf"(?<!\d)(?:{y}{m}{d}|{d}{m}{y}|{m}{d}{y})(?!\d)"
    for letter, before in _ERAS.items():
        if 0 < day.year - before < 100:
            yield rf"\b{letter} ?0?{day.year - before} ?0?{day.month} ?0?{day.day}(?!\d)"


def _ascii(text: str) -> str:
    if text.isascii():
        return text
    try:
        from anyascii import anyascii
    except ImportError as error:
        raise ResourceError(
            "De-identification needs the package anyascii. Install it in the folder of KidneySeg: pip install -e "
            "'.[deidentification]'."
        ) from error
    return anyascii(text).casefold()
