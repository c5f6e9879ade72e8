"""Poisonous studies: each costs itself alone, in memory, time and tries; the watch goes on with the others."""

from __future__ import annotations

import json
import logging
import math
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing

import bombs
import psutil
import pytest
from dicom_writing import write_ct
from hostile_archive import HostileArchive
from pydicom.uid import DeflatedExplicitVRLittleEndian
from test_pacs_archive import WAYS
from test_pacs_hostile_uids import web
from test_pacs_queue import FailingWork, FakeOrthanc
from watch_cases import Watch

from KidneySegLib.errors import Cancelled, InputError, KidneySegError
from KidneySegLib.pacs.archive import Query, RemoteSeries
from KidneySegLib.pacs.connection import Way, open_archive
from KidneySegLib.pacs.transfer import retrieval
from KidneySegLib.pacs.transfer.pull import pull_matching
from KidneySegLib.pacs.transfer.retrieval import retrieve_in_process
from KidneySegLib.pacs.watching.watcher import ENGINE_TRIES, Watcher
from KidneySegLib.pacs.watching.work_queue import State, WorkQueue
from KidneySegLib.pacs.web.orthanc import StudyChange

SERIES = RemoteSeries("1.2", "1.2.3", "CT", "", None)


def test_a_bomb_of_gigabytes_costs_its_study_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(retrieval, "MOST_MEMORY", 600 << 20)
    (file,) = write_ct(tmp_path / "ct", 1, StudyInstanceUID="1.2", SeriesInstanceUID="1.2.3")
    bomb = bombs.deflated(file, tmp_path / "bomb.dcm")
    before = psutil.Process().memory_info().rss
    with web([{"study": "1.2", "series": "1.2.3"}], [bomb.read_bytes()]) as peer:
        (outcome,) = pull_matching(open_archive(peer), Query(series_uid="1.2.3"), tmp_path / "out")
    assert not outcome.arrived and "memory" in outcome.sentence
    assert psutil.Process().memory_info().rss - before < 300 << 20
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize(("way", "retrieve"), WAYS)
def test_a_watch_goes_on_after_a_bomb(orthanc, tmp_path, caplog, way, retrieve):
    caplog.set_level(logging.INFO)
    (bad,) = write_ct(tmp_path / "bad", 1, StudyInstanceUID="1.2.77", SeriesInstanceUID="1.2.77.1")
    good = write_ct(tmp_path / "good", 4)
    orthanc.send(bombs.deflated(bad, tmp_path / "bomb.dcm", size=70 << 20), *good)
    orthanc.wait_until_stable()
    peer = orthanc.peer(retrieve=retrieve, timeout=60.0, **({"dicomweb": ""} if way is Way.DIMSE else {}))
    watch = Watch(peer, tmp_path / "work")
    states = [job.state for job in watch.once()]
    assert State.DONE in states and len(states) == 2 and len(orthanc.instances("SR")) == 1
    for _ in range(ENGINE_TRIES):
        watch.clock += 1000
        jobs = watch.once()
    (troubled,) = [job for job in jobs if job.state is not State.DONE]
    assert troubled.state is State.REFUSED or troubled.next_try == math.inf, "it is not tried for ever"
    assert watch.runs == 1 and troubled.outcome.endswith(".")


@pytest.fixture
def child(tmp_path, monkeypatch):
    """Replaces Python by a program of the test, which stands for the child that retrieves."""

    def make(script: str) -> None:
        program = tmp_path / "python"
        program.write_text(f"#!{sys.executable}\n{script}\n")
        program.chmod(0o755)
        monkeypatch.setattr("sys.executable", str(program))

    return make


@pytest.mark.parametrize(
    ("script", "word"),
    [
        ("import os; os.kill(os.getpid(), 9)", "signal 9"),
        ("raise SystemExit(3)", "exit code 3"),
        ("print('no JSON')", "exit code 0"),
        ("x = bytearray(b'x') * (500 << 20); import time; time.sleep(60)", "GB of memory"),
        ("import time; time.sleep(60)", "within 8 s"),
        ("""print('{"kind": "MemoryError", "said": ""}')""", "GB of memory"),
        ("""print('{"kind": "OSError", "said": "/home/SECRET"}')""", r"failed \(OSError\)"),
    ],
)
def test_a_child_that_fails_in_whatever_way_is_a_sentence(tmp_path, monkeypatch, child, script, word):
    monkeypatch.setattr(retrieval, "MOST_MEMORY", 300 << 20)
    monkeypatch.setattr(retrieval, "LONGEST", 8.0)
    child(script)
    with web([], []) as peer, pytest.raises(KidneySegError, match=word) as failure:
        retrieve_in_process(open_archive(peer), [SERIES], tmp_path / "in")
    assert type(failure.value) is KidneySegError and "SECRET" not in str(failure.value)


