"""Our port: open to the server alone, on one address; and DIMSE answers that never end or are too slow."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pydicom
import pytest
from dicom_writing import write_ct
from hostile_archive import CT, FIND, HostileArchive
from orthanc_server import free_port
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian
from pynetdicom import AE, evt
from test_pacs_archive import folder_of

from KidneySegLib.errors import InputError, NetworkError
from KidneySegLib.pacs.archive import Query
from KidneySegLib.pacs.connection import Way, open_archive
from KidneySegLib.pacs.dimse import archive as dimse
from KidneySegLib.pacs.dimse.listening import allowed_senders, listening, listening_address
from KidneySegLib.pacs.peers import Peer, read_peer
from KidneySegLib.pacs.transfer.pull import pull_matching


def peer(**settings: object) -> Peer:
    own = {"host": "127.0.0.1", "port": free_port(), "own_port": free_port(), "aet": "ARCHIVE", "timeout": 20.0}
    return Peer("archive", **{**own, **settings})


@contextmanager
def our_port(settings: Peer) -> Iterator[list[str]]:
    taken: list[str] = []
    entity = AE(settings.own_aet)
    entity.add_supported_context(CT, ExplicitVRLittleEndian)

    def take(event: evt.Event) -> int:
        taken.append(event.request.AffectedSOPInstanceUID)
        return 0

    with listening(settings, entity, [(evt.EVT_C_STORE, take)]):
        yield taken


def send(
    settings: Peer, file: Path, title: str = "ARCHIVE", called: str = "KIDNEYSEG", host: str = "127.0.0.1"
) -> bool:
    entity = AE(title)
    entity.add_requested_context(CT, ExplicitVRLittleEndian)
    link = entity.associate(host, settings.own_port, ae_title=called)
    if not link.is_established:
        return False
    status = link.send_c_store(pydicom.dcmread(file))
    link.release()
    return status.get("Status") == 0


def test_the_port_is_open_on_the_address_that_faces_the_server_and_on_no_other(tmp_path):
    settings = peer()
    assert listening_address(settings) == "127.0.0.1"
    assert listening_address(peer(own_address="0.0.0.0")) == "0.0.0.0"
    (file,) = write_ct(tmp_path / "ct", 1)
    with our_port(settings):
        assert send(settings, file)
        with pytest.raises(OSError):
            socket.create_connection(("127.0.0.2", settings.own_port), timeout=5)
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", settings.own_port), timeout=5)


@pytest.mark.parametrize(
    ("settings", "title", "called", "taken"),
    [
        ({}, "ARCHIVE", "KIDNEYSEG", True),
        ({}, "STRANGER", "KIDNEYSEG", False),
        ({}, "ARCHIVE", "SOMEBODY", False),
        ({"sender_titles": ("STORE1", "STORE2")}, "STORE2", "KIDNEYSEG", True),
        ({"sender_titles": ("STORE1", "STORE2")}, "ARCHIVE", "KIDNEYSEG", False),
        ({"aet": "ANY-SCP"}, "WHOEVER", "KIDNEYSEG", True),
        ({"senders": ("192.0.2.0/24",)}, "ARCHIVE", "KIDNEYSEG", False),
        ({"senders": ("192.0.2.7", "127.0.0.0/8")}, "ARCHIVE", "KIDNEYSEG", True),
        ({"senders": ("localhost",)}, "ARCHIVE", "KIDNEYSEG", True),
    ],
)
def test_who_may_send_to_our_port(tmp_path, settings, title, called, taken):
    (file,) = write_ct(tmp_path / "ct", 1)
    chosen = peer(**settings)
    with our_port(chosen) as arrived:
        assert send(chosen, file, title, called) is taken
        assert len(arrived) == taken


def test_a_stranger_cannot_slip_an_image_into_a_move(tmp_path):
    """The server's images arrive, those of somebody else with the same series do not."""
    files = write_ct(tmp_path / "ct", 4)
    (extra,) = write_ct(tmp_path / "extra", 1)
    dataset = pydicom.dcmread(extra)
    first = pydicom.dcmread(files[0])
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = first.StudyInstanceUID, first.SeriesInstanceUID
    dataset.save_as(extra)
    answers = []

    class Nosy(HostileArchive):
        def move(self, event):
            answers.append(send(self.peer(), extra, title="STRANGER"))
            yield from super().move(event)

    with Nosy(files, {}) as server:
        archive = open_archive(server.peer(retrieve="move"), Way.DIMSE)
        (outcome,) = pull_matching(archive, Query(patient_id="X"), tmp_path / "out")
    assert outcome.arrived and answers == [False]
    assert len(list((tmp_path / "out" / folder_of(files[0])).iterdir())) == 4


