"""One study's way through the watcher: retrieve, segment, send.

What has been reached lies on the disk (``images``, then ``results``, each made by one rename), so after a crash the
study goes on there. A result object is made once; sent again, it is the same object. Results that the server holds
already, of a watch that has lost its work folder, are not made again.
"""

import hashlib
import shutil
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from KidneySegLib.errors import InputError, NetworkError
from KidneySegLib.flags import flags_as_json
from KidneySegLib.pacs.archive import Archive, Query, RemoteSeries
from KidneySegLib.pacs.receiving import partial_folder, writing
from KidneySegLib.pacs.transfer.outgoing import outgoing_files
from KidneySegLib.pacs.transfer.retrieval import retrieve_in_process
from KidneySegLib.pacs.watching.engine_process import CHOICE, Engine, end_orphan
from KidneySegLib.pacs.watching.own_results import (
    REPORT,
    OwnResult,
    ResultSource,
    give_identity,
    is_complete,
    own_results,
)
from KidneySegLib.pacs.watching.work_queue import ENDS, Job, State, WorkQueue
from KidneySegLib.pacs.web.orthanc import Orthanc

GONE = "The study is no longer on the server."
_THERE = "The server holds the results already."


@dataclass
class StudyLog:
    """What is told of a study in the log.

    Attributes:
        stage: the one at work, or the last one.
        seconds: of each stage that ran now.
        completed: whether one of them came to its end.
        images: files of the series; objects: result objects that the server holds.
        remarks: what was left out when the series was retrieved, in sentences.
    """

    stage: State = State.SEEN
    seconds: dict[State, float] = field(default_factory=dict)
    images: int = 0
    objects: int = 0
    remarks: tuple[str, ...] = ()
    completed: bool = False

    @contextmanager
    def timing(self, stage: State) -> Iterator[None]:
        """Measures a stage."""
        self.stage = stage
        start = time.perf_counter()
        try:
            yield
            self.completed = True
        finally:
            self.seconds[stage] = time.perf_counter() - start


