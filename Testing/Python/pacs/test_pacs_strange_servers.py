"""Servers that answer slowly, for ever, or with something else: one sentence each, and the watch goes on."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from contextlib import closing
from itertools import count
from pathlib import Path

import pytest
from dicom_writing import write_ct
from orthanc_server import OrthancServer
from strange_server import StrangeServer, dripping, endless, head, page, series_entry

from KidneySegLib.errors import InputError, NetworkError
from KidneySegLib.pacs.archive import Query, RemoteSeries
from KidneySegLib.pacs.connection import Way, open_archive
from KidneySegLib.pacs.receiving import Receiver
from KidneySegLib.pacs.transfer.outgoing import outgoing_files
from KidneySegLib.pacs.transfer.push import push_files
from KidneySegLib.pacs.watching.watcher import Watcher
from KidneySegLib.pacs.watching.work_queue import WorkQueue
from KidneySegLib.pacs.web import paging
from KidneySegLib.pacs.web.dicomweb import DicomWeb
from KidneySegLib.pacs.web.orthanc import Orthanc
from KidneySegLib.pacs.web.session import http_errors, open_session

STUDY = Query(study_uid="1.2")
HTML = page("<html>Please log in</html>", "text/html")
DEEP = "[" * 100_000
STRANGE_JSON = [{}, None, 17, "text", [17], [None], [[]], [{"0020000E": 17}], [{"00080060": {"vr": "CS"}}], [{"x": {}}]]


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        (lambda: dripping(head() + b"["), "too slow"),
        (lambda: dripping(b"HTTP/1.1 200 OK\r\nX-Long: "), "too slow"),
        (lambda: dripping(b""), "too slow"),
        (lambda: endless(head() + b"[", b"{},"), "more than 1 MB"),
        (lambda: endless(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"), "cannot be reached"),
        (lambda: endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), "more than 1 MB"),
        (lambda: [head(Content_Encoding="gzip", Content_Length="3"), b"abc"], "compresses"),
        (lambda: [head(Content_Length="100"), b"[]"], "cannot be reached"),
    ],
)
def test_an_answer_is_bounded_in_time_and_size(answer, word: str) -> None:
    """One byte a second went on for ever: the socket's timeout begins anew with each byte."""
    with StrangeServer(lambda method, path: answer()) as server:
        peer = server.peer(deadline=0.5)
        with pytest.raises(NetworkError, match=word), http_errors(peer):
            open_session(peer, 1_000_000).get(peer.rest, timeout=peer.timeout)


def test_a_server_may_think_longer_than_its_answer_may_take() -> None:
    def late(method: str, path: str) -> Iterable[bytes]:
        import time

        time.sleep(0.4)
        return page([])

    with StrangeServer(late) as server:
        assert DicomWeb(server.peer(deadline=0.2)).find_series(STUDY) == []


def test_a_large_answer_may_take_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("KidneySegLib.pacs.web.bounds.SLOWEST", 2_000)

    def steady(method: str, path: str) -> Iterable[bytes]:
        import time

        yield head(Content_Length="4000")
        for _ in range(8):
            time.sleep(0.1)
            yield b" " * 500

    with StrangeServer(steady) as server:
        peer = server.peer(deadline=0.3)
        assert len(open_session(peer).get(peer.rest, timeout=2).content) == 4000


@pytest.mark.parametrize("body", [*STRANGE_JSON, DEEP, "[NaN", '[{"0020000D": NaN}]', b"\xff\xfe", "<html>"])
def test_a_search_answered_by_something_else_is_one_sentence(body: object) -> None:
    with StrangeServer(lambda method, path: page(body)) as server:
        archive = DicomWeb(server.peer())
        for ask in (lambda: archive.find_series(STUDY), lambda: archive.find_series(Query(patient_id="SECRET"))):
            try:
                assert all(item.series_uid for item in ask())
            except NetworkError as error:
                assert "not what was asked for" in str(error) and "SECRET" not in str(error)


