"""Naming a series as a user types it: by number, by UID, or by a part of its description."""

import re
from collections.abc import Sequence

from KidneySegLib.errors import InputError
from KidneySegLib.flags.series import series_option
from KidneySegLib.languages.language import Language
from KidneySegLib.readers.dicom.finding.series import SeriesFiles

_UID = re.compile(r"[0-9.]{1,64}")
_NUMBER = re.compile(r"(?:SERIES )?(-?\d{1,10})(?:/(\d{1,4}))?", re.IGNORECASE)
_SHORTEST = 2  # letters of a description


def typed(series: SeriesFiles, among: Sequence[SeriesFiles]) -> str:
    """Returns what to type for a series, without anything that was typed into its header.

    Args:
        series: one of ``among``.
        among: all series of the folder.
    """
    return series_option(option(series, among), Language.of("en"))


def option(series: SeriesFiles, among: Sequence[SeriesFiles]) -> str:
    """Returns the value of ``--series`` for a series, "" where its number is that of several."""
    if series.number is None or len({_of(other) for other in among if other.number == series.number}) > 1:
        return ""
    return f"{series.number}{f'/{series.part}' if series.part else ''}"


def named(series: Sequence[SeriesFiles], name: str) -> list[SeriesFiles]:
    """Returns the series that a user named, with all its parts unless one was named.

    Args:
        series: all series of the folder.
        name: SeriesInstanceUID, series number (``4``, or ``4/2`` for its second part), or a part of the description
            that only one series has. Capitals do not matter.

    Raises:
        InputError: no series is called that, or several are.
    """
    places = matching(name, [(item.series_uid, item.number, item.frames[0].description) for item in series])
    found = [series[place] for place in places]
    part = _NUMBER.fullmatch(" ".join(name.split()))
    if part and part[2]:
        found = [candidate for candidate in found if candidate.part == int(part[2])]
    if not found:
        raise InputError(
            "No series of the folder has that name. It holds: {listed}. Give --series the number, the "
            "SeriesInstanceUID, or a part of the description that only one series has.",
            listed=listed(series, series),
        )
    if len({_of(candidate) for candidate in found}) > 1:
        raise InputError("Several series have that name: {listed}. Name one of them.", listed=listed(found, series))
    return found


def _of(series: SeriesFiles) -> tuple[str, str, str]:
    """Returns what the parts of one DICOM series have in common."""
    first = series.frames[0]
    return first.study_uid, first.series_uid, first.marks.identifier


def matching(name: str, known: Sequence[tuple[str, int | None, str]]) -> list[int]:
    """Returns the places of the series that a user may mean: by UID, else by number, else by description.

    Args:
        name: what was typed.
        known: SeriesInstanceUID, number and description of each series.
    """
    name = " ".join(name.split())
    number = _NUMBER.fullmatch(name)
    found = [place for place, (uid, _, _) in enumerate(known) if uid == name]
    if not found and number:
        found = [place for place, (_, own, _) in enumerate(known) if own == int(number[1])]
    if not found and len(name) >= _SHORTEST:
        words = name.casefold()
        found = [place for place, (_, _, text) in enumerate(known) if words in " ".join(text.split()).casefold()]
    return found


def listed(series: Sequence[SeriesFiles], among: Sequence[SeriesFiles], *, most: int = 12) -> str:
    """Returns labels with what to type, a UID where the number is that of several series.

    For messages on the screen only: what goes into results holds no identifiers, which would have to be replaced when
    they are de-identified.

    Args:
        series: those to list.
        among: all series of the folder.
        most: how many are listed.
    """
    lines = []
    for candidate in series[:most]:
        number = option(candidate, among)
        twin = any(other.series_uid == candidate.series_uid and _of(other) != _of(candidate) for other in among)
        valid = _UID.fullmatch(candidate.series_uid) and not twin
        what = number or (candidate.series_uid if valid else "")
        lines.append(f"{candidate.label()}: {f'--series {what}' if what else 'in a folder of its own'}")
    return "; ".join(lines) + (f"; {len(series) - most} more" if len(series) > most else "")
