"""From a study in an archive to the one CT series on disk that serves best for kidneys."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from KidneySegLib.dicom.choice import cannot_hold_kidneys, choose
from KidneySegLib.dicom.scan import scan
from KidneySegLib.dicom.series import SeriesFiles, group
from KidneySegLib.errors import InputError
from KidneySegLib.pacs.archive import Archive, RemoteSeries
from KidneySegLib.pacs.receiving import Receiver, check_space


@dataclass(frozen=True)
class Fetched:
    """A series that was brought.

    Attributes:
        series_uid: which.
        images: number of its files.
    """

    series_uid: str
    images: int


def candidates(series: Sequence[RemoteSeries]) -> list[RemoteSeries]:
    """Returns those series of a study that may show kidneys, as far as the archive's list tells.

    Raises:
        InputError: none may.
    """
    ct = [item for item in series if item.modality in ("CT", "")]
    if not ct:
        modalities = ", ".join(sorted({item.modality for item in series})) or "nothing"
        raise InputError(f"The study holds {modalities}; a CT series is needed.")
    usable = [item for item in ct if not cannot_hold_kidneys(item.body_part)]
    if not usable:
        raise InputError("The CT series show a part of the body without kidneys.")
    return usable


def fetch_best(archive: Archive, series: Sequence[RemoteSeries], folder: Path) -> Fetched:
    """Brings the best CT series of a study.

    Where the archive gives headers, only the chosen series is transferred; else all candidates are, and the others are
    deleted again.

    Args:
        archive: where the study is.
        series: the study's series, as the archive lists them.
        folder: an empty folder; gets one folder named by the series' UID. After an error its content is worth nothing.

    Raises:
        InputError: no series can be used.
        NetworkError: the archive is away, or images are missing.
        ResourceError: the disk has too little space.
        OutputError: the images cannot be written.
    """
    wanted = candidates(series)
    if len(wanted) > 1:
        wanted = _chosen_by_headers(archive, wanted)
    check_space(folder, sum(item.images or 0 for item in wanted))
    counts = {item.series_uid: _bring(archive, item, folder / item.series_uid) for item in wanted}
    best = _best(group(scan(folder)[0]))
    for uid in counts.keys() - {best.series_uid}:
        shutil.rmtree(folder / uid)
    return Fetched(best.series_uid, counts[best.series_uid])


def fetch_series(archive: Archive, series: RemoteSeries, folder: Path) -> Fetched:
    """Brings one series, whatever it is; takes, makes and raises what ``fetch_best`` does."""
    check_space(folder, series.images)
    return Fetched(series.series_uid, _bring(archive, series, folder / series.series_uid))


def _bring(archive: Archive, series: RemoteSeries, folder: Path) -> int:
    receiver = Receiver(folder, series.series_uid)
    archive.retrieve(series, receiver)
    return receiver.check_complete(series.images)


def _chosen_by_headers(archive: Archive, wanted: list[RemoteSeries]) -> list[RemoteSeries]:
    """Returns the best series alone; all of them where the archive cannot give the headers of each."""
    headers = []
    for item in wanted:
        found = archive.headers(item)
        if found is None:
            return wanted
        headers += found
    best = _best(group(headers))
    return [item for item in wanted if item.series_uid == best.series_uid]


def _best(series: Sequence[SeriesFiles]) -> SeriesFiles:
    best, _ = choose(series)
    if cannot_hold_kidneys(best.frames[0].body_part):
        raise InputError("The CT series show a part of the body without kidneys.")
    return best