def test_entries_of_wrong_types_are_made_harmless() -> None:
    entries = [series_entry("1.2.3", "DOE^JANE\nWARNING", 1e300), series_entry("1.2.4", "ct", -1), {}]
    with StrangeServer(lambda method, path: page(entries)) as server:
        one, other = DicomWeb(server.peer()).find_series(STUDY)
    assert (one.modality, one.images) == ("unknown objects", None) and (other.modality, other.images) == ("CT", None)


def test_a_server_that_leaves_the_offset_aside_gives_each_series_once() -> None:
    """The search asked for page after page and never ended."""
    with StrangeServer(lambda method, path: page([series_entry("1.2.3"), series_entry("1.2.4")])) as server:
        series = DicomWeb(server.peer()).find_series(STUDY)
        assert [item.series_uid for item in series] == ["1.2.3", "1.2.4"] and len(server.asked) == 4


def test_pages_without_end_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "MOST_ENTRIES", 500)
    numbers = count()
    with (
        StrangeServer(lambda method, path: page([series_entry(f"1.2.{next(numbers)}") for _ in range(100)])) as server,
        pytest.raises(NetworkError, match="lists 600 entries and still more"),
    ):
        DicomWeb(server.peer(deadline=60.0)).find_series(STUDY)


def test_series_of_another_kind_than_asked_for_are_left_aside() -> None:
    with StrangeServer(lambda method, path: page([series_entry("1.2.3"), series_entry("1.2.4")])) as server:
        series = DicomWeb(server.peer()).find_series(Query(series_uid="1.2.4"))
    assert [item.series_uid for item in series] == ["1.2.4"]


def multipart(part: bytes) -> Iterable[bytes]:
    start = head('multipart/related; type="application/dicom"; boundary=b')
    return endless(start, b"\r\n--b\r\nContent-Type: application/dicom\r\n\r\n" + part)


def test_images_without_end_stop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "_LATE_IMAGES", 5)
    image = write_ct(tmp_path / "ct", 1, StudyInstanceUID="1.2", SeriesInstanceUID="1.2.3")[0].read_bytes()
    series = RemoteSeries("1.2", "1.2.3", "CT", "", 3)
    for part, limit, word in ((image, 1.0, "more images than the series has"), (b"x", 0.005, "more than 5 MB")):
        part = part if part is image else b"x" * 1_000_000 * 20
        with StrangeServer(lambda method, path, part=part: multipart(part)) as server:
            archive = DicomWeb(server.peer(largest_series_gb=limit, deadline=20.0))
            with pytest.raises(NetworkError, match=word):
                archive.retrieve(series, Receiver(tmp_path / "in", "1.2", "1.2.3"))


@pytest.mark.parametrize("answer", [HTML, *map(page, ["", {}, [], 17, DEEP])])
def test_stored_is_only_what_is_confirmed_or_found(tmp_path: Path, answer: list[bytes]) -> None:
    """Any answer with HTTP 200 was "Stored 3 files"."""
    write_ct(tmp_path / "ct", 3)
    with StrangeServer(lambda method, path: answer) as server, pytest.raises(NetworkError):
        push_files(server.peer(), [tmp_path / "ct"])


def test_an_answer_that_names_two_of_three_is_not_enough(tmp_path: Path) -> None:
    write_ct(tmp_path / "ct", 3)
    uids = [file.sop_instance_uid for file in outgoing_files([tmp_path / "ct"])]

    def referenced(some: list[str]) -> list[bytes]:
        items = [{"00081155": {"vr": "UI", "Value": [uid]}} for uid in some]
        return page({"00081199": {"vr": "SQ", "Value": items}})

    # the search leaves its filter aside and lists another instance
    found = page([{"00080018": {"vr": "UI", "Value": [uids[0]]}}])
    for named, stored in ((uids, True), (uids[:2], False)):
        with StrangeServer(lambda method, path, n=named: referenced(n) if method == "POST" else found) as server:
            if stored:
                assert push_files(server.peer(), [tmp_path / "ct"])[0] == 3
            else:
                with pytest.raises(NetworkError, match="neither confirms nor lists 1 of them"):
                    push_files(server.peer(), [tmp_path / "ct"])


