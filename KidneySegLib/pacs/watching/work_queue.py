"""The watcher's memory: which studies there are and how far each has come, in a SQLite file.

Every step is one transaction, so a watcher that is killed at any moment goes on where the file says.
"""

import math
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from random import random
from typing import Any

from KidneySegLib.errors import KidneySegError, OutputError
from KidneySegLib.pacs.web.orthanc import StudyChange

FIRST, LONGEST = 5.0, 600.0  # seconds


def delay(failures: int, draw: Callable[[], float] = random) -> float:
    """Returns seconds to wait after so many failures in a row: doubled each time, capped, and partly random.

    Half of the time is drawn, so that what failed together does not come back together ("equal jitter": M. Brooker,
    Exponential Backoff and Jitter, AWS Architecture Blog, 2015).

    Args:
        failures: at least 1.
        draw: gives a number from 0 to 1.
    """
    full = min(LONGEST, FIRST * 2.0 ** min(failures - 1, 30))
    return full * (0.5 + 0.5 * draw())


_TABLES = """
CREATE TABLE IF NOT EXISTS studies (
    id INTEGER PRIMARY KEY,                -- the study's short name in log lines
    orthanc_id TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL DEFAULT 'seen',
    failures INTEGER NOT NULL DEFAULT 0,   -- in a row at the same stage
    next_try REAL NOT NULL DEFAULT 0,      -- POSIX seconds; infinity: not before something new arrives
    outcome TEXT NOT NULL DEFAULT '',      -- what a person should know of the last end or failure
    seen_change INTEGER NOT NULL,          -- Orthanc's latest change that named the study
    taken_change INTEGER NOT NULL DEFAULT 0,  -- the latest one when work on it began
    contents TEXT NOT NULL DEFAULT '',     -- the CT series that it held when work on it began
    begun INTEGER NOT NULL DEFAULT 0,      -- tries in a row that saw no end, because the watcher was ended
    result TEXT NOT NULL DEFAULT ''        -- the series that results were sent of, and its number of images
);
CREATE TABLE IF NOT EXISTS feed (one INTEGER PRIMARY KEY CHECK (one = 1), last_change INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS server (one INTEGER PRIMARY KEY CHECK (one = 1), name TEXT NOT NULL);
"""
_VERSION = 2  # of these tables
_MIGRATION = {1: "ALTER TABLE studies ADD COLUMN begun INTEGER NOT NULL DEFAULT 0;"}  # to the version after it


class DamagedQueueError(KidneySegError):
    """The queue's file is not what it was; waiting does not help."""

    exit_code = OutputError.exit_code

    def __init__(self) -> None:
        """Says what to do."""
        super().__init__(
            "The watch's queue is damaged. Move the files queue.sqlite* and lock.sqlite out of the work folder and "
            "start again: studies whose results the server holds are recognised and not done twice."
        )


class State(StrEnum):
    """How far a study has come."""

    SEEN = "seen"
    RETRIEVING = "retrieving"
    SEGMENTING = "segmenting"
    SENDING = "sending"
    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"


ENDS = (State.DONE, State.REFUSED)


@dataclass(frozen=True)
class Job:
    """A study in the queue; see the table for the meaning of each field."""

    id: int
    orthanc_id: str
    state: State
    failures: int
    next_try: float
    outcome: str
    seen_change: int
    taken_change: int
    contents: str
    begun: int
    result: str


