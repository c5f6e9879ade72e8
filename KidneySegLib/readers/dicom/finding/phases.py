"""In which contrast phase a series was taken, by the words and times of its headers.

What the image itself shows is judged later, from the kidneys (see ``analysis.phase``).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum
from functools import lru_cache

from KidneySegLib.readers.dicom.finding.words import any_word, plain_words

_DAY = 86400.0
_LONGEST_DELAY = 3600.0  # s; whatever was scanned later than this after an injection has nothing to do with it
_SAME_SCAN = 5.0  # s: series that begin closer together were made of one scan


class NamedPhase(StrEnum):
    """A contrast phase as headers name it; the text is used in messages."""

    NON_CONTRAST = "non-contrast"
    ARTERIAL = "arterial phase"
    PORTAL = "portal venous phase"
    NEPHROGRAPHIC = "nephrographic phase"
    EXCRETORY = "excretory phase"
    DELAYED = "delayed phase"


_WORDS: tuple[tuple[NamedPhase, re.Pattern[str]], ...] = (
    (
        NamedPhase.NON_CONTRAST,
        any_word(
            "NON ?CON*; NON ?ENH*; NONENH*; (?<!W )W O; WO; (?<!AND )WITHOUT*; UNENH*; NATIV*; NATIF; PLAIN; "
            "NCCT; NECT; PRE ?CON*; PRECON*; PRE ?KM; (?<!Y )SIN (?:C|CONTRASTE|CIV|IV); S C; SIMPLE; BASAL; "
            "KONTRASTSIZ*; ILACSIZ; OHNE ?K*; TNC; TUE; IVSIZ"
        ),
    ),
    (
        NamedPhase.NEPHROGRAPHIC,
        any_word("NEPHRO(?!LIT|P|S)*; NEFRO(?!LIT|P|S)*; PARENCH*; PARENQ*; PARANKIM*; NP"),
    ),
    (
        NamedPhase.EXCRETORY,
        any_word(
            "EXCRET*; EKSKRET*; EXKRET*; PYELO*; PIELO*; PIYELO*; AUSSCHEID*; ELIMINA*; UROGRAPHIC; "
            "UROGRAFIK; URO ?PHAS*"
        ),
    ),
    (
        NamedPhase.DELAYED,
        any_word("DELAY*; LATE; TARDI*; GEC; GECIK*; SPAE?T*; EQUILIB*; RETARD*; DENGE"),
    ),
    (
        NamedPhase.ARTERIAL,
        any_word(
            "ART; ARTERI*; ARTERY*; CORTICOM*; CORTICAL; KORTIKO*; CMP; CM PHASE; ANGIO; CTA; ANJIYO*; "
            "PANCREATIC PHASE; EARLY"
        ),
    ),
    (
        NamedPhase.PORTAL,
        any_word("PORT; PORTAL*; PORTO*; PV; PVP; VEN; VENO*; VENOE*; VENA*; HEPATIC PHASE"),
    ),
)
_DELAY = re.compile(r"(?<![0-9A-Z])(\d{1,3}) ?(S|SEC|SECS|SEG|SEK|SN|MIN|MINS|DK)(?![A-Z0-9])")
# How well kidneys and masses are seen; what is not known stands in the middle.
_WORTH: dict[str, int] = {
    NamedPhase.NEPHROGRAPHIC: 5,
    NamedPhase.PORTAL: 4,
    "": 3,
    NamedPhase.ARTERIAL: 2,
    NamedPhase.NON_CONTRAST: 1,
    NamedPhase.EXCRETORY: 0,
    NamedPhase.DELAYED: 0,
}


@lru_cache(maxsize=4096)
def phase_in(text: str) -> str:
    """Returns the phase that a text names, or its delay such as ``delay 70 s``; "" where it names none or several."""
    words = plain_words(text)
    found = [phase for phase, pattern in _WORDS if pattern.search(words)]
    if len(found) == 1:
        return found[0]
    if len(found) == 2 and NamedPhase.DELAYED in found and NamedPhase.NON_CONTRAST not in found:
        return next(phase for phase in found if phase is not NamedPhase.DELAYED)  # such as "delayed excretory"
    delays = {int(number) * (60 if unit[0] in "MD" else 1) for number, unit in _DELAY.findall(words)}
    return delay_name(delays.pop()) if len(delays) == 1 and not found else ""


def delay_name(seconds: float) -> str:
    """Returns a delay after the injection in words."""
    return f"delay {seconds:.0f} s"


def delay_of(acquired: str, injected: str) -> float | None:
    """Returns the seconds from the injection to the scan (DICOM TM, or the time of a DT); None where unknown."""
    start, scan = seconds_of(injected), seconds_of(acquired)
    if start is None or scan is None:
        return None
    delay = (scan - start) % _DAY  # over midnight
    return delay if 0 < delay <= _LONGEST_DELAY else None


def seconds_of(time: str) -> float | None:
    """Returns the seconds since midnight of a DICOM time (TM) or date and time (DT, PS3.5 6.2); None if it is none."""
    found = re.fullmatch(r"(?:\d{8})?(\d{2}):?(\d{2}):?(\d{2}(?:\.\d{1,6})?)(?:[+-]\d{4})?", time.strip())
    if found is None:
        return None
    hours, minutes, seconds = int(found[1]), int(found[2]), float(found[3])
    return hours * 3600 + minutes * 60 + seconds if hours < 24 and minutes < 60 and seconds < 61 else None


def scan_order(scans: Sequence[tuple[str, float | None]]) -> list[str]:
    """Returns the names of scans; those that have none are named by how long after the first one they were made.

    Args:
        scans: phase ("" where it is not known) and time in seconds since midnight (None where it is not known).
    """
    known = [time for _, time in scans if time is not None]
    start = min(known, default=0.0)
    if not known or max(known) - start <= _SAME_SCAN:
        return [phase for phase, _ in scans]
    return [phase or _later(time, start) for phase, time in scans]


def _later(time: float | None, start: float) -> str:
    if time is None:
        return ""
    return "first scan" if time - start <= _SAME_SCAN else f"{time - start:.0f} s after the first scan"


def worth(phase: str) -> int:
    """Returns how well kidneys and masses are seen in a phase: the more, the better."""
    found = re.fullmatch(r"delay (\d+) s", phase)
    if found is None:
        return _WORTH.get(phase, _WORTH[""])
    delay = int(found[1])
    for limit, named in ((20, NamedPhase.NON_CONTRAST), (45, NamedPhase.ARTERIAL), (75, NamedPhase.PORTAL)):
        if delay < limit:
            return _WORTH[named]
    return _WORTH[NamedPhase.NEPHROGRAPHIC if delay <= 180 else NamedPhase.EXCRETORY]
