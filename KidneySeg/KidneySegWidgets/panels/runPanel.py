"""Segment, progress, Cancel, queue and log. It is the listener of the queue."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import qt
import slicer.util

from KidneySegWidgets.complaints import logError, reasonOf
from KidneySegWidgets.engine.installation import ensureInstalled
from KidneySegWidgets.engine.processRunner import Runner
from KidneySegWidgets.exam.loopVolume import framesOf
from KidneySegWidgets.exam.viewImage import TASK as VIEW_TASK
from KidneySegWidgets.panels.findingsText import inPanel
from KidneySegWidgets.result.resultNodes import ResultNodes
from KidneySegWidgets.run.progress import ProgressLine, RemainingTime
from KidneySegWidgets.run.runParameters import RunParameters
from KidneySegWidgets.run.runQueue import Run, RunQueue
from KidneySegWidgets.translation import tr as _


class RunPanel:
    """Shows the queue and lets the user add to it and end it."""

    def __init__(
        self,
        ui: Any,
        runner: Runner,
        parameters: Callable[[], RunParameters],
        onResult: Callable[[ResultNodes], None],
    ) -> None:
        self._ui, self._parameters, self._onResult = ui, parameters, onResult
        self._remaining = RemainingTime()
        self.queue = RunQueue(runner, self)
        for name in ("progressWidget", "queueWidget", "logText"):
            getattr(ui, name).setVisible(False)
        ui.segmentButton.connect("clicked()", self._onSegment)
        ui.cancelButton.connect("clicked()", self._onCancel)
        ui.removeFromQueueButton.connect("clicked()", self._onRemove)
        ui.logCheckBox.connect("toggled(bool)", ui.logText.setVisible)
        self._status = ""

    def update(self) -> None:
        """Enables Segment if it can start, and says why if not."""
        valid, reason = self._parameters().isValid()
        running = self.queue.current is not None
        self._ui.segmentButton.enabled = valid
        self._ui.segmentButton.text = _("Add to queue") if running else _("Segment")
        self._ui.segmentButton.toolTip = reason or _("Finds and outlines the kidneys and their lesions.")
        self._ui.progressWidget.setVisible(running)
        text = self._status if valid or running else reason
        self._ui.statusLabel.text = text
        self._ui.statusLabel.setVisible(bool(text))

    def say(self, text: str) -> None:
        """Shows a sentence below the button."""
        self._status = text
        self.update()

    def _onSegment(self) -> None:
        if not ensureInstalled():
            self.say(_("Python packages are missing. Click again to install them."))
            return
        try:
            self.queue.add(self._ofWholeLoop(self._parameters()))
        except ValueError as error:
            self.say(str(error))
        except Exception as error:  # the loop cannot be read
            logError(error)
            self.say(reasonOf(error))

    @staticmethod
    def _ofWholeLoop(parameters: RunParameters) -> RunParameters:
        """A loop that Slicer plays frame by frame is measured, and shown, as a volume of all its frames."""
        if parameters.task is None or parameters.task.name != VIEW_TASK:
            return parameters
        with slicer.util.WaitCursor():
            return replace(parameters, volume=framesOf(parameters.volume))

    def _onCancel(self) -> None:
        self._ui.cancelButton.enabled = False
        self.say(_("Cancelling…"))
        self.queue.cancelCurrent()

    def _onRemove(self) -> None:
        item = self._ui.queueList.currentItem()
        if item is not None:
            self.queue.removeVolume(item.data(qt.Qt.UserRole))

    # what the queue tells

    def onQueueChanged(self) -> None:
        self._ui.queueList.clear()
        for run in self.queue.waiting:
            item = qt.QListWidgetItem(run.volumeName)
            item.setData(qt.Qt.UserRole, run.volumeId)
            self._ui.queueList.addItem(item)
        self._ui.queueWidget.setVisible(bool(self.queue.waiting))
        self.update()

    def onRunStarted(self, run: Run) -> None:
        self._remaining = RemainingTime()
        self._ui.progressBar.value = 0
        self._ui.cancelButton.enabled = True
        self._ui.logText.clear()
        self.say(_("{name}: starting").format(name=run.volumeName))

    def onRunProgress(self, run: Run, progress: ProgressLine) -> None:
        self._ui.progressBar.value = round(progress.fraction * 1000)
        if run.cancelled:
            return
        parts = [f"{run.volumeName}: {progress.message}", self._remaining.text(progress.fraction)]
        self.say(", ".join(part for part in parts if part))

    def onRunLog(self, text: str) -> None:
        self._ui.logText.appendPlainText(text)

    def onRunFinished(self, run: Run, result: ResultNodes) -> None:
        self.say(_("{name}: done").format(name=run.volumeName))
        self._onResult(result)

    def onRunFailed(self, run: Run, message: str) -> None:
        message = inPanel(message)
        self.say(_("{name}: {message}").format(name=run.volumeName, message=message))
        # the name stays out of the text, which Slicer writes into its log
        title = _("KidneySeg could not segment {name}").format(name=run.volumeName)
        log = self._ui.logText.plainText
        # the message waits for the user; the next run in the queue must not
        qt.QTimer.singleShot(0, lambda: slicer.util.errorDisplay(message, windowTitle=title, detailedText=log))

    def onRunCancelled(self, run: Run) -> None:
        self.say(_("{name}: cancelled").format(name=run.volumeName))
