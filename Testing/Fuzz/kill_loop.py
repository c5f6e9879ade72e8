#!/usr/bin/env python
"""Kills watcher and server again and again, and counts what was lost or doubled: ``python Testing/Fuzz/kill_loop.py``.

A real Orthanc (Debian: orthanc, orthanc-dicomweb) holds small studies; a watcher works on them, with an engine that
writes valid objects at once. One of the two is ended by ``kill -9`` at a random moment, started again, and so on. At
the end each study must have exactly one set of results.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

TESTING = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTING.parent), str(TESTING), str(TESTING / "Python")]

import requests  # noqa: E402
from orthanc_server import PASSWORD, OrthancServer  # noqa: E402
from test_pacs_archive import write_ct  # noqa: E402

from KidneySegLib.pacs.watching.work_queue import ENDS, WorkQueue  # noqa: E402

PROGRAM = TESTING / "Python" / "pacs" / "watch_cases.py"
MODALITIES = ("SR", "DOC")


def main() -> None:
    """Runs the loop, prints the counts, and ends with 1 if anything was lost or doubled."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=12)
    parser.add_argument("--kills", type=int, default=72, help="of the watcher")
    parser.add_argument("--server-kills", type=int, default=18)
    parser.add_argument("--longest", type=float, default=6.0, help="seconds until a kill at the most")
    parser.add_argument("--dimse", action="store_true", help="over C-GET instead of DICOMweb")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        sys.exit(run(Path(name), arguments))


def run(folder: Path, arguments: argparse.Namespace) -> bool:
    """Returns whether anything was lost or doubled."""
    chance = random.Random(arguments.seed)
    server = OrthancServer(folder / "orthanc")
    server.start()
    try:
        (folder / "gate").mkdir()
        command = [
            sys.executable,
            str(PROGRAM),
            *map(str, (_servers(server, folder, arguments.dimse), folder / "work")),
        ]
        victims = ["watcher"] * arguments.kills + ["server"] * arguments.server_kills
        chance.shuffle(victims)
        arrive = {len(victims) * n // arguments.studies: n for n in range(arguments.studies)}
        hits = Counter()
        for number, victim in enumerate(victims):
            if number in arrive:
                uid = f"1.2.{1000 + arrive[number]}"
                server.send(*write_ct(folder / uid, 4, StudyInstanceUID=uid, SeriesInstanceUID=f"{uid}.1"))
            hits[_kill(victim, server, [*command, str(folder / "gate")], chance.uniform(0.2, arguments.longest))] += 1
        _finish(server, [*command, str(folder / "gate")], folder / "work", arguments.studies)
        return _count(server, folder / "work", arguments, hits)
    finally:
        server.kill()


def _servers(server: OrthancServer, folder: Path, dimse: bool) -> Path:
    path = server.servers_file(folder / "servers.toml")
    if dimse:
        lines = [line for line in path.read_text().splitlines() if not line.startswith("dicomweb")]
        path.write_text("\n".join(lines) + "\n")
    return path


def _kill(victim: str, server: OrthancServer, command: list[str], after: float) -> str:
    """Lets the watcher work for a while, kills it or the server, and says whether it was at work."""
    watcher = _start(command)
    try:
        watcher.wait(after)
        found = "idle"
    except subprocess.TimeoutExpired:
        found = "at work"
    if victim == "server":
        server.kill()
        watcher.wait(120)
        server.start()
    watcher.kill()
    watcher.wait()
    return f"{victim} {found}"


def _start(command: list[str]) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "KIDNEYSEG_ORTHANC_PASSWORD": PASSWORD}
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _finish(server: OrthancServer, command: list[str], work: Path, studies: int) -> None:
    """Lets the watcher come to its end; what waits after many cut-off tries is made due."""
    server.wait_until_stable()
    deadline = time.monotonic() + 600
    while time.monotonic() < deadline:
        with closing(WorkQueue(work)) as queue:
            jobs = queue.jobs()
            if len(jobs) == studies and all(job.state in ENDS for job in jobs) and not queue.due(time.time()):
                return
            queue.retry_failed()
        _start(command).wait(300)
        time.sleep(1)


def _count(server: OrthancServer, work: Path, arguments: argparse.Namespace, hits: Counter[str]) -> bool:
    sets: Counter[tuple[str, str]] = Counter()
    with requests.Session() as session:
        session.auth = ("kidneyseg", PASSWORD)
        for series in session.get(f"{server.rest}/series?expand", timeout=30).json():
            modality = series["MainDicomTags"].get("Modality")
            if modality in MODALITIES:
                study = session.get(f"{server.rest}/studies/{series['ParentStudy']}", timeout=30).json()
                sets[study["MainDicomTags"]["StudyInstanceUID"], modality] += len(series["Instances"])
    wanted = [(f"1.2.{1000 + n}", modality) for n in range(arguments.studies) for modality in MODALITIES]
    lost, doubled = sum(not sets[key] for key in wanted), sum(max(0, sets[key] - 1) for key in wanted)
    left = len(list(work.glob("study-*")))
    for hit, count in sorted(hits.items()):
        print(f"killed: {hit}: {count}")
    print(f"{arguments.studies} studies: {lost} objects lost, {doubled} doubled, {left} folders left behind")
    return bool(lost or doubled)


if __name__ == "__main__":
    main()
