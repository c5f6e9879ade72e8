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
from KidneySegWidgets.engine.processTree import endProcessTree, startProcess

_POLL_MS = 100
# The engine removes its partial files when it is told to end; after this time it gets no more of it.
_PATIENCE_S = 5.0


@dataclass(frozen=True)
class EngineJob:
    """One call of the engine's command `segment`.

    Attributes:
        image: file with the input volume.
        output: folder for the result; the engine makes it.
        task: the engine's word for the task.
        device: where the networks run.
        bundle: name of the model bundle.
        modelsFolder: folder with own bundles; empty if there is none.
    """

    image: Path
    output: Path
    task: str
    device: str
    bundle: str
    modelsFolder: str = ""

    def arguments(self) -> list[str]:
        """Returns what follows `python -m KidneySegLib`."""
        options = {"--output": str(self.output), "--progress": "json", "--device": self.device, "--model": self.bundle}
        arguments = ["segment", str(self.image), "--task", self.task]
        return [*arguments, *(word for option in options.items() for word in option)]

    def environment(self) -> dict[str, str]:
        """Returns the environment of the child: UTF-8 on its pipes on every system, own bundles by the variable."""
        environment = {**os.environ, "PYTHONUTF8": "1", "PYTHONUNBUFFERED": "1"}
        if self.modelsFolder:
            environment["KIDNEYSEG_MODELS"] = self.modelsFolder
        return environment


class Runner(Protocol):
    """Runs one job at a time. All calls, and all calls back, are in the main thread."""

    def start(self, job: EngineJob, onLine: Callable[[str, bool], None], onEnd: Callable[[int], None]) -> None:
        """Starts the job and returns. `onLine(text, isError)` gets every line, `onEnd(exitCode)` comes last."""

    def cancel(self) -> None:
        """Ends the job with all its processes; `onEnd` follows soon. Does nothing if none is running."""

    def abandon(self) -> None:
        """Ends the job at once and without a call back, for when nobody is there any more to hear of it."""

    def isRunning(self) -> bool:
        """Returns whether `onEnd` is still to come."""


class ChildProcessRunner:
    """The real runner: `python -m KidneySegLib segment …` as a child of Slicer."""

    def __init__(self) -> None:
        self._process: Any = None
        self._lines: queue.Queue[tuple[str, bool]] = queue.Queue()
        self._readers: list[threading.Thread] = []
        self._onLine: Callable[[str, bool], None] = lambda _text, _isError: None
        self._onEnd: Callable[[int], None] = lambda _exitCode: None
        self._cancelledAt: float | None = None
        self._timer = qt.QTimer()
        self._timer.setInterval(_POLL_MS)
        self._timer.connect("timeout()", self._poll)

    def start(self, job: EngineJob, onLine: Callable[[str, bool], None], onEnd: Callable[[int], None]) -> None:
        if self._process is not None:
            raise RuntimeError("A run is already going on.")
        self._onLine, self._onEnd, self._cancelledAt = onLine, onEnd, None
        command = [pythonExecutable(), "-m", "KidneySegLib", *job.arguments()]
        # `-m` looks in the working folder first, so the engine that belongs to this module is the one that runs
        self._process = startProcess(command, engineRoot(), job.environment())
        self._readers = [
            threading.Thread(target=self._read, args=(self._process.stdout, False), daemon=True),
            threading.Thread(target=self._read, args=(self._process.stderr, True), daemon=True),
        ]
        for reader in self._readers:
            reader.start()
        self._timer.start()

    def cancel(self) -> None:
        if self._process is not None and self._cancelledAt is None:
            self._cancelledAt = time.monotonic()
            endProcessTree(self._process)

    def abandon(self) -> None:
        self._timer.stop()
        if self._process is not None:
            endProcessTree(self._process, force=True)
            self._process.wait()
            self._process = None

    def isRunning(self) -> bool:
        return self._process is not None

    def processIdentifier(self) -> int | None:
        """Returns the number of the child process, or None."""
        return self._process.pid if self._process is not None else None

    def _read(self, stream: IO[str], isError: bool) -> None:
        """Runs in a thread of its own; Qt and MRML are touched in the main thread only."""
        for line in stream:
            self._lines.put((line.rstrip(), isError))

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
