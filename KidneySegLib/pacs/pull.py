"""Bringing what matches a query: of each study the best CT series, or the one series that was named."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from KidneySegLib.errors import InputError
from KidneySegLib.pacs.archive import Archive, Query, RemoteSeries
from KidneySegLib.pacs.fetch import Fetched, fetch_best, fetch_series
from KidneySegLib.pacs.receiving import writing


@dataclass(frozen=True)
class Outcome:
    """What became of one study.

    Attributes:
        arrived: whether a series of it is in the folder now.
        sentence: for the user, without patient data.
    """

    arrived: bool
    sentence: str


def pull_matching(archive: Archive, query: Query, folder: Path) -> list[Outcome]:
    """Brings what matches into one folder for each series; a series that is there already stays as it is.

    The folders have names of this program's own, always the same for the same series (``identifiers.own_name``).

    Raises:
        InputError: nothing matches.
        NetworkError: the archive is away; what had arrived before stays.
        ResourceError: the disk has too little space.
        OutputError: the images cannot be written.
    """
    found = archive.find_series(query)
    if not found:
        raise InputError("The server holds nothing that matches. Check what was asked for.")
    studies: dict[str, list[RemoteSeries]] = {}
    for series in found:
        studies.setdefault(series.study_uid, []).append(series)
    return list(_outcomes(archive, list(studies.values()), folder, named=bool(query.series_uid)))


def _outcomes(archive: Archive, studies: list[list[RemoteSeries]], folder: Path, *, named: bool) -> Iterator[Outcome]:
    for number, members in enumerate(studies, start=1):
        which = f"Study {number} of {len(studies)}"
        try:
            fetched = _bring(archive, members, folder, named=named)
        except InputError as error:
            yield Outcome(False, f"{which}: {error}")
        else:
            yield Outcome(True, f"{which}: {_told(fetched)}")


def _told(fetched: Fetched) -> str:
    what = f"{fetched.images} images" if fetched.images else "is there already"
    return " ".join([f"{what} in {fetched.series.folder_name}", *fetched.remarks])


def _bring(archive: Archive, members: list[RemoteSeries], folder: Path, *, named: bool) -> Fetched:
    """Brings one series of a study; 0 images if it was there already."""
    if named and (folder / members[0].folder_name).exists():
        return Fetched(members[0], 0)
    with writing():
        folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".arrival-", dir=folder) as name:
        arrival = Path(name)
        fetched = fetch_series(archive, members[0], arrival) if named else fetch_best(archive, members, arrival)
        # which series is the best one may be known only now
        target = folder / fetched.series.folder_name
        if target.exists():
            return Fetched(fetched.series, 0, fetched.remarks)
        with writing():
            (arrival / target.name).rename(target)
    return fetched
