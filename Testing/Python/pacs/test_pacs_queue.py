"""The watcher's memory, its patience and its settings, without any server."""

from __future__ import annotations

import contextlib
import math
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from pydicom.dataset import Dataset

from KidneySegLib.commands.watch import remembered_stop
from KidneySegLib.errors import Cancelled, InputError, KidneySegError, NetworkError, ResourceError
from KidneySegLib.pacs import packages, receiving
from KidneySegLib.pacs.archive import Query, RemoteSeries
from KidneySegLib.pacs.peers import read_peer
from KidneySegLib.pacs.receiving import Receiver, check_space, partial_folder
from KidneySegLib.pacs.watching.engine_process import CHOICE, EngineProcess, end_orphan
from KidneySegLib.pacs.watching.study_work import StudyLog, StudyWork, fingerprint
from KidneySegLib.pacs.watching.watcher import ENGINE_TRIES, Watcher
from KidneySegLib.pacs.watching.work_queue import FIRST, LONGEST, Job, State, WorkQueue, delay
from KidneySegLib.pacs.web.orthanc import Study, StudyChange


@pytest.fixture
def queue(tmp_path):
    queue = WorkQueue(tmp_path / "work")
    yield queue
    queue.close()


def only(queue: WorkQueue) -> Job:
    (job,) = queue.jobs()
    return job


def test_changes_are_taken_over_once_and_in_order(queue):
    assert queue.last_change() is None
    queue.take_over([StudyChange(3, "b"), StudyChange(4, ""), StudyChange(5, "a"), StudyChange(6, "b")])
    assert [(job.orthanc_id, job.seen_change, job.state) for job in queue.due(0)] == [
        ("a", 5, "seen"),
        ("b", 6, "seen"),
    ]
    assert queue.last_change() == 6


def test_a_page_that_cannot_be_taken_over_leaves_nothing_of_it(queue):
    queue.take_over([StudyChange(1, "a")])
    with pytest.raises(sqlite3.Error):
        queue.take_over([StudyChange(2, "b"), StudyChange(3, ["no identifier"])])
    assert [job.orthanc_id for job in queue.jobs()] == ["a"] and queue.last_change() == 1


def test_a_study_goes_through_its_states_and_survives_a_new_start(queue, tmp_path):
    queue.take_over([StudyChange(7, "a")])
    queue.begin(only(queue), "contents")
    for state in (State.SEGMENTING, State.SENDING):
        queue.enter(only(queue), state)
        queue.close()
        queue.__init__(tmp_path / "work")
        assert only(queue).state is state and len(queue.due(0)) == 1
    queue.finish(only(queue), State.DONE, "2 objects were sent.", "1.2.3 4")
    job = only(queue)
    assert (job.state, job.contents, job.result, job.taken_change) == (State.DONE, "contents", "1.2.3 4", 7)
    assert queue.due(math.inf) == []


def test_a_finished_study_is_due_again_only_when_something_happened_since(queue):
    queue.take_over([StudyChange(1, "a")])
    job = only(queue)
    queue.begin(job, "")
    queue.take_over([StudyChange(2, "a")])
    queue.finish(job, State.DONE, "", "")
    assert [due.seen_change for due in queue.due(0)] == [2], "it happened while the study was at work"
    queue.confirm(only(queue))
    assert queue.due(0) == []


def test_a_failed_study_waits_for_its_time(queue):
    queue.take_over([StudyChange(1, "a")])
    queue.fail(only(queue), "away", 1, 100.0)
    assert (queue.due(99.0), [job.failures for job in queue.due(100.0)]) == ([], [1])
    queue.server_is_back()
    assert len(queue.due(0)) == 1
    queue.fail(only(queue), "hopeless", 2, math.inf)
    queue.server_is_back()
    assert queue.due(1e12) == []
    queue.retry_failed()
    assert [job.failures for job in queue.due(0)] == [0]


