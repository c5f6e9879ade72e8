"""Measures a corrected result in a process of its own, while Slicer stays usable. A later change supersedes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import qt

from KidneySegWidgets.complaints import logError, reasonOf
from KidneySegWidgets.engine.engineLocation import ensureEngine
from KidneySegWidgets.engine.failure import failureMessage
from KidneySegWidgets.engine.processRunner import Runner
from KidneySegWidgets.result.resultNodes import ResultNodes
from KidneySegWidgets.run.examFiles import ExamFiles, MeasuringJob
from KidneySegWidgets.translation import tr as _

_POLL_MS = 50


class Remeasuring:
    """Measures one result at a time, always as it is drawn when measuring begins."""

    def __init__(
        self, runner: Runner, onMeasured: Callable[[ResultNodes, Any], None], onFailed: Callable[[str], None]
    ) -> None:
        """`onMeasured` gets the result and the engine's Findings, `onFailed` a sentence."""
        self._runner, self._onMeasured, self._onFailed = runner, onMeasured, onFailed
        self._files: ExamFiles | None = None
        self._result: ResultNodes | None = None
        self._job: MeasuringJob | None = None
        self._errorLines: list[str] = []
        self._timer = qt.QTimer()
        self._timer.setInterval(_POLL_MS)
        self._timer.connect("timeout()", self._onPoll)

    def setRunner(self, runner: Runner) -> None:
        """Takes another runner; tests do that."""
        self.supersede()
        self._runner = runner

    @property
    def isMeasuring(self) -> bool:
        return self._result is not None

    def prepare(self, result: ResultNodes) -> None:
        """Begins to hand the exam over, so that measuring can begin as soon as the reader pauses."""
        try:
            if self._files is not None and not self._files.areOf(result):
                self._removeFiles()
            if self._files is None:
                self._files = ExamFiles(result)
        except Exception as error:
            self._fail(error)

    def start(self, result: ResultNodes) -> None:
        """Measures a result; what is being measured is superseded."""
        self.supersede()
        self._result = result
        self.prepare(result)
        if self._result is not None:  # it could be handed over
            self._timer.start()

    def supersede(self) -> None:
        """Ends what is being measured, without a word and without waiting."""
        self._timer.stop()
        self._runner.abandon(wait=False)
        self._result = self._job = None

    def stop(self) -> None:
        """Ends all and leaves nothing behind."""
        self.supersede()
        self._removeFiles()

    def _removeFiles(self) -> None:
        self._runner.abandon()  # on Windows a file that a process has open cannot be removed
        if self._files is not None:
            self._files.remove()
        self._files = None

    def _onPoll(self) -> None:
        try:
            if self._files is None or self._result is None or not self._files.areReady():
                return
            self._timer.stop()
            self._errorLines = []
            self._job = self._files.jobOf(self._result)
            self._runner.start(self._job, self._onLine, self._onEnd)
        except Exception as error:
            self._fail(error)

    def _onLine(self, text: str, isError: bool) -> None:
        if isError:
            self._errorLines.append(text)

    def _onEnd(self, exitCode: int) -> None:
        result, job = self._result, self._job
        self._result = self._job = None
        if result is None or job is None:
            return
        if exitCode != 0:
            self._onFailed(failureMessage(exitCode, self._errorLines))
            return
        ensureEngine()
        from KidneySegLib.findings import Findings

        try:
            findings = Findings.read(job.folder / job.output)
        except Exception as error:
            self._fail(error)
            return
        self._onMeasured(result, findings)

    def _fail(self, error: Exception) -> None:
        self._timer.stop()
        self._result = self._job = None
        logError(error)
        self._onFailed(_("The segments could not be measured. {reason}").format(reason=reasonOf(error)))