def test_hosts_that_are_not_known_and_a_port_that_cannot_be_opened_are_told():
    with pytest.raises(InputError, match="not a known host"):
        allowed_senders(peer(senders=("no.such.host.invalid",)))
    with pytest.raises(InputError, match="not known"):
        listening_address(peer(host="no.such.host.invalid"))
    settings = peer(own_address="192.0.2.1")
    with pytest.raises(NetworkError, match="own_address"), our_port(settings):
        pass


@pytest.mark.parametrize(
    "line", ["senders = '10.0.0.5'", "senders = [1]", "senders = []", "sender_titles = ['x' , '']"]
)
def test_settings_of_the_port_that_cannot_be(tmp_path, line):
    (tmp_path / "servers.toml").write_text(f"[x]\nhost = 'a'\n{line}\n")
    with pytest.raises(InputError, match="Server 'x'"):
        read_peer(tmp_path / "servers.toml", "x", {})
    (tmp_path / "servers.toml").write_text("[x]\nhost = 'a'\nsenders = ['b', '10.0.0.0/24']\nsender_titles = ['C']\n")
    read = read_peer(tmp_path / "servers.toml", "x", {})
    assert (read.senders, read.sender_titles) == (("b", "10.0.0.0/24"), ("C",))


@contextmanager
def answering(find) -> Iterator[Peer]:
    entity = AE("ARCHIVE")
    entity.add_supported_context(FIND)
    settings = peer(own_port=0)
    server = entity.start_server(("127.0.0.1", settings.port), block=False, evt_handlers=[(evt.EVT_C_FIND, find)])
    try:
        yield settings
    finally:
        server.shutdown()


def endless(event: evt.Event) -> Iterator[tuple[int, Dataset]]:
    number = 0
    while not event.is_cancelled:
        number += 1
        answer = Dataset()
        answer.QueryRetrieveLevel = event.identifier.QueryRetrieveLevel
        answer.StudyInstanceUID, answer.SeriesInstanceUID = "1.2", f"1.2.{number}"
        yield 0xFF00, answer


def test_a_search_without_an_end_is_ended(monkeypatch):
    monkeypatch.setattr(dimse, "MOST_ENTRIES", 50)
    with answering(endless) as settings, pytest.raises(NetworkError, match="51 entries and still more"):
        open_archive(settings).find_series(Query(study_uid="1.2"))


def test_a_search_that_takes_longer_than_its_deadline_is_ended():
    def slow(event: evt.Event) -> Iterator[tuple[int, Dataset]]:
        for answer in endless(event):
            time.sleep(0.3)
            yield answer

    with answering(slow) as settings:
        settings = Peer(**{**settings.__dict__, "deadline": 2.0})
        with pytest.raises(NetworkError, match="did not answer completely"):
            open_archive(settings).find_series(Query(study_uid="1.2"))


def test_a_server_that_sends_a_byte_now_and_then_is_left():
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip() -> None:
            connection, _ = server.accept()
            with connection:
                for byte in b"\x02\x00\x00\x00\x00\xff" + bytes(300):
                    try:
                        connection.sendall(bytes([byte]))
                    except OSError:
                        return
                    time.sleep(0.2)

        threading.Thread(target=drip, daemon=True).start()
        settings = peer(port=server.getsockname()[1], own_port=0, deadline=2.0, timeout=60.0)
        begin = time.monotonic()
        with pytest.raises(NetworkError):
            open_archive(settings).find_series(Query(study_uid="1.2"))
        assert time.monotonic() - begin < 40, "the time limits of the library begin anew with every byte"


@pytest.mark.parametrize("retrieve", ["get", "move"])
def test_a_series_larger_than_allowed_is_ended(tmp_path, retrieve):
    files = write_ct(tmp_path / "ct", 40)
    with HostileArchive(files, {}) as server:
        archive = open_archive(server.peer(retrieve=retrieve, largest_series_gb=20e-6), Way.DIMSE)
        with pytest.raises(NetworkError, match="largest_series_gb"):
            pull_matching(archive, Query(patient_id="X"), tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []
