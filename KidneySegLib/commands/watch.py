"""``kidneyseg watch``: studies that arrive at an Orthanc get their results there."""

import logging
import math
import os
import signal
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Annotated, Any

import typer

from KidneySegLib.commands.servers import ServerOption, ServersOption, WayOption, chosen_peer
from KidneySegLib.errors import Cancelled, IncompleteError


def watch(
    server: ServerOption,
    servers: ServersOption,
    work: Annotated[Path, typer.Option(help="Work folder of this watch: its queue, images and results")],
    once: Annotated[bool, typer.Option("--once", help="Work on what is waiting now, then end")] = False,
    new_only: Annotated[
        bool, typer.Option("--new-only", help="At the very first start, ignore what the server already holds")
    ] = False,
    retry_failed: Annotated[
        bool,
        typer.Option("--retry-failed", help="Try failed studies again at once, including those that were given up"),
    ] = False,
    list_troubled: Annotated[
        bool, typer.Option("--list", help="Only list the studies that were refused or have failed, and why")
    ] = False,
    keep: Annotated[
        bool, typer.Option("--keep", help="Keep images and results in the work folder after they were sent")
    ] = False,
    interval: Annotated[float, typer.Option(min=0.1, help="Seconds between two queries to the server")] = 2.0,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N or mps")] = "auto",
    model: Annotated[str | None, typer.Option(help="Name or folder of a bundle; default: the shipped one")] = None,
    language: Annotated[str, typer.Option(help="Language of the report: en, es or tr")] = "en",
    identified: Annotated[
        bool, typer.Option("--identified", help="The report names the patient; without it, it is de-identified")
    ] = False,
    via: WayOption = None,
) -> None:
    """Segments studies as they arrive at an Orthanc and stores SEG, SR and report there."""
    from KidneySegLib.pacs.packages import quiet_libraries, require_packages

    if list_troubled:
        _list(work)
        return
    require_packages()
    from KidneySegLib.languages.language import check_language
    from KidneySegLib.pacs.connection import open_archive
    from KidneySegLib.pacs.watching.engine_process import EngineProcess
    from KidneySegLib.pacs.watching.study_work import StudyWork
    from KidneySegLib.pacs.watching.watcher import Watcher
    from KidneySegLib.pacs.watching.work_queue import WorkQueue
    from KidneySegLib.pacs.web.orthanc import Orthanc

    os.umask(0o077)  # what lies in the work folder is about patients, and nobody else's business
    _log_to_stderr()
    check_language(language)
    peer = chosen_peer(servers, server)
    options = ["--device", device, "--language", language, *(["--model", model] if model else [])]
    engine = EngineProcess([*options, "--identified"] if identified else options)
    check_stop = remembered_stop()
    try:
        with closing(WorkQueue(work)) as queue, quiet_libraries():
            queue.belong_to(peer.name)
            orthanc = Orthanc(peer)
            if retry_failed:
                queue.retry_failed()
            if new_only and queue.last_change() is None:
                queue.start_after(orthanc.last_change())
            study_work = StudyWork(orthanc, open_archive(peer, via), engine, queue, work)
            watcher = Watcher(orthanc, queue, study_work, interval=interval, keep=keep, check_stop=check_stop)
            if not once:
                watcher.run()
            if failed := watcher.run_once():
                raise IncompleteError(
                    f"{failed} {'study' if failed == 1 else 'studies'} failed. 'kidneyseg watch --list' says why."
                )
    except Cancelled as stop:
        stopped = Cancelled("Stopped. What was begun goes on at the next start.")
        stopped.exit_code = stop.exit_code
        raise stopped from None


def _list(work: Path) -> None:
    """Says for each refused or failed study its number in the log, what was wrong, and Orthanc's identifier of it."""
    from KidneySegLib.pacs.watching.work_queue import State, troubled_studies

    studies = troubled_studies(work)
    for job in studies:
        until = "given up" if math.isinf(job.next_try) else "is tried again"
        how = "refused" if job.state is State.REFUSED else f"failed {job.failures} times, {until}"
        typer.echo(printable(f"study {job.id}: {how}: {job.outcome} (Orthanc: {job.orthanc_id})"))
    typer.echo(f"{len(studies)} studies were refused or have failed.")


class OneLine(logging.Formatter):
    """Writes each entry in one line of printable characters: no text from outside may look like an entry of its own."""

    def format(self, record: logging.LogRecord) -> str:
        """Returns the entry; what cannot be printed becomes a question mark."""
        return printable(super().format(record))


def printable(text: str) -> str:
    """Returns a text with a question mark for each character that cannot be printed, such as a line break."""
    return "".join(sign if sign.isprintable() else "?" for sign in text)


def _log_to_stderr() -> None:
    """Shows this program's own log; what libraries say may quote a patient's data."""
    handler = logging.StreamHandler()
    handler.setFormatter(OneLine("%(asctime)s %(levelname)s %(message)s"))
    own = logging.getLogger("KidneySegLib")
    own.addHandler(handler)
    own.setLevel(logging.INFO)
    own.propagate = False


def remembered_stop() -> Callable[[], None]:
    """Makes a signal to stop count even where the exception that it raises is lost, as in a callback of a library."""
    stops: list[Cancelled] = []

    def remember(number: int, frame: FrameType | None, stop: Callable[[int, FrameType | None], Any]) -> None:
        try:
            stop(number, frame)
        except Cancelled as stopped:
            stops.append(stopped)
            raise

    for number in (signal.SIGINT, signal.SIGTERM):
        handler = signal.getsignal(number)
        if callable(handler):
            signal.signal(number, partial(remember, stop=handler))

    def check() -> None:
        if stops:
            raise stops[0]

    return check
