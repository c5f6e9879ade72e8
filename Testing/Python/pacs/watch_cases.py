"""A watcher with an engine that writes valid DICOM objects at once, and that can be held up from outside.

As a program (``python watch_cases.py SERVERS WORK GATE``) it watches once, for tests that kill it. Files in GATE hold
it up: ``hold-engine`` and ``hold-sending``; it says where it is by ``engine-started`` and ``sent-one``.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from KidneySegLib.pacs.archive import Archive
from KidneySegLib.pacs.connection import open_archive
from KidneySegLib.pacs.peers import Peer, read_peer
from KidneySegLib.pacs.transfer.outgoing import OutgoingFile
from KidneySegLib.pacs.watching.study_work import StudyWork
from KidneySegLib.pacs.watching.watcher import Watcher
from KidneySegLib.pacs.watching.work_queue import Job, WorkQueue
from KidneySegLib.pacs.web.orthanc import Orthanc

PDF, SR = "1.2.840.10008.5.1.4.1.1.104.1", "1.2.840.10008.5.1.4.1.1.88.33"


def write_results(images: Path, results: Path) -> None:
    """Writes two objects of the images' study, each with identifiers that nobody else has."""
    from pydicom import dcmread
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, generate_uid

    image = dcmread(next(iter(sorted(images.rglob("*.dcm")))), stop_before_pixels=True)
    results.mkdir()
    (results / "findings.json").write_text("{}")
    for name, sop_class, modality in (("measurements.sr.dcm", SR, "SR"), ("report.pdf.dcm", PDF, "DOC")):
        meta = FileMetaDataset()
        meta.TransferSyntaxUID = ExplicitVRLittleEndian
        dataset = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
        dataset.SOPClassUID, dataset.SOPInstanceUID, dataset.SeriesInstanceUID = (
            sop_class,
            generate_uid(),
            generate_uid(),
        )
        dataset.StudyInstanceUID, dataset.PatientID = image.StudyInstanceUID, image.PatientID
        dataset.PatientName, dataset.Modality = image.PatientName, modality
        if modality == "DOC":
            dataset.MIMETypeOfEncapsulatedDocument = "application/pdf"
            dataset.EncapsulatedDocument = b"%PDF-1.4 "
        dataset.save_as(results / name, enforce_file_format=True)


class HeldUpEngine:
    """Writes results, but only when the gate is open."""

    def __init__(self, gate: Path) -> None:
        self._gate = gate

    def __call__(self, images: Path, results: Path) -> None:
        (self._gate / "engine-started").touch()
        while (self._gate / "hold-engine").exists():
            time.sleep(0.02)
        write_results(images, results)


class HeldUpArchive:
    """Sends one file and then waits, while the gate is closed."""

    def __init__(self, archive: Archive, gate: Path) -> None:
        self._archive = archive
        self._gate = gate

    def __getattr__(self, name: str) -> object:
        return getattr(self._archive, name)

    def store(self, files: Sequence[OutgoingFile]) -> None:
        for file in files:
            self._archive.store([file])
            (self._gate / "sent-one").touch()
            while (self._gate / "hold-sending").exists():
                time.sleep(0.02)


class Watch:
    """A watcher in this process, with a clock of its own."""

    def __init__(self, peer: Peer, work: Path, engine: Callable[[Path, Path], None] = write_results, **options: object):
        self.clock = 1_000_000.0
        self.runs = 0
        self._engine = engine
        self.queue = WorkQueue(work)
        orthanc = Orthanc(peer)
        study_work = StudyWork(orthanc, open_archive(peer), self._run, self.queue, work)
        self.watcher = Watcher(orthanc, self.queue, study_work, now=lambda: self.clock, draw=lambda: 1.0, **options)

    def _run(self, images: Path, results: Path) -> None:
        self.runs += 1
        self._engine(images, results)

    def once(self) -> list[Job]:
        self.watcher.run_once()
        return self.queue.jobs()


def main() -> None:
    servers, work, gate = map(Path, sys.argv[1:])
    logging.basicConfig(level=logging.INFO)
    peer = read_peer(servers, "orthanc")
    orthanc, queue = Orthanc(peer), WorkQueue(work)
    archive = HeldUpArchive(open_archive(peer), gate)
    Watcher(orthanc, queue, StudyWork(orthanc, archive, HeldUpEngine(gate), queue, work)).run_once()


if __name__ == "__main__":
    main()
