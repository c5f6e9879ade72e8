"""From a study in an archive to the one CT series on disk that serves best for kidneys."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from KidneySegLib.errors import InputError
from KidneySegLib.flags import Flag
from KidneySegLib.pacs.archive import Archive, RemoteSeries
from KidneySegLib.pacs.receiving import Receiver, check_space, writing
from KidneySegLib.readers.dicom.finding.choice import CHOICE_OF_SERIES, choose
from KidneySegLib.readers.dicom.finding.scan import scan
from KidneySegLib.readers.dicom.finding.series import group

_ARRIVING = "arriving"


@dataclass(frozen=True)
class Fetched:
    """A series that was brought.

    Attributes:
        series: which.
        images: number of its files; 0 where it was there before.
        remarks: what was left out on the way, and why this series was chosen, in sentences.
        choice: the flags on which of several series was chosen and why, for the result.
    """

    series: RemoteSeries
    images: int
    remarks: tuple[str, ...] = ()
    choice: tuple[Flag, ...] = ()


def candidates(series: Sequence[RemoteSeries]) -> list[RemoteSeries]:
    """Returns those series of a study that may be CT, as far as the archive's list tells.

    The part of the body is judged later, with all headers: BodyPartExamined alone is often wrong.

    Raises:
        InputError: none may.
    """
    ct = [item for item in series if item.modality in ("CT", "")]
    if not ct:
        modalities = ", ".join(sorted({item.modality for item in series})) or "nothing"
        raise InputError(f"The study holds {modalities}; a CT series is needed.")
    return ct


def fetch_best(archive: Archive, series: Sequence[RemoteSeries], folder: Path) -> Fetched:
    """Brings the best CT series of a study.

    Where the archive gives headers, only the chosen series is transferred; else all candidates are. A series that
    cannot be used, such as one whose images have no valid identifiers, is left out with a remark.

    Args:
        archive: where the study is.
        series: the study's series, as the archive lists them.
        folder: an empty folder; gets the one folder ``series.folder_name``. After an error its content is worth
            nothing.

    Raises:
        InputError: no series can be used.
        NetworkError: the archive is away, or images are missing.
        ResourceError: the disk has too little space.
        OutputError: the images cannot be written.
    """
    wanted = candidates(series)
    if len(wanted) > 1:
        wanted, reasons = _chosen_by_headers(archive, wanted)
    else:
        reasons = []
    check_space(folder, sum(item.images or 0 for item in wanted))
    arriving = folder / _ARRIVING
    arrived, remarks = _bring_all(archive, wanted, arriving)
    chosen, flags = choose(group(scan(arriving)[0]))
    place = chosen.files[0].parent
    best = next(item for item in arrived if item.series.folder_name == place.name)
    with writing():
        place.rename(folder / place.name)
        shutil.rmtree(arriving)  # a folder of our own, in one of our own
    choice = _on_the_choice(reasons or flags)
    return Fetched(best.series, best.images, (*remarks, *(flag.message for flag in choice)), choice)


def fetch_series(archive: Archive, series: RemoteSeries, folder: Path) -> Fetched:
    """Brings one series, whatever it is; takes, makes and raises what ``fetch_best`` does."""
    check_space(folder, series.images)
    return _bring(archive, series, folder)


def _bring_all(archive: Archive, wanted: list[RemoteSeries], folder: Path) -> tuple[list[Fetched], list[str]]:
    """Brings what can be brought of several series, and says why the others cannot.

    Raises:
        InputError: none can be brought.
    """
    arrived: list[Fetched] = []
    remarks: list[str] = []
    for number, item in enumerate(wanted, start=1):
        try:
            arrived.append(_bring(archive, item, folder))
        except InputError as error:
            # each series into a folder of its own, so that this is all that came of it
            shutil.rmtree(folder / item.folder_name)
            if len(wanted) == 1:
                raise
            remarks.append(f"Series {number} of {len(wanted)} was left out: {error}")
    if not arrived:
        raise InputError(remarks[0])
    return arrived, remarks


def _bring(archive: Archive, series: RemoteSeries, folder: Path) -> Fetched:
    receiver = Receiver(folder / series.folder_name, series.study_uid, series.series_uid)
    archive.retrieve(series, receiver)
    return Fetched(series, receiver.check_complete(series.images))


def _chosen_by_headers(archive: Archive, wanted: list[RemoteSeries]) -> tuple[list[RemoteSeries], list[Flag]]:
    """Returns the best series alone, and why; all of them where the archive cannot give the headers of each."""
    headers = []
    for item in wanted:
        found = archive.headers(item)
        # headers that name another series than was asked for must not decide
        if found is None or any(header.series_uid != item.series_uid for header in found):
            return wanted, []
        headers += found
    best, flags = choose(group(headers))
    return [item for item in wanted if item.series_uid == best.series_uid], flags


def _on_the_choice(flags: Sequence[Flag]) -> tuple[Flag, ...]:
    """Returns why a series was chosen; what else is said of its images is said again when they are segmented."""
    return tuple(flag for flag in flags if flag.code in CHOICE_OF_SERIES)