def test_a_child_passes_its_errors_on(tmp_path, child):
    child("""print('{"kind": "InputError", "said": "The series has gaps."}')""")
    with web([], []) as peer, pytest.raises(InputError, match="has gaps"):
        retrieve_in_process(open_archive(peer), [SERIES], tmp_path / "in")


def test_a_child_ends_with_whoever_asked(tmp_path):
    """A watcher that is killed must not leave somebody behind who holds its port."""
    series = {"study_uid": "1", "series_uid": "1", "modality": "CT", "body_part": "", "images": 1}
    request = {"peer": {"name": "x", "host": "192.0.2.1"}, "way": "dimse", "series": [series], "folder": str(tmp_path)}
    line = json.dumps(request | {"named": True, "memory": 4 << 30}) + "\n"
    code = (
        "import subprocess, sys, time\n"
        "command = [sys.executable, '-m', 'KidneySegLib.pacs.transfer.retrieval_child']\n"
        "child = subprocess.Popen(command, stdin=subprocess.PIPE)\n"
        f"child.stdin.write({line.encode()!r})\n"
        "child.stdin.flush()\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    pid = int(parent.stdout.readline())
    time.sleep(0.5)
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    psutil.wait_procs([psutil.Process(pid)] if psutil.pid_exists(pid) else [], timeout=60)
    assert not psutil.pid_exists(pid)


class Deadly(FailingWork):
    """Ends the watcher itself, as the system does that has no memory left."""

    def advance(self, job, log, wait_until):
        self.tries += 1
        if job.orthanc_id == "bad":
            raise Cancelled("as if killed")
        self.queue.finish(job, State.DONE, "")


def test_a_study_that_ends_the_watcher_lets_the_others_have_their_turn_and_waits_longer_each_time(tmp_path):
    now, starts = [0.0], 0
    with closing(WorkQueue(tmp_path / "work")) as queue:
        work = Deadly(tmp_path / "none", KidneySegError(""))
        work.queue = queue
        queue.take_over([StudyChange(1, "bad"), StudyChange(1, "good")])
        for _ in range(ENGINE_TRIES):
            with pytest.raises(Cancelled):
                Watcher(FakeOrthanc(), queue, work, now=lambda: now[0], draw=lambda: 1.0).run_once()
            starts += 1
        assert {job.orthanc_id: job.state for job in queue.jobs()} == {"bad": State.SEEN, "good": State.DONE}
        Watcher(FakeOrthanc(), queue, work, now=lambda: now[0], draw=lambda: 1.0).run_once()
        waits = []
        for _ in range(4):
            (bad,) = [job for job in queue.jobs() if job.orthanc_id == "bad"]
            waits.append(bad.next_try - now[0])
            now[0] = bad.next_try
            with pytest.raises(Cancelled):
                Watcher(FakeOrthanc(), queue, work, now=lambda: now[0], draw=lambda: 1.0).run_once()
        assert waits == [5.0, 10.0, 20.0, 40.0]
        queue.retry_failed()
        assert [job.begun for job in queue.due(0.0)] == [0], "whoever asks for it gets it at once"


def test_a_queue_of_the_version_before_is_taken_over(tmp_path):
    with closing(WorkQueue(tmp_path)) as queue:
        queue.take_over([StudyChange(1, "a")])
    with closing(sqlite3.connect(tmp_path / "queue.sqlite")) as file:
        file.execute("ALTER TABLE studies DROP COLUMN begun")
        file.execute("PRAGMA user_version = 1")
    for _ in range(2):
        with closing(WorkQueue(tmp_path)) as queue:
            assert [(job.orthanc_id, job.begun) for job in queue.due(0.0)] == [("a", 0)]


def test_images_of_a_bomb_are_not_unpacked_when_they_arrive_by_dimse(tmp_path):
    (file,) = write_ct(tmp_path / "ct", 1)
    bomb = bombs.deflated(file, tmp_path / "bomb.dcm", size=70 << 20)

    class Deflated(HostileArchive):
        syntaxes = (DeflatedExplicitVRLittleEndian,)

    with Deflated([bomb], {}) as server:
        archive = open_archive(server.peer(retrieve="get"), Way.DIMSE)
        (outcome,) = pull_matching(archive, Query(patient_id="X"), tmp_path / "out")
    assert not outcome.arrived and "becomes far larger" in outcome.sentence