def test_an_answer_without_words_is_believed_when_the_files_are_found(tmp_path: Path, orthanc: OrthancServer) -> None:
    write_ct(tmp_path / "ct", 2)
    archive = open_archive(orthanc.peer(), Way.DICOMWEB)
    files = outgoing_files([tmp_path / "ct"])
    orthanc.send(*[file.path for file in files])
    archive._store = lambda datasets: __import__("pydicom").Dataset()
    archive.store(files)


CHANGES = {"Changes": [], "Last": 0, "Done": True}


@pytest.mark.parametrize(
    "body",
    [
        *STRANGE_JSON,
        DEEP,
        "<html>",
        "NaN",
        {"Changes": [], "Last": "1", "Done": True},
        {"Changes": [], "Last": True, "Done": True},
        {"Changes": [], "Last": 10**30, "Done": True},
        {"Changes": [], "Last": -1, "Done": True},
        {"Changes": [], "Last": 0, "Done": False},
        {"Changes": {}, "Last": 0, "Done": True},
        {"Changes": [{"Seq": 1}], "Last": 1, "Done": True},
        {"Changes": [{"Seq": 2, "ChangeType": "NewStudy", "ID": "a"}], "Last": 1, "Done": True},
        {"Changes": [{"Seq": 1, "ChangeType": ["NewStudy"], "ID": 3}], "Last": 1, "Done": True},
    ],
)
def test_a_watch_waits_whatever_the_server_says(tmp_path: Path, caplog: pytest.LogCaptureFixture, body: object) -> None:
    """`{}` ended it with KeyError, deep nesting with RecursionError, a page that repeats never."""
    caplog.set_level(logging.INFO)
    answers = [page(body), page(CHANGES)]
    with StrangeServer(lambda method, path: answers[0]) as server, closing(WorkQueue(tmp_path / "work")) as queue:
        watcher = Watcher(Orthanc(server.peer()), queue, None)
        assert not watcher.look() and not watcher.look()
        assert caplog.text.count("does not answer as an Orthanc does") == 1
        answers.pop(0)
        assert watcher.look() and "the wait is over" in caplog.text


def test_what_nobody_foresaw_does_not_end_a_watch(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    class Odd:
        def changes(self, since: int) -> object:
            raise KeyError("DOE^JANE")

    with closing(WorkQueue(tmp_path / "work")) as queue:
        assert not Watcher(Odd(), queue, None).look()
    assert "unexpected error (KeyError)" in caplog.text and "JANE" not in caplog.text


def test_identifiers_of_another_form_never_become_an_address() -> None:
    entry = {"Seq": 1, "ChangeType": "NewStudy", "ID": "../../instances"}
    with StrangeServer(lambda m, p: page({"Changes": [entry], "Last": 1, "Done": True})) as server:
        assert [change.study_id for part in Orthanc(server.peer()).changes(0) for change in part] == [""]


@pytest.mark.parametrize("content", [b"", b"garbage", b"\x00\xff" * 50, b"-----BEGIN CERTIFICATE-----\nAAAA\n"])
def test_a_ca_file_that_holds_no_certificate_is_told_as_such(tmp_path: Path, content: bytes) -> None:
    """It was told as a certificate of the server that cannot be verified."""
    (tmp_path / "ca.pem").write_bytes(content)
    with StrangeServer(lambda method, path: page([])) as server:
        settings = {"ca_bundle": str(tmp_path / "ca.pem")}
        peer = server.peer(**settings, host="127.0.0.1", port=server.server_port, tls=True)
        for way in Way:
            with pytest.raises(InputError, match="holds no certificate"):
                open_archive(peer, way).find_series(STUDY)
