"""The watcher's work folder: a disk that is full, another version, another server."""

from __future__ import annotations

import logging
import resource
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from KidneySegLib.errors import KidneySegError, OutputError
from KidneySegLib.pacs.backoff import LONGEST
from KidneySegLib.pacs.engine_process import EngineProcess
from KidneySegLib.pacs.orthanc import Change
from KidneySegLib.pacs.watcher import ENGINE_TRIES, Watcher
from KidneySegLib.pacs.work_queue import Job, State, WorkQueue


class Server:
    """Has one study."""

    def last_change(self) -> int:
        return 1

    def changes(self, since: int) -> Iterator[list[Change]]:
        yield [Change(1, "a")] if since < 1 else []


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
