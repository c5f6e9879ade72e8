"""Texts of headers made plain, to look known words up in them.

The texts themselves are never shown: they may hold names. Descriptions are typed by people, in any language and
spelling, so they are compared without accents, capitals and signs.
"""

import re
import unicodedata
from functools import lru_cache

LONGEST = 256  # characters that are looked at; DICOM allows 64 in a description (PS3.5 6.2)
_WITHOUT_CONTRAST = re.compile(r"(^|[\s_,;(])(C-|-C)(?=$|[\s_,;)])")  # "C-" loses its sign and with it its meaning
_SIGNS = re.compile(r"[^A-Z0-9]+")


@lru_cache(maxsize=4096)
def plain_words(text: str) -> str:
    """Returns capital letters A to Z and digits with single spaces between words.

    >>> plain_words("Üst batın, venöz-faz (70s)")
    'UST BATIN VENOZ FAZ 70S'
    """
    capitals = _WITHOUT_CONTRAST.sub(r"\1 NONCONTRAST ", text[:LONGEST].upper())
    return _SIGNS.sub(" ", _without_accents(capitals)).strip()


def _without_accents(text: str) -> str:
    return "".join(letter for letter in unicodedata.normalize("NFKD", text) if not unicodedata.combining(letter))


def any_word(listed: str) -> re.Pattern[str]:
    """Returns an expression that finds any of the listed words in plain text.

    Args:
        listed: regular expressions, separated by semicolons. Each stands for a whole word, which digits may follow;
            with ``*`` at its end for the beginning of one, with ``*`` at both ends for any part of one.
    """
    return re.compile("|".join(_one_word(item.strip()) for item in listed.split(";")))


def _one_word(item: str) -> str:
    begin, end = r"(?<![A-Z])", r"(?![A-Z])"
    if item.startswith("*"):
        begin, item = "", item[1:]
    if item.endswith("*"):
        end, item = "", item[:-1]
    return f"{begin}(?:{item}){end}"


OTHER = "unknown objects"
# Defined terms, retired ones too
_TERMS = """
    ANN AR ASMT AS AU BDUS BI BMD CD CF CP CR CS CT CTPROTOCOL DD DF DG DM DMS DOC DS DX EC ECG EEG EMG EOG
    EPS ES FA FID FS GM HC HD IO IOL IVOCT IVUS KER KO LEN LP LS MA MG MR MS M3D NM OAM OCT OP OPM OPR OPT
    OPTBSV OPTENF OPV OSS OT PA PLAN POS PR PT PX REG RESP RF RG RTDOSE RTIMAGE RTINTENT RTPLAN RTRAD RTRECORD
    RTSEGANN RTSTRUCT RWV SEG SM SMR SR SRF ST STAIN TEXTUREMAP TG US VA VF XA XAPROTOCOL XC XRDX
"""
_KNOWN = frozenset(_TERMS.split())


def known_modality(value: str) -> str:
    """Returns a modality in upper case; "" where none is stated, and no word of the header where it is not known."""
    term = value.strip().upper()
    return term if not term or term in _KNOWN else OTHER
