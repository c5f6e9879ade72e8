"""What a server lists as its series: checked, so that only sound entries that were asked for go on."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING

from KidneySegLib.pacs.archive import RemoteSeries
from KidneySegLib.pacs.identifiers import is_uid
from KidneySegLib.readers.dicom.finding.words import known_modality
from KidneySegLib.readers.dicom.images.frames import integer, text

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

MOST_IMAGES = 100_000  # of a series; more is not a number of images
logger = logging.getLogger(__name__)


def listed_studies(server: str, entries: Iterable[Dataset], *, study_uid: str = "") -> list[str]:
    """Returns the StudyInstanceUIDs of a list of studies, each once; invalid ones are left out and logged.

    Args:
        server: its name, for the log.
        entries: the server's answer.
        study_uid: the study that was asked for; "" for any.
    """
    uids = [text(entry, "StudyInstanceUID") for entry in entries]
    _tell(server, "studies", sum(not is_uid(uid) for uid in uids))
    return list(dict.fromkeys(uid for uid in uids if is_uid(uid) and study_uid in ("", uid)))


def listed_series(
    server: str, entries: Iterable[Dataset], *, study_uid: str = "", series_uid: str = ""
) -> list[RemoteSeries]:
    """Returns the series of a list, each once.

    Entries without valid identifiers are left out and logged; so are those of another study or series
    than was asked for, which a server lists that does not know the filter.

    Args:
        server: its name, for the log.
        entries: the server's answer.
        study_uid: the study that was asked for; "" for any.
        series_uid: the series that was asked for; "" for any.
    """
    found: dict[tuple[str, str], RemoteSeries] = {}
    bad = 0
    for entry in entries:
        study, series = text(entry, "StudyInstanceUID") or study_uid, text(entry, "SeriesInstanceUID")
        if not (is_uid(study) and is_uid(series)):
            bad += 1
        elif study_uid in ("", study) and series_uid in ("", series):
            images = integer(entry, "NumberOfSeriesRelatedInstances")
            found[study, series] = RemoteSeries(
                study,
                series,
                known_modality(text(entry, "Modality")),
                text(entry, "BodyPartExamined").upper(),
                images if images is not None and 0 <= images <= MOST_IMAGES else None,
                integer(entry, "SeriesNumber"),
                text(entry, "SeriesDescription"),
            )
    _tell(server, "series", bad)
    return list(found.values())


def _tell(server: str, what: str, bad: int) -> None:
    if bad:
        logger.warning(
            "server '%s' lists %d %s whose identifiers are not valid (a UID has at most 64 digits and dots): left out. "
            "Correct them in the archive.",
            server,
            bad,
            what,
        )
