"""The watcher: reads what is new at an Orthanc, works on it, and logs one line about each study."""

import logging
import math
import shutil
import time
from collections.abc import Callable
from random import random
from typing import NoReturn

from KidneySegLib.errors import InputError, KidneySegError, NetworkError, OutputError, ResourceError
from KidneySegLib.pacs.watching.study_work import StudyLog, StudyWork
from KidneySegLib.pacs.watching.work_queue import ENDS, Job, State, WorkQueue, delay
from KidneySegLib.pacs.web.orthanc import Orthanc

ENGINE_TRIES = 3  # a study that the engine fails on so often waits until somebody asks for it
logger = logging.getLogger(__name__)


class Watcher:
    """Takes studies as they arrive. Log lines name a study by its number in the queue and hold nothing of a patient."""

    def __init__(
        self,
        orthanc: Orthanc,
        queue: WorkQueue,
        work: StudyWork,
        *,
        interval: float = 2.0,
        keep: bool = False,
        check_stop: Callable[[], None] = lambda: None,
        now: Callable[[], float] = time.time,
        draw: Callable[[], float] = random,
    ) -> None:
        """Prepares the watch.

        Args:
            orthanc: the server.
            queue: the studies.
            work: what is done for each.
            interval: seconds between two looks at the server.
            keep: whether images and results stay in the work folder after the end.
            check_stop: called often; raises ``Cancelled`` if the watch is to end.
            now: the time in POSIX seconds.
            draw: a random number from 0 to 1.
        """
        self._orthanc = orthanc
        self._queue = queue
        self._work = work
        self._interval = interval
        self._keep = keep
        self._check_stop = check_stop
        self._now = now
        self._draw = draw
        self._away = 0

    def run(self) -> NoReturn:
        """Watches until it is stopped by an exception, such as ``Cancelled``."""
        self._sweep()
        while True:
            wait = self._interval if self.look() else delay(self._away, self._draw)
            self._check_stop()
            time.sleep(wait)

    def run_once(self) -> int:
        """Does what is there to be done now, and returns how many studies failed.

        Raises:
            NetworkError: the server is away.
            OutputError: the queue cannot be written.
        """
        self._sweep()
        self._read_changes()
        return self._work_off()

    def look(self) -> bool:
        """Reads the changes and does what is due; returns False, without an error, where server or disk fail."""
        try:
            self._read_changes()
            if self._away:
                self._queue.server_is_back()
            self._work_off()
        except (NetworkError, OutputError) as error:
            return self._wait_for(str(error))
        except KidneySegError:
            raise  # waiting does not help
        except Exception as error:
            # one odd answer or study must not end the watch of all others
            return self._wait_for(f"unexpected error ({type(error).__name__})")
        if self._away:
            logger.info("the wait is over")
            self._away = 0
        return True

    def _wait_for(self, reason: str) -> bool:
        self._away += 1
        if self._away == 1:
            logger.warning("waiting: %s", reason)
        return False

    def _read_changes(self) -> None:
        since = self._queue.last_change()
        if since is not None and self._orthanc.last_change() < since:
            logger.warning("the server's list of changes starts anew; it is read from its beginning")
            self._queue.restart_feed()
            since = 0
        for page in self._orthanc.changes(since or 0):
            self._queue.take_over(page)

    def _work_off(self) -> int:
        """Works on what is due and returns how many studies failed."""
        failed = 0
        for job in self._queue.due(self._now()):
            self._check_stop()
            failed += not self._process(job)
        return failed

    def _process(self, job: Job) -> bool:
        """Works on a study; returns False if it failed."""
        log = StudyLog()
        self._count_try(job)
        try:
            end = self._work.advance(job, log, lambda: self._now() + self._interval)
        except InputError as error:
            self._queue.finish(job, State.REFUSED, str(error))
            logger.info("study %d: refused%s: %s", job.id, _spent(log), error)
            end = State.REFUSED
        except Exception as error:
            # whatever is wrong with one study, the next one shall have its turn
            self._fail(job, log, error)
            return False
        for remark in log.remarks:
            logger.warning("study %d: %s", job.id, remark)
        if end is State.DONE:
            logger.info(
                "study %d: done, %d images, %d objects sent%s",
                job.id,
                log.images,
                log.objects,
                _spent(log),
            )
        if end is not None:
            self._clear(job)
        return True

    def _count_try(self, job: Job) -> None:
        """Counts a try before it begins: a study that ends the watcher itself must not do so again and again."""
        beyond = job.begun + 2 - ENGINE_TRIES
        self._queue.count_try(job, self._now() + (delay(beyond, self._draw) if beyond > 0 else 0.0))
        if beyond > 0:
            logger.warning("study %d: the watcher was ended %d times while it worked on it", job.id, job.begun)

    def _fail(self, job: Job, log: StudyLog, error: Exception) -> None:
        # the text of errors that nobody foresaw may hold anything
        said = str(error) if isinstance(error, KidneySegError) else f"unexpected error ({type(error).__name__})"
        failures = 1 if log.completed else job.failures + 1
        # servers and disks come back, an engine that fails on a study will mostly fail on it again
        passing = isinstance(error, NetworkError | ResourceError | OutputError)
        given_up = not passing and failures >= ENGINE_TRIES
        wait = math.inf if given_up else delay(failures, self._draw)
        self._queue.fail(job, said, failures, self._now() + wait)
        then = "given up" if given_up else f"next try in {wait:.0f} s"
        logger.warning(
            "study %d: failed at %s, time %d, %s%s: %s", job.id, log.stage, failures, then, _spent(log), said
        )

    def _sweep(self) -> None:
        """Removes what a watcher that was killed at a study's end left behind."""
        for job in self._queue.jobs():
            if job.state in ENDS:
                self._clear(job)

    def _clear(self, job: Job) -> None:
        if not self._keep:
            shutil.rmtree(self._work.folder_of(job), ignore_errors=True)


def _spent(log: StudyLog) -> str:
    """Returns the seconds of each stage, as the end of a phrase."""
    parts = [f"{stage} {seconds:.1f} s" for stage, seconds in log.seconds.items()]
    return f" ({', '.join(parts)})" if parts else ""