class WorkQueue:
    """The queue file of one work folder; only one process can hold it open."""

    def __init__(self, folder: Path) -> None:
        """Opens or makes the file.

        Raises:
            OutputError: the folder cannot be written, another watcher works in it, or another version made it.
            DamagedQueueError: the file is not a queue.
        """
        self._open: list[sqlite3.Connection] = []
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            # held until this process ends, however it ends; the queue itself stays readable for others
            self._connect(folder / "lock.sqlite", timeout=0).execute("BEGIN EXCLUSIVE")
            self._file = self._connect(folder / "queue.sqlite")
            self._file.execute("PRAGMA journal_mode = WAL")
            self._file.execute("PRAGMA synchronous = FULL")
            (version,) = self._file.execute("PRAGMA user_version").fetchone()
            if version in (0, _VERSION, *_MIGRATION):
                steps = _MIGRATION.get(version, "")
                self._file.executescript(f"BEGIN; {_TABLES} {steps} PRAGMA user_version = {_VERSION}; COMMIT;")
        except (OSError, sqlite3.Error) as error:
            self.close()
            if _is_damage(error):
                raise DamagedQueueError from error
            raise OutputError(
                "The work folder cannot be used: another watcher works in it, or it cannot be written. Choose another "
                "one."
            ) from error
        if version not in (0, _VERSION, *_MIGRATION):
            self.close()
            raise OutputError("The work folder was made by another version of KidneySeg. Choose another one.")
        self._file.row_factory = sqlite3.Row

    def _connect(self, path: Path, timeout: float = 5.0) -> sqlite3.Connection:
        connection = sqlite3.connect(path, timeout=timeout, isolation_level=None)
        self._open.insert(0, connection)
        return connection

    def close(self) -> None:
        """Closes the file, for another process to open it."""
        for file in self._open:
            file.close()

    def belong_to(self, server: str) -> None:
        """Ties the folder to one server: the numbers of another one's changes would hide studies silently.

        Args:
            server: by what it is known, such as its name in the file of servers.

        Raises:
            OutputError: the folder belongs to another one, or cannot be written.
        """
        self._execute("INSERT OR IGNORE INTO server VALUES (1, ?)", (server,))
        if self._execute("SELECT name FROM server").fetchone()["name"] != server:
            raise OutputError("The work folder belongs to another server. Choose another folder for this one.")

    def last_change(self) -> int | None:
        """Returns the last change that was taken over, or None in a new queue."""
        row = self._execute("SELECT last_change FROM feed").fetchone()
        return None if row is None else int(row["last_change"])

    def start_after(self, change: int) -> None:
        """Says after which change the list of changes is to be read on."""
        self._execute("INSERT OR REPLACE INTO feed VALUES (1, ?)", (change,))

    def take_over(self, changes: Sequence[StudyChange]) -> None:
        """Notes a page of changes and how far the list was read, both or none."""
        if not changes:
            return
        with self._transaction():
            for change in changes:
                if change.study_id:
                    self._execute(
                        "INSERT INTO studies (orthanc_id, seen_change) VALUES (?, ?) ON CONFLICT (orthanc_id) "
                        "DO UPDATE SET seen_change = excluded.seen_change, next_try = 0",
                        (change.study_id, change.number),
                    )
            self.start_after(changes[-1].number)

    def restart_feed(self) -> None:
        """Begins the list of changes anew, for a server whose numbers start again; studies stay as they are."""
        with self._transaction():
            self._execute("UPDATE studies SET seen_change = 0, taken_change = 0")
            self.start_after(0)

    def due(self, now: float) -> list[Job]:
        """Returns what there is to do now: unfinished studies, and finished ones that something happened to since.

        Those whose tries were cut off come last: one of them may be what ends the watcher. A time that lies farther
        ahead than anybody ever waits was written before the clock was set back.
        """
        rows = self._execute(
            "SELECT * FROM studies WHERE (state NOT IN ('done', 'refused') OR seen_change > taken_change) "
            "AND (next_try <= ?1 OR (next_try > ?1 + ?2 AND next_try < ?3)) ORDER BY begun, seen_change, id",
            (now, LONGEST, math.inf),
        )
        return [_job(row) for row in rows]

    def jobs(self) -> list[Job]:
        """Returns all studies in the order in which they were first seen."""
        return [_job(row) for row in self._execute("SELECT * FROM studies ORDER BY id")]

    def count_try(self, job: Job, next_try: float) -> None:
        """Notes, before a try begins, that it does, and when the next one may if nobody lives to tell its end."""
        self._update(job, begun=job.begun + 1, next_try=next_try)

    def begin(self, job: Job, contents: str) -> None:
        """Notes that work on a study begins, and what it holds now."""
        self._update(job, state=State.RETRIEVING, contents=contents, taken_change=job.seen_change)

    def enter(self, job: Job, state: State) -> None:
        """Notes that a stage begins."""
        self._update(job, state=state)

    def wait(self, job: Job, until: float) -> None:
        """Leaves a study aside for a while; nothing went wrong."""
        self._update(job, next_try=until, begun=0)

    def finish(self, job: Job, state: State, outcome: str, result: str = "") -> None:
        """Notes an end: done or refused."""
        self._update(
            job,
            state=state,
            outcome=outcome,
            result=result,
            failures=0,
            next_try=0.0,
            taken_change=job.seen_change,
            begun=0,
        )

    def confirm(self, job: Job) -> None:
        """Notes that what happened to a finished study since changes nothing."""
        self._update(job, taken_change=job.seen_change, next_try=0.0, begun=0)

    def fail(self, job: Job, outcome: str, failures: int, next_try: float) -> None:
        """Notes a failure, its number in a row, and when to try again (infinity: when something new arrives)."""
        self._update(job, state=State.FAILED, outcome=outcome, failures=failures, next_try=next_try, begun=0)

    def server_is_back(self) -> None:
        """Makes failed studies due that were not given up."""
        self._execute("UPDATE studies SET next_try = 0 WHERE state = 'failed' AND next_try < ?", (math.inf,))

    def retry_failed(self) -> None:
        """Makes all failed studies due, also those that were given up or whose tries were cut off."""
        self._execute("UPDATE studies SET next_try = 0, failures = 0, begun = 0 WHERE state = 'failed' OR begun > 0")

    def _update(self, job: Job, **values: Any) -> None:
        columns = ", ".join(f"{column} = ?" for column in values)
        self._execute(f"UPDATE studies SET {columns} WHERE id = ?", (*values.values(), job.id))

    def _execute(self, statement: str, values: Sequence[Any] = ()) -> sqlite3.Cursor:
        try:
            return self._file.execute(statement, values)
        except sqlite3.DatabaseError as error:
            if _is_damage(error):
                raise DamagedQueueError from error
            if not isinstance(error, sqlite3.OperationalError):
                raise
            raise OutputError(
                "The watch's queue could not be written. Check that the disk has space left and that the work folder "
                "is writable."
            ) from error

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """All statements of a block, or none."""
        self._execute("BEGIN IMMEDIATE")
        try:
            yield
            self._execute("COMMIT")
        finally:
            if self._file.in_transaction:
                self._execute("ROLLBACK")


def _is_damage(error: Exception) -> bool:
    # all other reasons have classes of their own, which derive from this one
    return type(error) is sqlite3.DatabaseError


def troubled_studies(folder: Path) -> list[Job]:
    """Returns the studies of a work folder that were refused or have failed, also while a watcher is at work there.

    Raises:
        OutputError: the folder holds no queue, or it cannot be read.
        DamagedQueueError: the file is not a queue.
    """
    path = (folder / "queue.sqlite").absolute()
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=rw", uri=True)) as file:
            file.row_factory = sqlite3.Row
            rows = file.execute("SELECT * FROM studies WHERE state IN ('refused', 'failed') ORDER BY id").fetchall()
    except sqlite3.DatabaseError as error:
        if _is_damage(error):
            raise DamagedQueueError from error
        raise OutputError(
            "The work folder holds no queue of a watch that can be read. Check what --work names."
        ) from error
    return [_job(row) for row in rows]


def _job(row: sqlite3.Row) -> Job:
    values = dict(row)
    try:
        return Job(**{**values, "state": State(values["state"])})
    except (TypeError, ValueError) as error:
        raise DamagedQueueError from error
