"""Dates that are moved by whole days, so that intervals stay as they were. Times of day are not changed."""

from __future__ import annotations

import re
from datetime import date, timedelta

NO_DATE, NO_TIME = "19000101", "000000"
DUMMIES = {"DA": NO_DATE, "TM": NO_TIME, "DT": NO_DATE + NO_TIME}

# HHMMSS.FFFFFF, cut anywhere between two parts, or HH:MM:SS as ACR-NEMA wrote it (PS3.5 6.2)
_CLOCK = r"(?:[01]\d|2[0-3])(?::?[0-5]\d(?::?(?:[0-5]\d|60)(?:\.\d{1,6})?)?)?"
_TIME = re.compile(rf"{_CLOCK}\s*")
# YYYYMMDD, or YYYY.MM.DD as ACR-NEMA wrote it; DT goes on with the time and the zone
_DATE = re.compile(rf"(\d{{4}})\.?(\d{{2}})\.?(\d{{2}})((?:{_CLOCK})?(?:[+-][01]\d[0-5]\d)?)\s*")


def is_time(value: str) -> bool:
    """Whether a value is a time of day (TM) and nothing else; a date of eight digits is none."""
    return _TIME.fullmatch(value) is not None


def moved_back(value: str, days: int) -> str | None:
    """Returns a DICOM date (DA) or date with time (DT) moved back by ``days``; None where it names no single day."""
    match = _DATE.fullmatch(value)
    if match is None:
        return None
    year, month, day, rest = match.groups()
    try:
        moved = date(int(year), int(month), int(day)) - timedelta(days=days)
    except (ValueError, OverflowError):
        return None
    return f"{moved.year:04d}{moved.month:02d}{moved.day:02d}{rest}"
