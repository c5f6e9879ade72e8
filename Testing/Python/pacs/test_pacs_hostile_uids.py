"""Identifiers that are paths: nothing outside our own folders is made or removed, a bad series is left out."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pydicom
import pytest
from dicom_writing import write_ct
from hostile_archive import HostileArchive
from orthanc_server import free_port
from pydicom.dataset import Dataset
from test_pacs_archive import WAYS, folder_of
from watch_cases import Watch

from KidneySegLib.errors import InputError, NetworkError
from KidneySegLib.pacs.archive import Query, RemoteSeries
from KidneySegLib.pacs.connection import Way, open_archive
from KidneySegLib.pacs.identifiers import is_orthanc_id, is_uid, own_name
from KidneySegLib.pacs.peers import Peer
from KidneySegLib.pacs.receiving import Receiver
from KidneySegLib.pacs.transfer.pull import pull_matching
from KidneySegLib.pacs.watching.work_queue import State
from KidneySegLib.readers.dicom.finding.scan import quiet_pydicom

HOSTILE = ["../../precious", "..", ".", ".1.2", "/etc", "C:\\x", "1.2/../../precious", "1.2\n3", "1" * 65, "~", "1.2*"]


def write_with_uids(folder: Path, files: list[Path], **uids: str) -> list[Path]:
    """Writes copies of files with identifiers that no writer would let pass."""
    folder.mkdir(parents=True)
    for file in files:
        with quiet_pydicom():
            dataset = pydicom.dcmread(file)
            for keyword, value in uids.items():
                dataset[keyword]._value = value
            dataset.save_as(folder / file.name)
    return sorted(folder.iterdir())


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("uid", [*HOSTILE, "", "1.2 ", "1.2\0", "١.٢", "-1.2"])
def test_what_is_no_uid(uid):
    assert not is_uid(uid)
    for study, series in ((uid, "1.2"), ("1.2", uid)):
        with pytest.raises(InputError, match="identifier"):
            RemoteSeries(study, series, "CT", "", 1)


def test_what_is_a_uid_and_what_names_are_made_of_it():
    assert all(is_uid(uid) for uid in ("1.2.840.10008.1", "2.25." + "9" * 39, "1.02.3", "1" * 64))
    assert is_orthanc_id("0123abcd-" * 4 + "0123abcd") and not is_orthanc_id("../system") and not is_orthanc_id(None)
    names = {own_name("series", uid) for uid in [*HOSTILE, "1.2", "1.2.", "1.20", "\udcff"]}
    assert len(names) == len(HOSTILE) + 4 and all(name.isascii() and name[7:].isalnum() for name in names)


@pytest.mark.parametrize("keyword", ["StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"])
@pytest.mark.parametrize("uid", HOSTILE)
def test_an_image_with_such_an_identifier_is_not_written(tmp_path, keyword, uid):
    image = Dataset()
    image.StudyInstanceUID, image.SeriesInstanceUID, image.SOPInstanceUID = "1", "1.2", "1.2.3"
    with quiet_pydicom():
        setattr(image, keyword, uid)
    with pytest.raises(InputError, match="Nothing of"):
        Receiver(tmp_path / "a" / "b" / "in", "1", "1.2").take(b"", image)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


@pytest.mark.parametrize(("way", "retrieve"), WAYS)
@pytest.mark.parametrize("uid", ["../../precious", "../precious", ".."])
def test_a_real_archive_with_such_a_series_gives_the_others_and_loses_no_folder(
    orthanc, tmp_path, caplog, way, retrieve, uid
):
    precious = tmp_path / "a" / "precious"
    precious.mkdir(parents=True)
    (precious / "thesis.txt").write_text("the only copy")
    good = write_ct(tmp_path / "good", 4)
    study = str(pydicom.dcmread(good[0]).StudyInstanceUID)
    bad = write_with_uids(
        tmp_path / "bad",
        write_ct(tmp_path / "better", 6, StudyInstanceUID=study, SeriesNumber=3),
        SeriesInstanceUID=uid,
    )
    orthanc.send(*good, *bad)
    before = snapshot(precious)
    archive = open_archive(orthanc.peer(retrieve=retrieve), way)
    (outcome,) = pull_matching(archive, Query(patient_id="SECRET-ID"), tmp_path / "a" / "out")
    assert outcome.arrived and outcome.sentence.startswith("Study 1 of 1: 4 images")
    assert "1 series whose identifiers are not valid" in caplog.text and uid not in caplog.text
    assert [path.name for path in (tmp_path / "a" / "out").iterdir()] == [folder_of(good[0])]
    assert snapshot(precious) == before and sorted(path.name for path in (tmp_path / "a").iterdir()) == [
        "out",
        "precious",
    ]


@pytest.mark.parametrize(("way", "retrieve"), WAYS)
def test_a_watch_goes_on_with_the_other_series_and_studies(orthanc, tmp_path, caplog, way, retrieve):
    caplog.set_level(logging.INFO)
    work = tmp_path / "a" / "work"
    (tmp_path / "a" / "precious").mkdir(parents=True)
    (tmp_path / "a" / "precious" / "thesis.txt").write_text("the only copy")
    good = write_ct(tmp_path / "good", 4)
    study = str(pydicom.dcmread(good[0]).StudyInstanceUID)
    better = write_ct(tmp_path / "better", 6, StudyInstanceUID=study, SeriesNumber=3)
    orthanc.send(*good, *write_with_uids(tmp_path / "bad", better, SeriesInstanceUID="../../../precious"))
    alone = write_ct(tmp_path / "alone", 4, StudyInstanceUID="1.2.8")
    orthanc.send(*write_with_uids(tmp_path / "worse", alone, SeriesInstanceUID=".."))
    lost = write_ct(tmp_path / "lost", 4)
    orthanc.send(*write_with_uids(tmp_path / "worst", lost, StudyInstanceUID="../../precious"))
    orthanc.wait_until_stable()
    peer = orthanc.peer(retrieve=retrieve, **({"dicomweb": ""} if way is Way.DIMSE else {}))
    states = sorted(job.state for job in Watch(peer, work).once())
    assert states == [State.DONE, State.REFUSED, State.REFUSED]
    assert len(orthanc.instances("SR")) == 1
    assert (tmp_path / "a" / "precious" / "thesis.txt").read_text() == "the only copy"
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == ["precious", "work"]
    assert "precious" not in caplog.text


@pytest.mark.parametrize("retrieve", ["get", "move"])
@pytest.mark.parametrize(
    ("keyword", "uid", "word"),
    [
        ("SOPInstanceUID", "../../precious/x", "identifier"),
        ("SeriesInstanceUID", "../../precious", "another series"),
        ("StudyInstanceUID", "1.2.999", "another series"),
    ],
)
def test_a_peer_whose_images_differ_from_its_list_leaves_nothing(tmp_path, retrieve, keyword, uid, word):
    """Orthanc would not: this one lists a sound series, and then sends images that are something else."""
    files = write_ct(tmp_path / "ct", 4)
    with HostileArchive(files, {keyword: uid}) as server:
        archive = open_archive(server.peer(retrieve=retrieve), Way.DIMSE)
        (outcome,) = pull_matching(archive, Query(patient_id="X"), tmp_path / "a" / "out")
    assert not outcome.arrived and word in outcome.sentence and "precious" not in outcome.sentence
    assert [path.name for path in (tmp_path / "a").rglob("*")] == ["out"]


def test_one_bad_series_of_a_peer_is_left_out_with_a_remark(tmp_path):
    good = write_ct(tmp_path / "good", 4)
    study = str(pydicom.dcmread(good[0]).StudyInstanceUID)
    better = write_ct(tmp_path / "better", 6, StudyInstanceUID=study)
    with HostileArchive([*good, *better], {"SOPInstanceUID": "../x"}, spoil=better) as server:
        archive = open_archive(server.peer(retrieve="get"), Way.DIMSE)
        (outcome,) = pull_matching(archive, Query(patient_id="X"), tmp_path / "out")
    assert outcome.arrived and "4 images" in outcome.sentence and "was left out: The server sent" in outcome.sentence
    assert [path.name for path in (tmp_path / "out").iterdir()] == [folder_of(good[0])]


class Web(BaseHTTPRequestHandler):
    """A DICOMweb server that lists one series and sends whatever it was told to."""

    listed: list[dict] = []
    files: list[bytes] = []

    def do_GET(self) -> None:  # noqa: N802
        if self.path.split("?")[0].endswith(("/series", "/studies")):
            body = b"[]" if "offset=1" in self.path else json.dumps(self.listed).encode()
            kind = "application/dicom+json"
        else:
            kind = 'multipart/related; type="application/dicom"; boundary=xx'
            parts = [b"--xx\r\nContent-Type: application/dicom\r\n\r\n" + file + b"\r\n" for file in self.files]
            body = b"".join(parts) + b"--xx--"
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def web(listed: list[dict[str, str]], files: list[bytes]) -> Iterator[Peer]:
    tags = {"study": "0020000D", "series": "0020000E"}
    entries = [{tags[key]: {"vr": "UI", "Value": [value]} for key, value in entry.items()} for entry in listed]
    handler = type("Handler", (Web,), {"listed": entries, "files": files})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield Peer("web", dicomweb=f"http://127.0.0.1:{server.server_port}")
        finally:
            server.shutdown()


@pytest.mark.parametrize("uid", HOSTILE)
@pytest.mark.parametrize("key", ["study", "series"])
def test_a_web_server_that_lists_such_identifiers(tmp_path, uid, key):
    with web([{"study": "1.2", "series": "1.2.3", **{key: uid}}], []) as peer, pytest.raises(InputError, match="match"):
        pull_matching(open_archive(peer), Query(patient_id="X"), tmp_path / "a" / "out")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("keyword", ["StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"])
def test_a_web_server_that_sends_such_images(tmp_path, keyword):
    file = write_ct(tmp_path / "ct", 1)[0]
    dataset = pydicom.dcmread(file)
    listed = {"study": str(dataset.StudyInstanceUID), "series": str(dataset.SeriesInstanceUID)}
    (bad,) = write_with_uids(tmp_path / "bad", [file], **{keyword: "../../precious"})
    with web([listed], [bad.read_bytes()]) as peer:
        outcomes = pull_matching(open_archive(peer), Query(series_uid=listed["series"]), tmp_path / "a" / "out")
    assert [outcome.arrived for outcome in outcomes] == [False]
    assert [path.name for path in (tmp_path / "a").rglob("*")] == ["out"]


def test_a_server_that_lists_another_study_than_was_asked_for(tmp_path):
    """One that does not know a filter would otherwise bring the images of somebody else."""
    with web([{"study": "1.9", "series": "1.9.1"}], []) as peer:
        assert open_archive(peer).find_series(Query(study_uid="1.2")) == []
        assert open_archive(peer).find_series(Query(series_uid="1.2.3")) == []
    nobody = Peer("x", host="127.0.0.1", port=free_port(), timeout=1.0)
    with pytest.raises(NetworkError):
        open_archive(nobody).find_series(Query(study_uid="1.2"))


def test_bytes_that_are_no_image_do_not_end_a_retrieval_with_a_traceback(tmp_path):
    sound = [{"study": "1.2", "series": "1.2.3"}]
    with web(sound, [b"x" * 200]) as peer, pytest.raises(NetworkError, match="not what was asked for"):
        pull_matching(open_archive(peer), Query(series_uid="1.2.3"), tmp_path / "out")
