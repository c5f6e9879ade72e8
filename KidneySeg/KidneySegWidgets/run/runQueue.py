"""Runs that wait and the one that is going on. Several volumes are segmented one after the other."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import slicer

from KidneySegWidgets.complaints import logError, reasonOf
from KidneySegWidgets.engine.failure import failureMessage
from KidneySegWidgets.engine.processRunner import EngineJob, Runner
from KidneySegWidgets.exam.inputVolume import PreparedVolume, placeOf, prepareVolume, writeNrrd
from KidneySegWidgets.exam.viewImage import TASK as VIEW_TASK
from KidneySegWidgets.exam.viewImage import ViewImage
from KidneySegWidgets.result.resultImport import importResult
from KidneySegWidgets.result.resultNodes import ResultNodes
from KidneySegWidgets.run.progress import ProgressLine
from KidneySegWidgets.run.runParameters import RunParameters
from KidneySegWidgets.translation import tr as _


@dataclass
class Run:
    """One run in the queue."""

    parameters: RunParameters
    volumeId: str
    volumeName: str
    folder: Path | None = None
    prepared: PreparedVolume | None = None
    place: tuple[Any, ...] = ()
    errorLines: list[str] = field(default_factory=list)
    cancelled: bool = False


class QueueListener(Protocol):
    """What the panel wants to hear."""

    def onQueueChanged(self) -> None: ...

    def onRunStarted(self, run: Run) -> None: ...

    def onRunProgress(self, run: Run, progress: ProgressLine) -> None: ...

    def onRunLog(self, text: str) -> None: ...

    def onRunFinished(self, run: Run, result: ResultNodes) -> None: ...

    def onRunFailed(self, run: Run, message: str) -> None: ...

    def onRunCancelled(self, run: Run) -> None: ...


class RunQueue:
    """Hands runs to the runner, one at a time, and brings their results into the scene."""

    def __init__(self, runner: Runner, listener: QueueListener) -> None:
        self._runner, self._listener = runner, listener
        self.current: Run | None = None
        self.waiting: list[Run] = []

    def setRunner(self, runner: Runner) -> None:
        """Takes another runner.

        Raises:
            RuntimeError: a run is going on.
        """
        if self.current is not None:
            raise RuntimeError("A run is going on.")
        self._runner = runner

    def add(self, parameters: RunParameters) -> None:
        """Starts a run, or lets it wait for those before it.

        Raises:
            ValueError: the parameters are not valid, or the volume is already in the queue.
        """
        valid, reason = parameters.isValid()
        if not valid:
            raise ValueError(reason)
        identifier = parameters.volume.GetID()
        if any(run.volumeId == identifier for run in self.runs()):
            raise ValueError(_("This volume is already being segmented or waits for it."))
        self.waiting.append(Run(parameters, identifier, parameters.volume.GetName() or ""))
        self._next()
        self._listener.onQueueChanged()

    def runs(self) -> list[Run]:
        """Returns the current run and those that wait."""
        return [*([self.current] if self.current else []), *self.waiting]

    def cancelCurrent(self) -> None:
        """Ends the current run; the next one follows."""
        if self.current is not None:
            self.current.cancelled = True
            self._runner.cancel()

    def removeVolume(self, volumeId: str) -> None:
        """Takes a volume out of the queue; ends its run if that is going on."""
        self.waiting = [run for run in self.waiting if run.volumeId != volumeId]
        if self.current is not None and self.current.volumeId == volumeId:
            self.cancelCurrent()
        self._listener.onQueueChanged()

    def abandonAll(self) -> None:
        """Ends everything at once and tells nobody: the scene or the module goes."""
        self._runner.abandon()
        self.waiting = []
        if self.current is not None:
            self._clean(self.current)
            self.current = None

    def _next(self) -> None:
        while self.current is None and self.waiting:
            self.current = self.waiting.pop(0)
            try:
                self._start(self.current)
            except (OSError, RuntimeError, ValueError, MemoryError) as error:
                self._end("failed", self.current, self._whyNotStarted(error))

    def _start(self, run: Run) -> None:
        run.folder = Path(tempfile.mkdtemp(prefix="KidneySeg-", dir=slicer.app.temporaryPath))
        run.prepared = prepareVolume(run.parameters.volume, run.parameters.roi)
        run.place = placeOf(run.parameters.volume)
        parameters = run.parameters
        job = EngineJob(
            folder=run.folder,
            image=self._handOver(run),
            output="result",
            task=parameters.task.name,
            device=parameters.device,
            bundle=parameters.bundle,
            modelsFolder=parameters.modelsFolder,
            pixelMm=parameters.pixelMm,
        )
        self._runner.start(job, self._onLine, self._onEnd)
        self._listener.onRunStarted(run)

    @staticmethod
    def _handOver(run: Run) -> str:
        """Writes the image into the run's folder and returns its name there."""
        assert run.folder is not None and run.prepared is not None and run.parameters.task is not None
        if run.parameters.task.name == VIEW_TASK:
            return ViewImage.of(run.parameters.volume).place(run.folder)
        writeNrrd(run.folder / "input.nrrd", run.prepared.voxels, run.prepared.ijkToLps)
        return "input.nrrd"

    def _onLine(self, text: str, isError: bool) -> None:
        progress = None if isError else ProgressLine.parse(text)
        if progress is not None and self.current is not None:
            self._listener.onRunProgress(self.current, progress)
            self._listener.onRunLog(f"{progress.fraction:4.0%}  {progress.message}")
            return
        if isError and self.current is not None:
            self.current.errorLines.append(text)
        self._listener.onRunLog(text)

    def _onEnd(self, exitCode: int) -> None:
        run = self.current
        if run is None:
            return
        if run.cancelled:
            self._end("cancelled", run)
        elif exitCode != 0:
            self._end("failed", run, failureMessage(exitCode, run.errorLines))
        else:
            self._import(run)
        self._next()
        self._listener.onQueueChanged()

    def _import(self, run: Run) -> None:
        volume = slicer.mrmlScene.GetNodeByID(run.volumeId)
        if volume is None or run.folder is None or run.prepared is None:
            self._end("failed", run, _("The volume was removed while it was segmented. There is no result."))
            return
        if placeOf(volume) != run.place:
            self._end("failed", run, _("The volume was moved or cropped while it was segmented. Segment it again."))
            return
        try:
            result = importResult(run.folder / "result", run.prepared, volume)
        except Exception as error:
            logError(error)
            self._end("failed", run, reasonOf(error))
            return
        self._end("finished", run, result)

    def _end(self, how: str, run: Run, outcome: Any = None) -> None:
        """Clears up first: whoever hears of the end may start the next run at once."""
        self.current = None
        self._clean(run)
        if how == "finished":
            self._listener.onRunFinished(run, outcome)
        elif how == "failed":
            self._listener.onRunFailed(run, outcome)
        else:
            self._listener.onRunCancelled(run)

    @staticmethod
    def _whyNotStarted(error: Exception) -> str:
        if isinstance(error, MemoryError):
            return _("There is not enough memory to start the run. Close other programs, or choose a region.")
        if isinstance(error, OSError):
            return _(
                "The images could not be handed to the engine ({reason}). Check that the disk has space left."
            ).format(reason=reasonOf(error))
        return reasonOf(error)

    @staticmethod
    def _clean(run: Run) -> None:
        """Removes the copy of the patient's images."""
        if run.folder is not None:
            shutil.rmtree(run.folder, ignore_errors=True)
        run.prepared = None
