"""Bringing what matches a query: of each study the best CT series, or the one series that was named."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from KidneySegLib.errors import InputError, KidneySegError, NetworkError, OutputError, ResourceError
from KidneySegLib.pacs.archive import Archive, Query, RemoteSeries
from KidneySegLib.pacs.receiving import writing
from KidneySegLib.pacs.transfer.fetch import Fetched
from KidneySegLib.pacs.transfer.retrieval import retrieve_in_process
from KidneySegLib.readers.dicom.finding.series_names import matching

_MOST = 30  # numbers of series that a message lists


@dataclass(frozen=True)
class Outcome:
    """What became of one study.

    Attributes:
        arrived: whether a series of it is in the folder now.
        sentence: for the user, without patient data.
    """

    arrived: bool
    sentence: str


def pull_matching(archive: Archive, query: Query, folder: Path, series: str = "") -> list[Outcome]:
    """Brings what matches into one folder for each series; a series that is there already stays as it is.

    The folders have names of this program's own, always the same for the same series (``identifiers.own_name``).

    Args:
        archive: where to look.
        query: what to look for.
        folder: made where it does not exist.
        series: of each study that matches, the series with this number or with this in its description; "" for the
            best one, or the one whose UID the query holds.

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
    for item in found:
        studies.setdefault(item.study_uid, []).append(item)
    return list(_outcomes(archive, list(studies.values()), folder, series, named=bool(query.series_uid or series)))


def _outcomes(
    archive: Archive, studies: list[list[RemoteSeries]], folder: Path, series: str, *, named: bool
) -> Iterator[Outcome]:
    for number, members in enumerate(studies, start=1):
        which = f"Study {number} of {len(studies)}"
        try:
            wanted = [_named(members, series)] if series else members
            fetched = _bring(archive, wanted, folder, named=named)
        except (NetworkError, OutputError, ResourceError):
            raise
        except KidneySegError as error:
            # whatever is wrong with one study, the next one shall have its turn
            yield Outcome(False, f"{which}: {error}")
        else:
            yield Outcome(True, f"{which}: {_told(fetched)}")


def _named(members: list[RemoteSeries], name: str) -> RemoteSeries:
    """Returns the one series of a study that a user named."""
    found = [members[place] for place in matching(name, [(m.series_uid, m.number, m.description) for m in members])]
    if len(found) == 1:
        return found[0]
    numbers = sorted({item.number for item in members if item.number is not None})
    told = ", ".join(map(str, numbers[:_MOST]))
    which = "Several series are" if found else "No series is"
    raise InputError(
        f"{which} called that. The study holds series {told}. Give --series the number, "
        "the SeriesInstanceUID, or a part of the description that only one series has."
    )


def _told(fetched: Fetched) -> str:
    what = f"{fetched.images} images" if fetched.images else "is there already"
    place = f"{what} in {fetched.series.folder_name}"
    return " ".join([f"{place}.", *fetched.remarks]) if fetched.remarks else place


def _bring(archive: Archive, members: list[RemoteSeries], folder: Path, *, named: bool) -> Fetched:
    """Brings one series of a study; 0 images if it was there already."""
    if named and (folder / members[0].folder_name).exists():
        return Fetched(members[0], 0)
    with writing():
        folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".arrival-", dir=folder) as name:
        arrival = Path(name)
        fetched = retrieve_in_process(archive, members, arrival, named=named)
        # which series is the best one may be known only now
        target = folder / fetched.series.folder_name
        if target.exists():
            return Fetched(fetched.series, 0, fetched.remarks)
        with writing():
            (arrival / target.name).rename(target)
    return fetched
