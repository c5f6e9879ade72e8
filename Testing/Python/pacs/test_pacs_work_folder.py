"""The watcher's work folder: a disk that is full, another version, another server."""

from __future__ import annotations

import logging
import math
import resource
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner

from KidneySegLib.commands.app import app
from KidneySegLib.errors import KidneySegError, NetworkError, OutputError
from KidneySegLib.pacs.watching.engine_process import EngineProcess
from KidneySegLib.pacs.watching.watcher import ENGINE_TRIES, Watcher
from KidneySegLib.pacs.watching.work_queue import LONGEST, DamagedQueueError, Job, State, WorkQueue, troubled_studies
from KidneySegLib.pacs.web.orthanc import StudyChange


class Server:
    """Has one study."""

    def last_change(self) -> int:
        return 1

    def changes(self, since: int) -> Iterator[list[StudyChange]]:
        yield [StudyChange(1, "a")] if since < 1 else []


class Work:
    """Fails with what it is given; without anything it is done."""

    def __init__(self, folder: Path, queue: WorkQueue, error: Exception | None = None) -> None:
        self.folder, self.queue, self.error, self.tries = folder, queue, error, 0

    def folder_of(self, job: Job) -> Path:
        return self.folder / "none"

    def advance(self, job: Job, log: object, wait_until: object) -> State:
        self.tries += 1
        if self.error:
            raise self.error
        self.queue.finish(job, State.DONE, "")
        return State.DONE