class StudyWork:
    """Does what there is to do for one study after the other."""

    def __init__(self, orthanc: Orthanc, archive: Archive, engine: Engine, queue: WorkQueue, folder: Path) -> None:
        """Takes the server (its own interface and its archive), the engine, the queue and the work folder."""
        self._orthanc = orthanc
        self._archive = archive
        self._engine = engine
        self._queue = queue
        self._folder = folder

    def folder_of(self, job: Job) -> Path:
        """Returns the folder of a study's images and results."""
        return self._folder / f"study-{job.id}"

    def advance(self, job: Job, log: StudyLog, wait_until: Callable[[], float]) -> State | None:
        """Brings a study to its end.

        Args:
            job: the study, as the queue has it.
            log: filled in on the way.
            wait_until: gives when to look again at a study that is still arriving, in POSIX seconds.

        Returns:
            Done, or None if there was nothing to do yet or any more.

        Raises:
            InputError: the study cannot be used; it is not to be tried again.
            KidneySegError: something went wrong that may go well later.
        """
        folder = self.folder_of(job)
        end_orphan(folder)
        study = self._orthanc.study(job.orthanc_id)
        if study is None:
            if job.state in ENDS:
                self._queue.confirm(job)
                return None
            raise InputError(GONE)
        if job.state in ENDS or not (folder / "images").is_dir():
            if not study.is_stable:
                self._queue.wait(job, wait_until())
                return None
            series = self._archive.find_series(Query(study_uid=study.uid))
            contents = fingerprint(series)
            if job.state in ENDS:
                if contents == job.contents:
                    self._queue.confirm(job)
                    return None
                shutil.rmtree(folder, ignore_errors=True)  # of the earlier result, before its end is forgotten
            there = _results_of_only_series(series)
            if there is not None:
                self._queue.begin(job, contents)
                self._queue.finish(job, State.DONE, _THERE, _text(there))
                log.images = there.images
                return State.DONE
            self._retrieve(job, series, contents, log)
        return self._finish(job, study.uid, log)

    def _retrieve(self, job: Job, series: Sequence[RemoteSeries], contents: str, log: StudyLog) -> None:
        self._queue.begin(job, contents)
        with log.timing(State.RETRIEVING), partial_folder(self.folder_of(job) / "images") as partial:
            fetched = retrieve_in_process(self._archive, series, partial)
            log.remarks = fetched.remarks
            # before the images take their place: after a crash the study goes on with both
            with writing():
                (self.folder_of(job) / CHOICE).write_text(flags_as_json(fetched.choice), encoding="utf-8")

    def _finish(self, job: Job, study_uid: str, log: StudyLog) -> State:
        folder = self.folder_of(job)
        source = _source_in(folder / "images")
        log.images = source.images
        if _text(source) == job.result:
            # a series arrived that is not better than the one whose results were sent
            self._queue.finish(job, State.DONE, job.outcome, job.result)
            return State.DONE
        if not (folder / "results").is_dir():
            earlier = own_results(self._archive.find_series(Query(study_uid=study_uid)))
            if is_complete(source, earlier):
                self._queue.finish(job, State.DONE, _THERE, _text(source))
                return State.DONE
            self._segment(job, folder, source, earlier, log)
        if self._orthanc.study(job.orthanc_id) is None:
            raise InputError(GONE)  # whoever deleted the study does not want it back
        self._queue.enter(job, State.SENDING)
        with log.timing(State.SENDING):
            log.objects = self._send(folder / "results")
        self._queue.finish(job, State.DONE, f"{log.objects} objects were sent.", _text(source))
        return State.DONE

    def _segment(
        self, job: Job, folder: Path, source: ResultSource, earlier: Sequence[OwnResult], log: StudyLog
    ) -> None:
        self._queue.enter(job, State.SEGMENTING)
        # an engine that outlived its watcher must not write where this one does
        attempt = folder / f"attempt-{uuid.uuid4().hex}"
        with log.timing(State.SEGMENTING):
            self._engine(folder / "images", attempt)
            with writing():
                give_identity(attempt, source, earlier)
        with writing():
            attempt.rename(folder / "results")

    def _send(self, results: Path) -> int:
        """Sends what the server does not hold yet, and checks that it then does."""
        paths = sorted(results.glob("*.dcm"))
        # the report last: where it is, the rest is (``own_results.is_complete``)
        files = sorted(outgoing_files(paths) if paths else [], key=lambda file: file.path.name == REPORT)
        missing = [file for file in files if not self._archive.holds(file)]
        if missing:
            self._archive.store(missing)
        if not all(self._archive.holds(file) for file in missing):
            raise NetworkError("The server took the results, but does not list them.")
        return len(files)


def fingerprint(series: Sequence[RemoteSeries]) -> str:
    """Returns what tells whether the CT series of a study have changed; results that come back do not count."""
    ct = sorted((item.series_uid, item.images or 0) for item in series if item.modality in ("CT", ""))
    return hashlib.sha256(repr(ct).encode()).hexdigest()


def _source_in(images: Path) -> ResultSource:
    """Returns which series was retrieved, with its number of files."""
    (folder,) = images.iterdir()
    return ResultSource(folder.name, sum(1 for _ in folder.iterdir()))


def _text(source: ResultSource) -> str:
    """Returns a source as the queue keeps it."""
    return f"{source.name} {source.images}"


def _results_of_only_series(series: Sequence[RemoteSeries]) -> ResultSource | None:
    """Returns what the results of a study were made of, if there is only one CT series and its results are there."""
    ct = [item for item in series if item.modality in ("CT", "")]
    if len(ct) != 1:
        return None  # which one serves best is known only when it was retrieved
    source = ResultSource(ct[0].folder_name, ct[0].images or 0)
    return source if is_complete(source, own_results(series)) else None
