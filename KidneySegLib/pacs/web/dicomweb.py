"""An archive reached by DICOMweb (PS3.18): QIDO-RS to search, WADO-RS to retrieve, STOW-RS to store."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property, partial
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from KidneySegLib.errors import KidneySegError, NetworkError
from KidneySegLib.pacs.archive import Query, RemoteSeries
from KidneySegLib.pacs.identifiers import own_name
from KidneySegLib.pacs.listing import listed_series, listed_studies
from KidneySegLib.pacs.peers import Peer
from KidneySegLib.pacs.receiving import Receiver
from KidneySegLib.pacs.transfer.outgoing import OutgoingFile
from KidneySegLib.pacs.web.paging import all_entries, dataset_of, most_objects
from KidneySegLib.pacs.web.session import MOST_BYTES, http_errors, not_understood, open_session
from KidneySegLib.readers.dicom.images.enhanced import frame_headers
from KidneySegLib.readers.dicom.images.frames import FrameHeader, header_of, integer, text
from KidneySegLib.readers.dicom.images.opening import open_dicom

if TYPE_CHECKING:
    from dicomweb_client.api import DICOMwebClient
    from pydicom.dataset import Dataset

_AS_STORED = (("application/dicom", "*"),)  # any transfer syntax: compressed images stay as they are
_BATCH_BYTES = 32_000_000  # a request holds its files in memory
_MOST_HEADER_BYTES = 200_000_000  # in JSON, those of 3,000 images have about 50 MB
_DUPLICATE = 0x0111  # PS3.18 I.2.2 refers to PS3.7 annex C: the instance is there already


class DicomWeb:
    """An archive behind DICOMweb services; see ``Archive`` for the calls."""

    way = "dicomweb"

    def __init__(self, peer: Peer) -> None:
        """Remembers the server; nothing is connected yet."""
        self.peer = peer

    @cached_property
    def _client(self) -> DICOMwebClient:
        return self._connect()

    @cached_property
    def _header_client(self) -> DICOMwebClient:
        return self._connect(_MOST_HEADER_BYTES)

    @cached_property
    def _image_client(self) -> DICOMwebClient:
        """The same server; what it sends may be as large as a series."""
        return self._connect(round(self.peer.largest_series_gb * 1e9))

    def _connect(self, most_bytes: int = MOST_BYTES) -> DICOMwebClient:
        from dicomweb_client.api import DICOMwebClient

        client = DICOMwebClient(
            self.peer.dicomweb.rstrip("/"),
            session=open_session(self.peer, most_bytes),
            timeout=self.peer.timeout,
            permissive_uid=True,
        )
        # whoever calls knows better when to try again
        client.set_http_retry_params(retry=False)
        return client

    def find_series(self, query: Query) -> list[RemoteSeries]:
        """Searches for studies, then for the series of each (QIDO-RS)."""
        filters = {"SeriesInstanceUID": query.series_uid} if query.series_uid else {}
        if not query.study_keys():
            return self._series(None, filters)
        with self._errors():
            search = partial(self._client.search_for_studies, search_filters=query.study_keys())
            entries = all_entries(search, "StudyInstanceUID", self.peer)
            studies = listed_studies(self.peer.name, entries, study_uid=query.study_uid)
        return [series for study in studies for series in self._series(study, filters)]

    def headers(self, series: RemoteSeries) -> list[FrameHeader] | None:
        """Returns the headers from the series' metadata (WADO-RS); None where the server sends what cannot be read."""
        with self._errors():
            entries = self._header_client.retrieve_series_metadata(series.study_uid, series.series_uid)
            headers: list[FrameHeader] = []
            try:
                for entry in entries:
                    dataset = dataset_of(entry)
                    header = header_of(dataset, Path(own_name("image", text(dataset, "SOPInstanceUID"))))
                    headers += frame_headers(dataset, header) if header.multiframe else [header]
            except KidneySegError:
                raise
            except Exception:  # an odd value makes pydicom raise nearly anything; the files themselves may be read
                return None
        return headers

    def retrieve(self, series: RemoteSeries, receiver: Receiver) -> None:
        """Streams the images, one at a time in memory (WADO-RS)."""
        most = most_objects(series)
        with self._errors():
            images = self._image_client.iter_series(series.study_uid, series.series_uid, media_types=_AS_STORED)
            for number, dataset in enumerate(images, start=1):
                if number > most:
                    raise NetworkError(
                        f"Server '{self.peer.name}' sends more images than the series has. What had arrived was thrown "
                        "away; try again when the study is complete."
                    )
                receiver.take(_file(dataset), dataset)

    def store(self, files: Sequence[OutgoingFile]) -> None:
        """Stores files in requests of bounded size (STOW-RS); only what the server confirms counts as stored."""
        for batch in _batches(files):
            with self._errors():
                answer = self._store([open_dicom(file.path) for file in batch])
                failed = [
                    item for item in answer.get("FailedSOPSequence") or [] if item.get("FailureReason") != _DUPLICATE
                ]
                stored = {text(item, "ReferencedSOPInstanceUID") for item in answer.get("ReferencedSOPSequence") or []}
            if failed:
                reasons = ", ".join(sorted({f"{integer(item, 'FailureReason') or 0:#06x}" for item in failed}))
                raise NetworkError(f"Server '{self.peer.name}' did not store {len(failed)} files (reason {reasons}).")
            # some servers answer with nothing, and of a duplicate they say only that it is there
            doubtful = [file for file in batch if file.sop_instance_uid not in stored]
            lost = sum(not self.holds(file) for file in doubtful)
            if lost:
                raise NetworkError(
                    f"Server '{self.peer.name}' took {len(batch)} files, but neither confirms nor lists {lost} of "
                    "them. Check 'dicomweb' in the file of servers and the server's log."
                )

    def holds(self, file: OutgoingFile) -> bool:
        """Asks for the one instance (QIDO-RS)."""
        filters = {"SOPInstanceUID": file.sop_instance_uid}
        with self._errors():
            entries = self._client.search_for_instances(file.study_uid, file.series_uid, search_filters=filters)
            # a server that leaves filters aside lists other instances
            return any(text(dataset_of(entry), "SOPInstanceUID") == file.sop_instance_uid for entry in entries)

    def _series(self, study_uid: str | None, filters: dict[str, str]) -> list[RemoteSeries]:
        with self._errors():
            search = partial(
                self._client.search_for_series, study_uid, search_filters=filters, fields=["BodyPartExamined"]
            )
            found = all_entries(search, "SeriesInstanceUID", self.peer)
            series_uid = filters.get("SeriesInstanceUID", "")
            return listed_series(self.peer.name, found, study_uid=study_uid or "", series_uid=series_uid)

    def _store(self, datasets: list[Dataset]) -> Dataset:
        """Returns the server's answer, also that to a request of which nothing could be stored (HTTP 409)."""
        import requests

        try:
            return self._client.store_instances(datasets)
        except requests.HTTPError as error:
            response = error.response
            if (
                response is None
                or response.status_code != 409
                or "json" not in response.headers.get("content-type", "")
            ):
                raise
            return dataset_of(response.json())

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Adds to HTTP's errors those of an answer that is not DICOMweb."""
        import requests

        try:
            with http_errors(self.peer):
                yield
        except (KidneySegError, requests.RequestException, OSError, MemoryError):
            raise
        except Exception:  # what a server may send instead makes the libraries raise nearly anything
            raise not_understood(self.peer) from None


def _file(dataset: Dataset) -> bytes:
    """Returns the data set as a file; values that nobody touched are written as they came."""
    buffer = BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def _batches(files: Sequence[OutgoingFile]) -> Iterator[list[OutgoingFile]]:
    batch: list[OutgoingFile] = []
    size = 0
    for file in files:
        length = file.path.stat().st_size
        if batch and size + length > _BATCH_BYTES:
            yield batch
            batch, size = [], 0
        batch.append(file)
        size += length
    if batch:
        yield batch