@contextmanager
def full_disk() -> Iterator[None]:
    """No file can grow, as on a disk without room."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_a_queue_on_a_full_disk_waits_and_loses_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with closing(WorkQueue(tmp_path / "work")) as queue:
        work = Work(tmp_path, queue)
        watcher = Watcher(Server(), queue, work, now=lambda: 0.0)
        with full_disk():
            assert not watcher.look() and not watcher.look()
        assert caplog.text.count("disk has space") == 1, "told once, not at every look"
        assert watcher.look() and work.tries == 1
        assert [job.state for job in queue.jobs()] == [State.DONE]


@pytest.mark.parametrize(("code", "kind"), [(6, OutputError), (5, KidneySegError), (4, KidneySegError)])
def test_an_engine_without_room_for_its_result_is_not_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, kind: type[Exception]
) -> None:
    engine = tmp_path / "engine"
    engine.write_text(f"#!/bin/sh\necho 'kidneyseg: The result could not be written.' >&2\nexit {code}\n")
    engine.chmod(0o755)
    monkeypatch.setattr("sys.executable", str(engine))
    with pytest.raises(KidneySegError, match="could not be written") as failure:
        EngineProcess()(tmp_path, tmp_path / "results")
    assert type(failure.value) is kind
    now = [0.0]
    with closing(WorkQueue(tmp_path / "work")) as queue:
        work = Work(tmp_path, queue, failure.value)
        watcher = Watcher(Server(), queue, work, now=lambda: now[0])
        for _ in range(2 * ENGINE_TRIES):
            watcher.look()
            now[0] += LONGEST
    assert work.tries == (2 * ENGINE_TRIES if kind is OutputError else ENGINE_TRIES)


def test_a_work_folder_of_another_version_is_refused_and_stays_as_it_is(tmp_path: Path) -> None:
    WorkQueue(tmp_path).close()
    with closing(sqlite3.connect(tmp_path / "queue.sqlite")) as file:
        file.execute("PRAGMA user_version = 99")
    for _ in range(2):
        with pytest.raises(OutputError, match="another version"):
            WorkQueue(tmp_path)


def test_a_work_folder_belongs_to_one_server(tmp_path: Path) -> None:
    for _ in range(2):
        with closing(WorkQueue(tmp_path)) as queue:
            queue.belong_to("one")
            with pytest.raises(OutputError, match="another server"):
                queue.belong_to("other")


def test_a_damaged_queue_is_told_as_such_and_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "queue.sqlite").write_bytes(b"garbage" * 1000)
    for _ in range(2):
        with pytest.raises(DamagedQueueError, match="queue is damaged") as refusal:
            WorkQueue(tmp_path)
    assert refusal.value.exit_code == 6 and (tmp_path / "queue.sqlite").read_bytes() == b"garbage" * 1000
    with pytest.raises(DamagedQueueError):
        troubled_studies(tmp_path)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "lock.sqlite").write_bytes(b"garbage" * 1000)
    with pytest.raises(DamagedQueueError):
        WorkQueue(tmp_path / "other")


def test_a_queue_that_is_damaged_while_it_is_open_ends_the_watch_with_a_sentence(tmp_path: Path) -> None:
    with closing(WorkQueue(tmp_path)) as queue:
        queue.take_over([StudyChange(n, f"{n}" * 50) for n in range(1, 400)])
        queue._file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        size = (tmp_path / "queue.sqlite").stat().st_size
        with (tmp_path / "queue.sqlite").open("r+b") as file:
            file.seek(4096)
            file.write(b"\xff" * (size - 4096))
        queue._file.execute("PRAGMA shrink_memory")
        with pytest.raises(DamagedQueueError):
            Watcher(Server(), queue, Work(tmp_path, queue)).look()


def test_a_state_that_nobody_knows_is_damage(tmp_path: Path) -> None:
    with closing(WorkQueue(tmp_path)) as queue:
        queue.take_over([StudyChange(1, "a")])
        queue._file.execute("UPDATE studies SET state = 'dreaming'")
        with pytest.raises(DamagedQueueError):
            queue.jobs()


def test_a_clock_that_jumps_strands_no_study(tmp_path: Path) -> None:
    """A time to try again that was written while the clock was a year ahead lay a year ahead."""
    now = [1e9]
    with closing(WorkQueue(tmp_path / "work")) as queue:
        work = Work(tmp_path, queue, NetworkError("away"))
        watcher = Watcher(Server(), queue, work, now=lambda: now[0])
        now[0] += 365 * 86400.0
        watcher.look()
        now[0] = 1e9
        watcher.look()
        assert work.tries == 2
        watcher.look()
        assert work.tries == 2, "the new time is a wait as any other"
        now[0] += LONGEST
        watcher.look()
        assert work.tries == 3
        work.error = KidneySegError("The engine crashed.")
        for _ in range(2 * ENGINE_TRIES):
            now[0] += LONGEST
            watcher.look()
        tries = work.tries
        for jump in (-1e9, 1e12):
            now[0] += jump
            watcher.look()
        assert work.tries == tries, "what was given up stays so"


def test_refused_and_failed_studies_are_listed_while_a_watch_is_at_work(tmp_path: Path) -> None:
    arguments = ["watch", "--server", "x", "--servers", "none.toml", "--work", str(tmp_path / "work"), "--list"]
    result = CliRunner().invoke(app, arguments)
    assert isinstance(result.exception, OutputError) and not (tmp_path / "work").exists()
    with closing(WorkQueue(tmp_path / "work")) as queue:
        queue.take_over([StudyChange(n, f"id{n}") for n in range(1, 5)])
        one, two, three, _ = queue.jobs()
        queue.finish(one, State.REFUSED, "The study holds MR; a CT series is needed.")
        queue.fail(two, "The engine ended with exit code 1.", 3, math.inf)
        queue.fail(three, "Server 'x' cannot be reached.", 2, 7.0)
        result = CliRunner().invoke(app, arguments)
    assert result.output.splitlines() == [
        "study 1: refused: The study holds MR; a CT series is needed. (Orthanc: id1)",
        "study 2: failed 3 times, given up: The engine ended with exit code 1. (Orthanc: id2)",
        "study 3: failed 2 times, is tried again: Server 'x' cannot be reached. (Orthanc: id3)",
        "3 studies were refused or have failed.",
    ]
