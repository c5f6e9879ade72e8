"""Runs the engine in a child process; Slicer stays usable. A `Runner` is a Protocol, so that tests bring their own."""

from __future__ import annotations

import os
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Protocol

import qt

from KidneySegWidgets.engine.engineLocation import engineRoot, pythonExecutable
from KidneySegWidgets.engine.language import engineLanguage
from KidneySegWidgets.engine.processTree import endProcessTree, startProcess

_POLL_MS = 100
# The engine removes its partial files when it is told to end; after this time it gets no more of it.
_PATIENCE_S = 5.0

# The engine that belongs to this module runs, not one that Slicer's launcher has put on Python's path.
_START = (
    "import os, runpy, sys; sys.path[0] = os.environ['KIDNEYSEG_ENGINE']; "
    "runpy.run_module('KidneySegLib', run_name='__main__', alter_sys=True)"
)


class EngineCall(Protocol):
    """One call of the engine.

    It runs in `folder` and gets names relative to it: on Windows ITK finds no file below a user's name such as `Ünsal`.
    """

    @property
    def folder(self) -> Path:
        """Where the files of the call are."""

    def arguments(self) -> list[str]:
        """Returns what follows `python -m KidneySegLib`."""

    def environment(self) -> dict[str, str]:
        """Returns what the engine gets besides Slicer's own environment."""


@dataclass(frozen=True)
class EngineJob:
    """One call of the engine's command `segment`.

    Attributes:
        folder: where the files of the job are.
        image: name of the file with the input volume.
        output: name of the folder for the result; the engine makes it.
        task: the engine's word for the task.
        device: where the networks run.
        bundle: name of the model bundle.
        modelsFolder: folder with own bundles; empty if there is none.
        pixelMm: size of a pixel that the user gives; 0 takes what the image says.
    """

    folder: Path
    image: str
    output: str
    task: str
    device: str
    bundle: str
    modelsFolder: str = ""
    pixelMm: float = 0.0

    def arguments(self) -> list[str]:
        """Returns what follows `python -m KidneySegLib`."""
        options = {"--output": self.output, "--progress": "json", "--device": self.device, "--model": self.bundle}
        if self.pixelMm:
            options["--pixel-mm"] = f"{self.pixelMm:g}"
        arguments = ["segment", self.image, "--task", self.task]
        return [*arguments, *(word for option in options.items() for word in option)]

    def environment(self) -> dict[str, str]:
        """Returns the variable that names own bundles."""
        return {"KIDNEYSEG_MODELS": self.modelsFolder} if self.modelsFolder else {}


class Runner(Protocol):
    """Runs one job at a time. All calls, and all calls back, are in the main thread."""

    def start(self, job: EngineCall, onLine: Callable[[str, bool], None], onEnd: Callable[[int], None]) -> None:
        """Starts the job and returns. `onLine(text, isError)` gets every line, `onEnd(exitCode)` comes last."""

    def cancel(self) -> None:
        """Ends the job with all its processes; `onEnd` follows soon. Does nothing if none is running."""

    def abandon(self, wait: bool = True) -> None:
        """Ends the job at once and without a call back, for when nobody wants to hear of it any more.

        Unless `wait` is False it is gone afterwards, and has its files open no longer.
        """

    def isRunning(self) -> bool:
        """Returns whether `onEnd` is still to come."""


class ChildProcessRunner:
    """The real runner: `python -m KidneySegLib …` as a child of Slicer."""

    def __init__(self) -> None:
        self._process: Any = None
        self._abandoned: list[Any] = []
        self._lines: queue.Queue[tuple[str, bool]] = queue.Queue()
        self._readers: list[threading.Thread] = []
        self._onLine: Callable[[str, bool], None] = lambda _text, _isError: None
        self._onEnd: Callable[[int], None] = lambda _exitCode: None
        self._cancelledAt: float | None = None
        self._timer = qt.QTimer()
        self._timer.setInterval(_POLL_MS)
        self._timer.connect("timeout()", self._poll)

    def start(self, job: EngineCall, onLine: Callable[[str, bool], None], onEnd: Callable[[int], None]) -> None:
        if self._process is not None:
            raise RuntimeError("A run is already going on.")
        self._onLine, self._onEnd, self._cancelledAt = onLine, onEnd, None
        command = engineCommand(*job.arguments())
        self._process = startProcess(command, job.folder, {**engineEnvironment(), **job.environment()})
        self._abandoned = [process for process in self._abandoned if process.poll() is None]
        self._lines = queue.Queue()  # of a job that was abandoned no line may follow
        self._readers = [
            threading.Thread(target=_read, args=(self._process.stdout, False, self._lines), daemon=True),
            threading.Thread(target=_read, args=(self._process.stderr, True, self._lines), daemon=True),
        ]
        for reader in self._readers:
            reader.start()
        self._timer.start()

    def cancel(self) -> None:
        if self._process is not None and self._cancelledAt is None:
            self._cancelledAt = time.monotonic()
            endProcessTree(self._process)

    def abandon(self, wait: bool = True) -> None:
        self._timer.stop()
        if self._process is not None:
            endProcessTree(self._process, force=True)
            self._abandoned.append(self._process)
            self._process = None
        while wait and self._abandoned:
            self._abandoned.pop().wait()

    def isRunning(self) -> bool:
        return self._process is not None

    def processIdentifier(self) -> int | None:
        """Returns the number of the child process, or None."""
        return self._process.pid if self._process is not None else None

    def _poll(self) -> None:
        ended = self._process is not None and self._process.poll() is not None
        if ended:
            for reader in self._readers:
                reader.join(timeout=1.0)  # the last lines often hold the reason of a failure
        self._handOn()
        if self._process is None:  # a line's receiver abandoned the run
            return
        if ended:
            exitCode = self._process.returncode
            endProcessTree(self._process, force=True)  # what the launcher may have left behind
            self._timer.stop()
            self._process = None
            self._onEnd(exitCode)
        elif self._cancelledAt is not None and time.monotonic() - self._cancelledAt > _PATIENCE_S:
            endProcessTree(self._process, force=True)

    def _handOn(self) -> None:
        while True:
            try:
                text, isError = self._lines.get_nowait()
            except queue.Empty:
                return
            self._onLine(text, isError)


def engineEnvironment() -> dict[str, str]:
    """Returns the environment of every call.

    It says where the engine lies and in which language it tells errors and progress; Python takes UTF-8 for files and
    pipes on any system, and tells of a crash.
    """
    python = {"PYTHONUTF8": "1", "PYTHONUNBUFFERED": "1", "PYTHONFAULTHANDLER": "1"}
    engine = {"KIDNEYSEG_ENGINE": str(engineRoot()), "KIDNEYSEG_LANGUAGE": engineLanguage().code}
    return {**os.environ, **python, **engine}


def engineCommand(*arguments: str) -> list[str]:
    """Returns the words with which the engine is started."""
    return [pythonExecutable(), "-c", _START, *arguments]


def _read(stream: IO[str], isError: bool, lines: queue.Queue[tuple[str, bool]]) -> None:
    """Runs in a thread of its own; Qt and MRML are touched in the main thread only."""
    for line in stream:
        lines.put((line.rstrip(), isError))