def test_a_list_of_changes_that_starts_anew_is_read_again(queue):
    queue.take_over([StudyChange(50, "a")])
    queue.begin(only(queue), "")
    queue.finish(only(queue), State.DONE, "", "")
    queue.restart_feed()
    assert queue.last_change() == 0 and queue.due(0) == []
    queue.take_over([StudyChange(1, "a")])
    assert len(queue.due(0)) == 1


def test_waiting_doubles_up_to_a_cap_and_half_of_it_is_drawn():
    waits = [delay(n, lambda: 1.0) for n in range(1, 20)]
    assert waits[:4] == [FIRST, 2 * FIRST, 4 * FIRST, 8 * FIRST] and waits[-1] == delay(10**6, lambda: 1.0) == LONGEST
    assert delay(3, lambda: 0.0) == 2 * FIRST
    assert all(delay(5) <= delay(5, lambda: 1.0) for _ in range(20)) and len({delay(5) for _ in range(20)}) > 1


class FakeOrthanc:
    """Has one study, or is away."""

    away = False

    def last_change(self) -> int:
        if self.away:
            raise NetworkError("Server 'x' cannot be reached.")
        return 1

    def changes(self, since: int):
        yield [StudyChange(1, "a")] if since < 1 else []


class FailingWork:
    """Fails with whatever it is given."""

    def __init__(self, folder: Path, error: Exception) -> None:
        self.folder, self.error, self.tries = folder, error, 0
        self.got_on = False

    def folder_of(self, job: Job) -> Path:
        return self.folder

    def advance(self, job: Job, log: StudyLog, wait_until) -> None:
        self.tries += 1
        log.completed = self.got_on
        raise self.error


@pytest.mark.parametrize(
    ("error", "tries"),
    [(KidneySegError("The engine crashed."), ENGINE_TRIES), (KeyError("x"), ENGINE_TRIES), (NetworkError("away"), 8)],
)
def test_an_engine_that_fails_is_given_up_and_a_server_never(queue, tmp_path, error, tries):
    now, waits = [0.0], []
    work = FailingWork(tmp_path / "none", error)
    watcher = Watcher(FakeOrthanc(), queue, work, now=lambda: now[0], draw=lambda: 1.0)
    for _ in range(8):
        assert watcher.look() and watcher.look(), "the second look comes too early and does nothing"
        waits.append(only(queue).next_try - now[0])
        now[0] = max(now[0], min(only(queue).next_try, now[0] + LONGEST))
    assert work.tries == tries
    assert waits[:2] == [FIRST, 2 * FIRST] and (waits[-1] == math.inf) == (tries == ENGINE_TRIES)


def test_failures_are_counted_anew_when_a_study_got_on(queue, tmp_path):
    now = [0.0]
    work = FailingWork(tmp_path / "none", NetworkError("away"))
    watcher = Watcher(FakeOrthanc(), queue, work, now=lambda: now[0])
    for _ in range(5):
        watcher.look()
        now[0] += LONGEST
    work.error, work.got_on = KidneySegError("The engine crashed."), True
    watcher.look()
    assert only(queue).failures == 1 and only(queue).next_try < math.inf


def test_a_server_that_comes_back_makes_waiting_studies_due_at_once(queue, tmp_path):
    orthanc, work = FakeOrthanc(), FailingWork(tmp_path / "none", NetworkError("away"))
    watcher = Watcher(orthanc, queue, work, now=lambda: 0.0, draw=lambda: 1.0)
    watcher.look()
    orthanc.away = True
    assert not watcher.look() and work.tries == 1
    orthanc.away = False
    assert watcher.look() and work.tries == 2


def test_only_ct_series_tell_whether_a_study_has_changed():
    def series(uid: str, modality: str, images: int) -> RemoteSeries:
        return RemoteSeries("1", uid, modality, "", images)

    one = fingerprint([series("1.1", "CT", 5)])
    assert one == fingerprint([series("1.2", "SEG", 1), series("1.1", "CT", 5)])
    assert one != fingerprint([series("1.1", "CT", 6)])


