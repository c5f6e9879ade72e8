"""The process that receives and parses what an archive sends: ``python -m KidneySegLib.pacs.transfer.retrieval_child``.

It reads one line with the request (JSON, see ``retrieval``), does it, and writes one line with the answer.
"""

import contextlib
import json
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from KidneySegLib.errors import KidneySegError
from KidneySegLib.pacs.archive import RemoteSeries
from KidneySegLib.pacs.connection import Way, open_archive
from KidneySegLib.pacs.peers import Peer
from KidneySegLib.pacs.transfer.fetch import fetch_best, fetch_series


def main() -> None:
    """Answers one request; ends at once when whoever asked is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent ends this process
    request = json.loads(sys.stdin.buffer.readline())
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _limit_memory(request["memory"])
    with contextlib.redirect_stdout(sys.stderr):  # a library's remark must not be taken for the answer
        answer = _answer(request)
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()
    os._exit(0)  # threads of a connection that was cut may still wait


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    peer = request["peer"]
    lists = {key: tuple(value) for key, value in peer.items() if isinstance(value, list)}
    series = [RemoteSeries(**item) for item in request["series"]]
    try:
        archive = open_archive(Peer(**{**peer, **lists}), Way(request["way"]))
        folder = Path(request["folder"])
        fetched = fetch_series(archive, series[0], folder) if request["named"] else fetch_best(archive, series, folder)
    except KidneySegError as error:
        return {"kind": type(error).__name__, "said": str(error)}
    except Exception as error:  # its text may hold anything
        return {"kind": type(error).__name__, "said": ""}
    return {
        "number": series.index(fetched.series),
        "images": fetched.images,
        "remarks": fetched.remarks,
        "choice": [flag.to_dict() for flag in fetched.choice],
    }


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(1)


def _limit_memory(most: int) -> None:
    """Makes this process the one that suffers when memory runs out: MemoryError here, or the system ends it first."""
    try:
        import resource
    except ImportError:  # Windows; the parent looks at the memory
        return
    import psutil

    held = psutil.Process().memory_info().vms
    with contextlib.suppress(OSError, ValueError):  # macOS knows the limit and does not keep it
        resource.setrlimit(resource.RLIMIT_AS, (held + most, resource.getrlimit(resource.RLIMIT_AS)[1]))
    with contextlib.suppress(OSError):  # Linux
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")


if __name__ == "__main__":
    main()
