"""An archive as the rest of the package sees it, whichever way it is reached."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol

from KidneySegLib.errors import InputError
from KidneySegLib.pacs.identifiers import is_uid, own_name
from KidneySegLib.pacs.peers import Peer
from KidneySegLib.pacs.receiving import Receiver
from KidneySegLib.pacs.transfer.outgoing import OutgoingFile
from KidneySegLib.readers.dicom.images.frames import FrameHeader


@dataclass(frozen=True)
class Query:
    """What to look for; values go to the server and nowhere else.

    Attributes:
        study_uid, series_uid: StudyInstanceUID, SeriesInstanceUID.
        accession_number, patient_id: AccessionNumber, PatientID, as the archive has them.
        dates: StudyDate or a range of them, such as ``20240101-20240131``.
    """

    study_uid: str = field(default="", repr=False)
    series_uid: str = field(default="", repr=False)
    accession_number: str = field(default="", repr=False)
    patient_id: str = field(default="", repr=False)
    dates: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        """Refuses what would match nothing, or everything.

        Raises:
            InputError: no value, or one that no archive can match.
        """
        values = (self.study_uid, self.series_uid, self.accession_number, self.patient_id, self.dates)
        if not any(values):
            raise InputError("Say what to look for: a study, a series, an accession number, a patient or dates.")
        if not all(is_uid(uid) for uid in (self.study_uid, self.series_uid) if uid):
            raise InputError("A study or series UID consists of digits and dots, 64 at most.")
        if any(sign in value for value in values for sign in "*?\\"):
            raise InputError("Wildcards (* and ?) are not allowed: they might bring many patients' images.")
        if self.dates and not _are_dates(self.dates):
            raise InputError("A date has the form 20240131, a range 20240101-20240131, the earlier one first.")

    def study_keys(self) -> dict[str, str]:
        """Returns the filters of a study query, by keyword."""
        keys = {
            "StudyInstanceUID": self.study_uid,
            "AccessionNumber": self.accession_number,
            "PatientID": self.patient_id,
            "StudyDate": self.dates,
        }
        return {keyword: value for keyword, value in keys.items() if value}


def _are_dates(text: str) -> bool:
    """Whether a text is a day or a range of days, open on one side at most."""
    if not re.fullmatch(r"\d{8}|\d{8}-(\d{8})?|-\d{8}", text):
        return False
    try:
        days = [date(int(day[:4]), int(day[4:6]), int(day[6:])) for day in text.split("-") if day]
    except ValueError:
        return False
    return days == sorted(days)


@dataclass(frozen=True)
class RemoteSeries:
    """A series as an archive lists it.

    Attributes:
        study_uid, series_uid: UIDs indeed; both go into addresses and requests.
        modality: "" if the archive does not say.
        body_part: BodyPartExamined in upper case, "" if the archive does not say.
        images: number of instances, None if the archive does not say.
        number: SeriesNumber, None if the archive does not say.
        description: SeriesDescription, to be compared and never to be shown.
    """

    study_uid: str
    series_uid: str
    modality: str
    body_part: str
    images: int | None
    number: int | None = None
    description: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        """Refuses what is not an identifier; ``listing`` has left such entries out before.

        Raises:
            InputError: an identifier is not a UID.
        """
        if not (is_uid(self.study_uid) and is_uid(self.series_uid)):
            raise InputError("A series of the archive has an identifier that is not valid. Correct it in the archive.")

    @property
    def folder_name(self) -> str:
        """The name of its folder on disk, this program's own and always the same."""
        return own_name("series", f"{self.study_uid} {self.series_uid}")


class Archive(Protocol):
    """What can be asked of an archive. Every call raises ``NetworkError`` where the server is away or refuses.

    Attributes:
        peer: the server's settings.
        way: how it is reached, as ``connection.Way`` names it.
    """

    @property
    def peer(self) -> Peer: ...  # noqa: D102

    @property
    def way(self) -> str: ...  # noqa: D102

    def find_series(self, query: Query) -> list[RemoteSeries]:
        """Returns all series of the studies that match (of these, the one series that the query names).

        Entries without valid identifiers are left out and logged.
        """

    def headers(self, series: RemoteSeries) -> list[FrameHeader] | None:
        """Returns the headers of a series without pixels, or None where the archive cannot give them."""

    def retrieve(self, series: RemoteSeries, receiver: Receiver) -> None:
        """Brings all images of a series to a receiver, in the transfer syntax that they are stored in."""

    def store(self, files: Sequence[OutgoingFile]) -> None:
        """Stores files as they are; one that the archive holds already is not an error."""

    def holds(self, file: OutgoingFile) -> bool:
        """Whether the archive lists the instance."""