def test_an_engine_that_outlived_its_watcher_is_ended_and_nobody_else(tmp_path):
    """By its command line: times of start move when somebody sets the clock."""
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)", str(tmp_path / "attempt-1f")])
    try:
        for other in (f"{child.pid} attempt-2e", f"{child.pid}", "attempt-1f", "0 attempt-1f"):
            (tmp_path / "engine-process").write_text(other)
            end_orphan(tmp_path)
            assert child.poll() is None, "the number was given to another process"
        (tmp_path / "engine-process").write_text(f"{child.pid} attempt-1f")
        end_orphan(tmp_path)
        assert child.poll() is not None
    finally:
        child.kill()


def test_the_engine_says_in_words_why_it_refuses(tmp_path):
    (tmp_path / "images").mkdir()
    with pytest.raises(InputError, match="DICOM"):
        EngineProcess()(tmp_path / "images", tmp_path / "results")
    assert not (tmp_path / "results").exists() and not (tmp_path / "engine-process").exists()


@pytest.mark.skipif(os.name != "posix", reason="the program that stands for Python is a shell script")
def test_the_engine_gets_the_file_that_says_why_the_series_was_chosen(tmp_path, monkeypatch):
    program = tmp_path / "program"
    program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > "{tmp_path}/arguments"\n')
    program.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(program))
    EngineProcess()(tmp_path / "images", tmp_path / "results")
    assert "--flags" not in (tmp_path / "arguments").read_text().splitlines()
    (tmp_path / CHOICE).write_text("[]")
    EngineProcess()(tmp_path / "images", tmp_path / "results")
    arguments = (tmp_path / "arguments").read_text().splitlines()
    assert arguments[arguments.index("--flags") + 1] == str(tmp_path / CHOICE)


def image(**changes: str) -> Dataset:
    dataset = Dataset()
    uids = {"StudyInstanceUID": "1", "SeriesInstanceUID": "1.2", "SOPInstanceUID": "1.2.3"}
    for keyword, value in {**uids, **changes}.items():
        setattr(dataset, keyword, value)
    return dataset


def test_a_partial_folder_becomes_the_real_one_or_nothing(tmp_path):
    with pytest.raises(NetworkError), partial_folder(tmp_path / "whole") as partial:
        receiver = Receiver(partial / "one", "1", "1.2")
        receiver.take(b"image", image())
        receiver.check_complete(2)
    assert list(tmp_path.iterdir()) == []
    with partial_folder(tmp_path / "whole") as partial:
        Receiver(partial / "one", "1", "1.2").take(b"image", image())
    (file,) = (tmp_path / "whole" / "one").iterdir()
    assert file.read_bytes() == b"image" and "1.2.3" not in file.name


def test_a_disk_that_is_too_small_is_told_before_anything_is_brought(tmp_path, monkeypatch):
    check_space(tmp_path, 1)
    monkeypatch.setattr(receiving, "RESERVE_BYTES", 10**18)
    with pytest.raises(ResourceError, match="too little space"):
        check_space(tmp_path, 1)


