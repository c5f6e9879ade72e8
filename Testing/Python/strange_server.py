"""An HTTP server on loopback that answers with whatever it is told: pages, endless lists, one byte after the other."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import repeat

from KidneySegLib.pacs.peers import Peer

Answer = Callable[[str, str], Iterable[bytes]]  # takes method and path with its query


class StrangeServer(ThreadingHTTPServer):
    """Sends the bytes of each answer as they are; keeps what was asked for in ``asked``."""

    daemon_threads = True

    def __init__(self, answer: Answer) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer = answer
        self.asked: list[str] = []

    def __enter__(self) -> StrangeServer:
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()

    def peer(self, **changes: object) -> Peer:
        address = f"http://127.0.0.1:{self.server_port}"
        settings = {"dicomweb": f"{address}/dicom-web", "rest": address, "timeout": 10.0, "deadline": 10.0}
        return Peer("strange", **{**settings, **changes})


class _Handler(BaseHTTPRequestHandler):
    server: StrangeServer

    def do_GET(self) -> None:  # noqa: N802
        self._read_body()
        self.server.asked.append(self.path)
        try:
            for part in self.server.answer(self.command, self.path):
                self.wfile.write(part)
        except OSError:
            pass  # the other side has had enough
        self.close_connection = True

    do_POST = do_GET  # noqa: N815

    def _read_body(self) -> None:
        if self.headers.get("Transfer-Encoding") == "chunked":
            while size := int(self.rfile.readline(), 16):
                self.rfile.read(size + 2)
            self.rfile.readline()
        self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def log_message(self, *_: object) -> None:
        pass


def head(kind: str = "application/dicom+json", status: str = "200 OK", **headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode()


def page(body: object, kind: str = "application/dicom+json", status: str = "200 OK") -> list[bytes]:
    """A whole answer; anything but text and bytes becomes JSON."""
    content = body if isinstance(body, bytes) else (body if isinstance(body, str) else json.dumps(body)).encode()
    return [head(kind, status, Content_Length=str(len(content))), content]


def dripping(start: bytes, pause: float = 0.02) -> Iterator[bytes]:
    """One byte after the other, for ever."""
    yield start
    while True:
        time.sleep(pause)
        yield b" "


def endless(start: bytes, part: bytes) -> Iterator[bytes]:
    yield start
    yield from repeat(part * (1 + 60_000 // len(part)))


def series_entry(series_uid: str = "1.2.3", modality: str = "CT", images: object = 3) -> dict[str, object]:
    return {
        "0020000D": {"vr": "UI", "Value": ["1.2"]},
        "0020000E": {"vr": "UI", "Value": [series_uid]},
        "00080060": {"vr": "CS", "Value": [modality]},
        "00201209": {"vr": "IS", "Value": [images]},
    }
