"""A DICOM server on loopback that lists sound series and then sends something else (a pynetdicom SCP)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pydicom
from orthanc_server import free_port
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian
from pynetdicom import AE, evt

from KidneySegLib.pacs.peers import Peer
from KidneySegLib.readers.dicom.finding.scan import quiet_pydicom

CT = "1.2.840.10008.5.1.4.1.1.2"
FIND, MOVE, GET = (f"1.2.840.10008.5.1.4.1.2.2.{number}" for number in (1, 2, 3))


class HostileArchive:
    """Answers C-FIND, C-GET and C-MOVE."""

    syntaxes = (ExplicitVRLittleEndian,)

    def __init__(self, files: Sequence[Path], changes: dict[str, str], spoil: Sequence[Path] | None = None) -> None:
        """Takes files, and values that their data sets get before they are sent (those in ``spoil``; default: all)."""
        self.sent = [(file, pydicom.dcmread(file)) for file in files]
        self.changes = changes
        self.spoil = files if spoil is None else spoil
        self.port, self.own_port = free_port(), free_port()

    def peer(self, **settings: Any) -> Peer:
        own = {"host": "127.0.0.1", "port": self.port, "aet": "HOSTILE", "own_port": self.own_port, "timeout": 60.0}
        return Peer("hostile", **{**own, **settings})

    def __enter__(self) -> HostileArchive:
        entity = AE("HOSTILE")
        for uid in (FIND, MOVE, GET):
            entity.add_supported_context(uid)
        entity.add_supported_context(CT, self.syntaxes, scu_role=True, scp_role=True)
        entity.add_requested_context(CT, self.syntaxes)
        handlers = [(evt.EVT_C_FIND, self.find), (evt.EVT_C_GET, self.get), (evt.EVT_C_MOVE, self.move)]
        with quiet_pydicom():
            self.server = entity.start_server(("127.0.0.1", self.port), block=False, evt_handlers=handlers)
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()

    def find(self, event: evt.Event) -> Iterator[tuple[int, Dataset | None]]:
        level = event.identifier.QueryRetrieveLevel
        key = "StudyInstanceUID" if level == "STUDY" else "SeriesInstanceUID"
        for uid in dict.fromkeys(str(dataset[key].value) for _, dataset in self.sent):
            answer = Dataset()
            members = [dataset for _, dataset in self.sent if dataset[key].value == uid]
            answer.QueryRetrieveLevel = level
            answer.StudyInstanceUID = members[0].StudyInstanceUID
            if level == "SERIES":
                answer.SeriesInstanceUID, answer.Modality = uid, "CT"
                answer.NumberOfSeriesRelatedInstances = len(members)
            yield 0xFF00, answer

    def get(self, event: evt.Event) -> Iterator[Any]:
        images = self._images(event.identifier.SeriesInstanceUID)
        yield len(images)
        for image in images:
            yield 0xFF00, image

    def move(self, event: evt.Event) -> Iterator[Any]:
        yield "127.0.0.1", self.own_port
        yield from self.get(event)

    def _images(self, series_uid: str) -> list[Dataset]:
        images = []
        for file, dataset in self.sent:
            if dataset.SeriesInstanceUID != series_uid:
                continue
            with quiet_pydicom():
                image = pydicom.dcmread(file)
                if file in self.spoil:
                    for keyword, value in self.changes.items():
                        image[keyword]._value = value
            images.append(image)
        return images
