"""Servers that answer slowly, for ever, or with something else; the volume is that of images that lie on the disk.

Each case asks a server that answers strangely to all or to some requests. Whatever it says, the end is one sentence, or
nothing worse than what a server without studies would bring.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from contextlib import closing
from functools import partial
from pathlib import Path

import numpy as np
from strange_server import StrangeServer, dripping, endless, head, page, series_entry

from Fuzz.case import Case, Expected
from Fuzz.truth import write
from KidneySegLib.errors import KidneySegError
from KidneySegLib.exam import Exam
from KidneySegLib.pacs.archive import Query, RemoteSeries
from KidneySegLib.pacs.peers import Peer
from KidneySegLib.pacs.transfer.pull import pull_matching
from KidneySegLib.pacs.transfer.push import push_files
from KidneySegLib.pacs.watching.watcher import Watcher
from KidneySegLib.pacs.watching.work_queue import WorkQueue
from KidneySegLib.pacs.web.dicomweb import DicomWeb
from KidneySegLib.pacs.web.orthanc import Orthanc
from KidneySegLib.readers.input import read_input

Answer = Callable[[], Iterable[bytes]]
Ask = Callable[[Peer, Path], None]
_QUERY = Query(study_uid="1.2", patient_id="Secret^Patient")
_SERIES = RemoteSeries("1.2", "1.2.3", "CT", "", 3)
_ORTHANC_ID = "-".join(["01234567"] * 5)


def servers() -> list[Case]:
    """Returns the cases; their names are unique."""
    strange = [(f"answers {name}", partial(page, body), ask) for name, body in _bodies() for ask in _ASKS]
    slow = [(name, answer, ask) for name, answer in _SLOW.items() for ask in ("search", "push", "changes", "images")]
    changes = [(f"changes {name}", partial(page, body), "changes") for name, body in _changes().items()]
    cases = []
    for name, answer, ask in [*strange, *slow, *changes]:
        # a search may find nothing in what it is told, and headers that cannot be read are done without
        expected = Expected(None if (name, ask) not in _SURE and ask in ("search", "headers") else False)
        cases.append(Case(f"{name}: {ask}", "strange servers", _images, expected, reader=partial(_read, answer, ask)))
    return cases


def _images(folder: Path, _: np.random.Generator) -> Path:
    return write(folder)[0].parent


def _read(answer: Answer, ask: str, folder: Path) -> Exam:
    with StrangeServer(lambda method, path: answer()) as server:
        _ASKS[ask](server.peer(deadline=0.3, largest_series_gb=0.02), folder)
    return read_input(folder)


def _search(peer: Peer, folder: Path) -> None:
    DicomWeb(peer).find_series(_QUERY)


def _headers(peer: Peer, folder: Path) -> None:
    DicomWeb(peer).headers(_SERIES)


def _push(peer: Peer, folder: Path) -> None:
    push_files(peer, [folder])


def _images_of(peer: Peer, folder: Path) -> None:
    """A sound list, and then images as the server sends them."""
    archive = DicomWeb(peer)
    archive.find_series = lambda query: [_SERIES]
    (outcome,) = pull_matching(archive, Query(series_uid="1.2.3"), folder.parent / "out")
    raise KidneySegError(outcome.sentence)


def _study(peer: Peer, folder: Path) -> None:
    Orthanc(peer).study(_ORTHANC_ID)


def _look(peer: Peer, folder: Path) -> None:
    """A watch looks, waits and goes on; what it would say in its log is the sentence."""
    said: list[str] = []
    with closing(WorkQueue(folder.parent / "work")) as queue:
        watcher = Watcher(Orthanc(peer), queue, None)
        watcher._wait_for = lambda reason: bool(said.append(reason))
        watcher.look()
    if said and not said[0].startswith("unexpected"):
        raise KidneySegError(said[0])
    if said:
        raise ValueError(said[0])


_ASKS: dict[str, Ask] = {
    "search": _search,
    "headers": _headers,
    "push": _push,
    "changes": _look,
    "study": _study,
    "images": _images_of,
}


def _bodies() -> list[tuple[str, object]]:
    name = "Secret^Patient"
    return [
        ("an empty object", {}),
        ("null", None),
        ("a number", 17),
        ("a text", name),
        ("numbers", [17, 1e300, -1]),
        ("nulls", [None, None]),
        ("lists of lists", [[[]]]),
        ("deep lists", "[" * 50_000 + "]" * 50_000),
        ("deep objects", '{"a":' * 50_000),
        ("NaN", "[NaN, Infinity]"),
        ("a number of 10,000 digits", "[" + "9" * 10_000 + "]"),
        ("bytes that are no text", b"\xff\xfe\x00[]"),
        ("a page for people", f"<html>{name}</html>".encode()),
        ("half a list", '[{"0020000D": {"vr": "UI", '),
        ("wrong types in tags", [{"0020000D": 17, "0020000E": [name], "00080060": None}]),
        ("unknown tags", [{name: {"vr": "PN", "Value": [name]}, "zzzz": {}}]),
        ("a wrong VR", [{"0020000D": {"vr": "XX", "Value": ["1.2"]}}]),
        ("values that are objects", [{"0020000E": {"vr": "UI", "Value": [{"a": {}}]}}]),
        ("a sequence in itself", [{"00081199": {"vr": "SQ", "Value": [{"00081199": {"vr": "SQ", "Value": 3}}]}}]),
        ("a hostile series", [series_entry("../../x", f"{name}\n", 1e300)]),
        ("an instance of another study", [{"00080018": {"vr": "UI", "Value": ["1.2.99"]}}]),
    ]


_SLOW: dict[str, Answer] = {
    "one byte after the other": lambda: dripping(head() + b"["),
    "headers one byte after the other": lambda: dripping(b"HTTP/1.1 200 OK\r\nX-A: "),
    "a list without end": lambda: endless(head() + b"[", b"{},"),
    "headers without end": lambda: endless(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"),
    "a chunk without end": lambda: endless(head(Transfer_Encoding="chunked") + b"fffffffff\r\n", b"[" * 1000),
    "a wrong chunk": lambda: [head(Transfer_Encoding="chunked"), b"zz\r\n[]\r\n"],
    "less than it promises": lambda: [head(Content_Length="1000"), b"["],
    "a length that is none": lambda: [head(Content_Length="many"), b"<"],
    "compressed bytes": lambda: [head(Content_Encoding="gzip"), b"\x1f\x8b" + bytes(50)],
    "no HTTP": lambda: [b"220 mail.example ESMTP\r\n"],
    "nothing": lambda: [],
    "a redirection to itself": lambda: [head(status="302 Found", Location="/again", Content_Length="0")],
    "parts without end": lambda: endless(
        head('multipart/related; type="application/dicom"; boundary=b'),
        b"\r\n--b\r\nContent-Type: application/dicom\r\n\r\nnothing",
    ),
    "a part without end": lambda: endless(
        head('multipart/related; type="application/dicom"; boundary=b') + b"\r\n--b\r\n\r\n", bytes(1000)
    ),
    "a server error": lambda: page("Secret^Patient", status="500 Internal Server Error"),
}
_SURE = {(name, "search") for name in _SLOW}


def _changes() -> dict[str, object]:
    good = {"Seq": 1, "ChangeType": "NewStudy", "ID": _ORTHANC_ID}
    return {
        "without a list": {"Last": 1, "Done": True},
        "as an object": {"Changes": {}, "Last": 1, "Done": True},
        "with a last that is text": {"Changes": [good], "Last": "1", "Done": True},
        "with a last that is true": {"Changes": [good], "Last": True, "Done": True},
        "beyond all numbers": json.loads('{"Changes": [], "Last": 1' + "0" * 40 + ', "Done": true}'),
        "that lead backwards": {"Changes": [good], "Last": -4, "Done": True},
        "that never go on": {"Changes": [], "Last": 0, "Done": False},
        "with a number beyond the last": {"Changes": [{**good, "Seq": 9}], "Last": 1, "Done": True},
        "with a kind that is a list": {"Changes": [{**good, "ChangeType": []}], "Last": 1, "Done": True},
        "with an ID that is a number": {"Changes": [{**good, "ID": 5}], "Last": 1, "Done": True},
    }
