"""In which contrast phase a series was taken, by the words and times of its headers.

What the image itself shows is judged later, from the kidneys (see ``measuring.kidneys.phase``).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Delay:
    """When a scan was made, where no phase is named.

    Attributes:
        seconds: since then.
        after_first_scan: whether they are counted from the first scan of the exam, and not from the injection.
    """

    seconds: int
    after_first_scan: bool = False


FIRST_SCAN = "first scan"
ScanTime = NamedPhase | Delay | str
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
_UNKNOWN_WORTH = 3
_WORTH = {
    NamedPhase.NEPHROGRAPHIC: 5,
    NamedPhase.PORTAL: 4,
    NamedPhase.ARTERIAL: 2,
    NamedPhase.NON_CONTRAST: 1,
    NamedPhase.EXCRETORY: 0,
    NamedPhase.DELAYED: 0,
}


@lru_cache(maxsize=4096)
def phase_in(text: str) -> NamedPhase | Delay | None:
    """Returns the phase that a text names, or its delay after the injection; None where it names none or several."""
    words = plain_words(text)
    found = [phase for phase, pattern in _WORDS if pattern.search(words)]
    if len(found) == 1:
        return found[0]
    if len(found) == 2 and NamedPhase.DELAYED in found and NamedPhase.NON_CONTRAST not in found:
        return next(phase for phase in found if phase is not NamedPhase.DELAYED)  # such as "delayed excretory"
    delays = {int(number) * (60 if unit[0] in "MD" else 1) for number, unit in _DELAY.findall(words)}
    return Delay(delays.pop()) if len(delays) == 1 and not found else None


def delay_of(acquired: str, injected: str) -> float | None:
    """Returns the seconds from the injection to the scan (DICOM TM, or the time of a DT); None where unknown."""
    start, scan = seconds_of(injected), seconds_of(acquired)
    if start is None or scan is None:
        return None
    delay = (scan - start) % _DAY  # over midnight
    return delay if 0 < delay <= _LONGEST_DELAY else None


def seconds_of(time: str) -> float | None:
    """Returns the seconds since midnight of a DICOM time (TM) or date and time (DT, PS3.5 6.2), None for others."""
    found = re.fullmatch(r"(?:\d{8})?(\d{2}):?(\d{2}):?(\d{2}(?:\.\d{1,6})?)(?:[+-]\d{4})?", time.strip())
    if found is None:
        return None
    hours, minutes, seconds = int(found[1]), int(found[2]), float(found[3])
    return hours * 3600 + minutes * 60 + seconds if hours < 24 and minutes < 60 and seconds < 61 else None


def scan_order(scans: Sequence[tuple[NamedPhase | Delay | None, float | None]]) -> list[ScanTime | None]:
    """Returns the phases of scans; those that have none are told by how long after the first one they were made.

    Args:
        scans: phase and time in seconds since midnight, None where it is not known.
    """
    known = [time for _, time in scans if time is not None]
    start = min(known, default=0.0)
    if not known or max(known) - start <= _SAME_SCAN:
        return [phase for phase, _ in scans]
    return [phase or _later(time, start) for phase, time in scans]


def _later(time: float | None, start: float) -> ScanTime | None:
    if time is None:
        return None
    return FIRST_SCAN if time - start <= _SAME_SCAN else Delay(round(time - start), after_first_scan=True)


def told(phase: ScanTime | None) -> str | dict[str, int]:
    """Returns a phase or time as flags name it."""
    if isinstance(phase, Delay):
        return {"after_first_scan_s" if phase.after_first_scan else "delay_s": phase.seconds}
    return str(phase) if phase else "not known"


def worth(phase: NamedPhase | Delay | None) -> int:
    """Returns how well kidneys and masses are seen in a phase: the more, the better."""
    if not isinstance(phase, Delay):
        return _UNKNOWN_WORTH if phase is None else _WORTH[phase]
    delay = phase.seconds
    for limit, named in ((20, NamedPhase.NON_CONTRAST), (45, NamedPhase.ARTERIAL), (75, NamedPhase.PORTAL)):
        if delay < limit:
            return _WORTH[named]
    return _WORTH[NamedPhase.NEPHROGRAPHIC if delay <= 180 else NamedPhase.EXCRETORY]