def test_servers_come_from_the_file_and_secrets_from_the_environment(tmp_path):
    path = tmp_path / "servers.toml"
    path.write_text('[main-pacs]\nhost = "a"\nport = 11112\ntimeout = 5\nusername = "u"\npassword = "old"\n')
    peer = read_peer(path, "main-pacs", {"KIDNEYSEG_MAIN_PACS_PASSWORD": "new"})
    assert (peer.host, peer.port, peer.timeout, peer.username, peer.password) == ("a", 11112, 5, "u", "new")
    assert "new" not in repr(peer) and "'u'" not in repr(peer)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("[other]\nhost = 'a'", "no table 'x'. Known: other"),
        ("[x", "not valid TOML"),
        ("[x]\nhots = 'a'", "'hots' is not known"),
        ("[x]\nhost = 'a'\nport = '1'", "must be of type int"),
        ("[x]\nhost = 'a'\nport = 70000", "from 1 to 65535"),
        ("[x]\nhost = 'a'\ntls = 1", "must be of type bool"),
        ("[x]\nhost = 'a'\naet = 'longer than sixteen'", "1 to 16"),
        ("[x]\nhost = 'a'\nretrieve = 'fetch'", "get, move"),
        ("[x]\nhost = 'a'\nretrieve = 'move'", "own_port"),
        ("[x]\ndicomweb = 'ftp://a'", "http"),
        ("[x]\nusername = 'a'", "cannot be reached"),
        ("[x]\nhost = 'a'\nmax_pdu = 1", "'max_pdu' must be 0"),
        ("[x]\nhost = 'a'\nmax_pdu = -1", "'max_pdu' must be 0"),
        ("[x]\nhost = 'a'\nmax_pdu = 4294967296", "'max_pdu' must be 0"),
        ("[x]\nhost = 'a'\ntimeout = nan", "'timeout' must be more than 0"),
        ("[x]\nhost = 'a'\ntimeout = 0", "'timeout' must be more than 0"),
        ("[x]\nhost = 'a'\ndeadline = inf", "'deadline' must be more than 0 and at most 86400"),
        ("[x]\nhost = 'a'\nlargest_series_gb = -1.0", "'largest_series_gb' must be more than 0"),
        ('[x]\nhost = "a"\ntoken = "a\\nb"', "'token' holds a control character"),
        ("[x]\nhost = 'a'\ntoken = 'größer'", "ASCII"),
    ],
)
def test_settings_that_cannot_be_are_told(tmp_path, text, word):
    (tmp_path / "servers.toml").write_text(text)
    with pytest.raises(InputError, match=word):
        read_peer(tmp_path / "servers.toml", "x", {})


@pytest.mark.parametrize(
    "values",
    [{}, {"patient_id": "A*"}, {"patient_id": "A\\B"}, {"dates": "31.1.24"}, {"study_uid": "1.2/../3"}],
)
def test_queries_that_would_match_all_or_nothing_are_refused(values):
    with pytest.raises(InputError) as refusal:
        Query(**values)
    assert not any(value in str(refusal.value) for value in values.values())


def test_missing_packages_are_named(monkeypatch):
    monkeypatch.setattr(packages, "find_spec", lambda name: None)
    with pytest.raises(KidneySegError, match=r"pip install -e '\.\[dicom-network\]'"):
        packages.require_packages()


def test_a_stop_that_a_library_swallowed_counts_at_the_next_step(queue, tmp_path):
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def stop(number: int, frame: object) -> None:
        raise Cancelled("Stopped.")

    try:
        signal.signal(signal.SIGTERM, stop)
        check = remembered_stop()
        check()
        with contextlib.suppress(BaseException):
            signal.raise_signal(signal.SIGTERM)
        work = FailingWork(tmp_path / "none", NetworkError("away"))
        with pytest.raises(Cancelled):
            Watcher(FakeOrthanc(), queue, work, check_stop=check).run()
        assert work.tries == 0
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def test_a_study_without_anything_outlined_is_done(queue, tmp_path):
    """The engine then writes no DICOM objects."""

    class Server:
        def study(self, study_id: str) -> Study:
            return Study("1.2", True)

        def find_series(self, query: Query) -> list[RemoteSeries]:
            return []

    def engine(images: Path, results: Path) -> None:
        results.mkdir()

    queue.take_over([StudyChange(1, "a")])
    work = StudyWork(Server(), Server(), engine, queue, tmp_path)
    (work.folder_of(only(queue)) / "images" / "1.2.3").mkdir(parents=True)
    assert work.advance(only(queue), StudyLog(), lambda: 0.0) is State.DONE
    assert (only(queue).state, only(queue).result) == (State.DONE, "1.2.3 0")
