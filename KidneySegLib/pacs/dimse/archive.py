"""An archive reached by DIMSE (PS3.4): C-FIND to search, C-GET or C-MOVE to retrieve, C-STORE to store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from KidneySegLib.errors import NetworkError
from KidneySegLib.pacs.archive import Query, RemoteSeries
from KidneySegLib.pacs.dimse.association import IDENTIFIER_SYNTAXES, association, status_of
from KidneySegLib.pacs.dimse.bounds import MOST_ANSWER_BYTES, Bounds
from KidneySegLib.pacs.dimse.retrieve import retrieve_by_get, retrieve_by_move
from KidneySegLib.pacs.dimse.store import store_files
from KidneySegLib.pacs.listing import listed_series, listed_studies
from KidneySegLib.pacs.peers import Peer
from KidneySegLib.pacs.receiving import Receiver
from KidneySegLib.pacs.transfer.outgoing import OutgoingFile
from KidneySegLib.pacs.web.paging import MOST_ENTRIES
from KidneySegLib.readers.dicom.images.frames import FrameHeader, text

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_PENDING = (0xFF00, 0xFF01)
_VERIFICATION = "1.2.840.10008.1.1"
_STUDY_ROOT_FIND = "1.2.840.10008.5.1.4.1.2.2.1"
_WANTED_OF_SERIES = (
    "Modality",
    "BodyPartExamined",
    "NumberOfSeriesRelatedInstances",
    "SeriesNumber",
    "SeriesDescription",
)


class Dimse:
    """An archive behind an application entity; see ``Archive`` for the calls."""

    way = "dimse"

    def __init__(self, peer: Peer) -> None:
        """Remembers the server; nothing is connected yet."""
        self.peer = peer

    def echo(self) -> None:
        """Asks whether anybody is there (C-ECHO).

        Raises:
            NetworkError: the server is away or refuses.
        """
        from pynetdicom import build_context

        with association(self.peer, [build_context(_VERIFICATION)]) as link:
            if status_of(link.send_c_echo(), self.peer):
                raise NetworkError(
                    f"Server '{self.peer.name}' answers, but refuses verification (C-ECHO). Check its log."
                )

    def find_series(self, query: Query) -> list[RemoteSeries]:
        """Searches for studies, then for the series of each, as hierarchical queries demand (PS3.4 C.4.1.3.1)."""
        studies = [query.study_uid]
        if set(query.study_keys()) - {"StudyInstanceUID"}:
            found = self._find("STUDY", {"StudyInstanceUID": "", **query.study_keys()})
            studies = listed_studies(self.peer.name, found, study_uid=query.study_uid)
        return [series for study in studies for series in self._series(study, query.series_uid)]

    def headers(self, series: RemoteSeries) -> list[FrameHeader] | None:
        """Returns None: archives answer a C-FIND with what they have indexed, which is not enough to judge a series."""
        return None

    def retrieve(self, series: RemoteSeries, receiver: Receiver) -> None:
        """Brings the images by C-GET or C-MOVE, as the server's settings say."""
        bring = retrieve_by_move if self.peer.retrieve == "move" else retrieve_by_get
        bring(self.peer, series, receiver)

    def store(self, files: Sequence[OutgoingFile]) -> None:
        """Stores files over one association (C-STORE)."""
        store_files(self.peer, files)

    def holds(self, file: OutgoingFile) -> bool:
        """Asks for the one instance (C-FIND)."""
        keys = {
            "StudyInstanceUID": file.study_uid,
            "SeriesInstanceUID": file.series_uid,
            "SOPInstanceUID": file.sop_instance_uid,
        }
        # a server that leaves keys aside lists other instances
        return any(text(dataset, "SOPInstanceUID") == file.sop_instance_uid for dataset in self._find("IMAGE", keys))

    def _series(self, study_uid: str, series_uid: str) -> list[RemoteSeries]:
        keys = {"StudyInstanceUID": study_uid, "SeriesInstanceUID": series_uid, **dict.fromkeys(_WANTED_OF_SERIES, "")}
        found = self._find("SERIES", keys)
        return listed_series(self.peer.name, found, study_uid=study_uid, series_uid=series_uid)

    def _find(self, level: str, keys: dict[str, str]) -> list[Dataset]:
        from pydicom.dataset import Dataset
        from pynetdicom import build_context

        identifier = Dataset()
        identifier.QueryRetrieveLevel = level
        for keyword, value in keys.items():
            setattr(identifier, keyword, value or None)
        # values may be in any alphabet (PS3.3 C.12.1.1.2)
        identifier.SpecificCharacterSet = "ISO_IR 192"
        found: list[Dataset] = []
        bounds = Bounds(self.peer, MOST_ANSWER_BYTES)
        contexts = [build_context(_STUDY_ROOT_FIND, IDENTIFIER_SYNTAXES)]
        with bounds.watched(), association(self.peer, contexts, handlers=bounds.handlers()) as link:
            for answer, dataset in link.send_c_find(identifier, _STUDY_ROOT_FIND):
                status = status_of(answer, self.peer)
                if status not in (0, *_PENDING):
                    raise NetworkError(f"Server '{self.peer.name}' could not search (status {status:#06x}).")
                if status in _PENDING and dataset is not None:
                    found.append(dataset)
                if len(found) > MOST_ENTRIES:
                    raise NetworkError(
                        f"Server '{self.peer.name}' lists {len(found)} entries and still more. Ask for less, such as "
                        "one study."
                    )
        return found
