"""Retrieving in a process of its own: a harmful study then ends that one, and not the watch.

The child (``retrieval_child``) is asked over its standard input and ends when that is closed, so none outlives a parent
that is killed. Its memory is limited twice: by the system where that can (``RLIMIT_AS``, Linux), and by this side,
which looks at it ten times a second (everywhere).
"""

import dataclasses
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from KidneySegLib import errors
from KidneySegLib.errors import KidneySegError
from KidneySegLib.flags import Flag
from KidneySegLib.pacs.archive import Archive, RemoteSeries
from KidneySegLib.pacs.engine_environment import engine_environment
from KidneySegLib.pacs.transfer.fetch import Fetched

MOST_MEMORY = 4 << 30  # bytes; a multi-frame CT of 1 GB is held three times while it is received
LONGEST = 3600.0  # seconds; what takes longer hangs
_LOOK = 0.1  # seconds between two looks at the child
_LONGEST_ANSWER = 1 << 20
# What a server may need besides the engine's: requests finds certificates and proxies there.
# fmt: off
_NETWORK = (
    "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR",
    "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy",
)
# fmt: on
_KINDS = {kind.__name__: kind for kind in vars(errors).values() if isinstance(kind, type)}


def retrieve_in_process(
    archive: Archive, series: Sequence[RemoteSeries], folder: Path, *, named: bool = False
) -> Fetched:
    """Does in a child process what ``fetch.fetch_best`` does, or ``fetch.fetch_series`` for a named one.

    Raises:
        InputError: no series can be used.
        NetworkError: the archive is away, or images are missing.
        ResourceError: the disk has too little space.
        OutputError: the images cannot be written.
        KidneySegError: the child took too much memory or time, or crashed.
    """
    request = {
        "peer": dataclasses.asdict(archive.peer),
        "way": archive.way,
        "series": [dataclasses.asdict(item) for item in series],
        "folder": str(folder.absolute()),
        "named": named,
        "memory": MOST_MEMORY,
    }
    environment = engine_environment(os.environ) | {key: os.environ[key] for key in _NETWORK if key in os.environ}
    child = subprocess.Popen(
        [sys.executable, "-m", "KidneySegLib.pacs.transfer.retrieval_child"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
    )
    try:
        answer = _ask(child, request)
    finally:
        child.kill()
        child.wait()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                pipe.close()
    return _result(answer, series)


def _ask(child: subprocess.Popen[bytes], request: dict[str, Any]) -> dict[str, Any]:
    """Returns the child's answer.

    Raises:
        KidneySegError: it took too much memory or time, or ended without one.
    """
    assert child.stdin is not None and child.stdout is not None
    answers: list[bytes] = []
    stdout = child.stdout
    reader = threading.Thread(target=lambda: answers.append(stdout.readline(_LONGEST_ANSWER)), daemon=True)
    reader.start()
    try:
        # the pipe stays open: its end would end the child
        child.stdin.write(json.dumps(request).encode() + b"\n")
        child.stdin.flush()
    except OSError:
        pass  # it has crashed, which is told below
    end = time.monotonic() + LONGEST
    while reader.is_alive():
        reader.join(_LOOK)
        if time.monotonic() > end:
            raise KidneySegError(f"The study could not be retrieved within {LONGEST:.0f} s.")
        if _memory_of(child.pid) > MOST_MEMORY:
            raise KidneySegError(_TOO_MUCH)
    try:
        answer = json.loads(answers[0])
    except ValueError:
        code = child.wait()
        how = f"signal {-code}, perhaps for lack of memory" if code < 0 else f"exit code {code}"
        raise KidneySegError(f"The process that retrieves ended with {how}.") from None
    return answer


_TOO_MUCH = (
    f"The study took more than {MOST_MEMORY >> 30} GB of memory while it was retrieved, as no CT series does. "
    "It may be damaged or harmful."
)


def _result(answer: dict[str, Any], series: Sequence[RemoteSeries]) -> Fetched:
    if "said" not in answer:
        choice = tuple(Flag.from_dict(flag) for flag in answer["choice"])
        return Fetched(series[answer["number"]], answer["images"], tuple(answer["remarks"]), choice)
    kind = _KINDS.get(answer["kind"])
    if kind is None or not issubclass(kind, KidneySegError):
        said = _TOO_MUCH if answer["kind"] == MemoryError.__name__ else f"Retrieving failed ({answer['kind']})."
        raise KidneySegError(said)
    raise kind(answer["said"])


def _memory_of(pid: int) -> int:
    import psutil

    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return 0
