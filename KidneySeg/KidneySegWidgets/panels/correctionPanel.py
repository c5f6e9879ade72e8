"""The section Correction: hands over to Segment Editor and measures again after changes."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import qt
import slicer
import slicer.util

from KidneySegWidgets.complaints import complaining
from KidneySegWidgets.engine.engineLocation import ensureEngine
from KidneySegWidgets.engine.processRunner import ChildProcessRunner
from KidneySegWidgets.result.correction import reset, takeFindings, withMarksOf
from KidneySegWidgets.result.findingsTable import fillTables
from KidneySegWidgets.result.resultNodes import ResultNodes
from KidneySegWidgets.result.segments import drawnState
from KidneySegWidgets.run.remeasuring import Remeasuring
from KidneySegWidgets.translation import tr as _

# Segment Editor changes a segment with each stroke; measuring waits until the reader pauses.
_PAUSE_MS = 1500


class CorrectionPanel:
    """Follows the segmentation of the shown result."""

    def __init__(self, ui: Any, isAutomatic: Callable[[], bool], onMeasured: Callable[[], None]) -> None:
        self._ui, self._isAutomatic, self._onMeasured = ui, isAutomatic, onMeasured
        self._result: ResultNodes | None = None
        self._observed: list[tuple[Any, int]] = []
        self._drawn: list[Any] = []
        self._changing = False
        self._failure = ""
        self.isEdited = False
        self.onReset: Callable[[ResultNodes], None] = lambda _result: None
        self.remeasuring = Remeasuring(ChildProcessRunner(), self._onFindings, self._onFailed)
        self._timer = qt.QTimer()
        self._timer.setSingleShot(True)
        self._timer.setInterval(_PAUSE_MS)
        self._timer.connect("timeout()", self._onPause)
        ui.editButton.connect("clicked()", self._onEdit)
        ui.recomputeButton.connect("clicked()", self.measure)
        ui.resetButton.connect("clicked()", self._onReset)

    def setResult(self, result: ResultNodes | None) -> None:
        """Follows another result; None follows none."""
        self._forget()
        self._result, self.isEdited, self._failure = result, False, ""
        if result is not None:
            segmentation = result.segmentationNode.GetSegmentation()
            kind = slicer.vtkSegmentation
            for event in (kind.SourceRepresentationModified, kind.SegmentAdded, kind.SegmentRemoved):
                self._observed.append((segmentation, segmentation.AddObserver(event, self._onSegmentsChanged)))
            tag = segmentation.AddObserver(kind.SegmentModified, self._onSegmentModified)
            self._observed.append((segmentation, tag))
            self._drawn = drawnState(segmentation)
            if result.isStale and result.networkLabels is not None and self._isAutomatic():
                self._timer.start()  # another result was chosen, or the scene was saved, before it was measured
        self._show()

    @property
    def isStale(self) -> bool:
        """Whether the table is of before the last change."""
        return self._result is not None and self._result.isStale

    def stop(self) -> None:
        """Follows nothing any more."""
        self._forget()
        self._result = None

    def measure(self) -> None:
        """Begins to measure the segments as they are; the table follows when that is done."""
        self._timer.stop()
        if self._result is not None:
            self._failure = ""
            self._result.setStale(True)
            self.remeasuring.start(self._result)
            self._show()

    def take(self, result: ResultNodes, findings: Any) -> None:
        """Shows findings that were measured elsewhere, of what is drawn now."""
        findings = withMarksOf(result, findings)
        if self._result is not None and self._result.segmentationNode is result.segmentationNode:
            self._timer.stop()
            self.remeasuring.supersede()
            self._failure = ""
            self._change(result, lambda: takeFindings(result, findings))
        else:
            takeFindings(result, findings)
            result.setStale(False)

    def _forget(self) -> None:
        self._timer.stop()
        self.remeasuring.stop()
        for observed, tag in self._observed:
            observed.RemoveObserver(tag)
        self._observed = []

    def _onSegmentModified(self, segmentation: Any, event: str) -> None:
        """Undo and redo in Segment Editor say no more than this, and a new name or colour says the same."""
        if not self._changing and drawnState(segmentation) != self._drawn:
            self._onSegmentsChanged(segmentation, event)

    def _onSegmentsChanged(self, segmentation: Any, _event: str) -> None:
        if self._changing or self._result is None:
            return
        self._drawn = drawnState(segmentation)
        self._result.setStale(True)
        self.isEdited, self._failure = True, ""
        self.remeasuring.supersede()
        if self._isAutomatic():
            self.remeasuring.prepare(self._result)
            self._timer.start()
        self._show()

    def _onPause(self) -> None:
        if slicer.mrmlScene.IsBatchProcessing():
            self._timer.start()
        elif self._result is not None and slicer.mrmlScene.IsNodePresent(self._result.segmentationNode):
            self.measure()

    def _onFindings(self, result: ResultNodes, findings: Any) -> None:
        self.take(result, findings)

    def _onFailed(self, message: str) -> None:
        """Says it below the heading: a message box would stop the reader in the middle of a stroke."""
        self._failure = message
        if self._result is not None and self._result.hasFindings:
            with suppress(Exception):  # findings of another version; the section Result says so
                fillTables(self._result, self._result.findings(), isMeasuring=False)
            self._onMeasured()
        self._show()

    def _change(self, result: ResultNodes, work: Callable[[], None]) -> None:
        """Changes nodes of the result, which is no correction, so that table and segments say the same again."""
        self._changing = True
        try:
            work()
        finally:
            self._changing = False
        result.setStale(False)
        self._drawn = drawnState(result.segmentationNode.GetSegmentation())
        self._onMeasured()
        self._show()

    def _onEdit(self) -> None:
        if self._result is None:
            return
        self.isEdited = True
        slicer.util.selectModule("SegmentEditor")
        editor = slicer.modules.segmenteditor.widgetRepresentation().self().editor
        editor.setSegmentationNode(self._result.segmentationNode)
        if self._result.volume is not None:
            editor.setSourceVolumeNode(self._result.volume)

    def _onReset(self) -> None:
        question = _("All corrections of this result will be lost. Go back to what the network drew?")
        if self._result is None or not slicer.util.confirmYesNoDisplay(question, windowTitle="KidneySeg"):
            return
        result = self._result
        self._timer.stop()
        self.remeasuring.supersede()
        with complaining(_("The network's result could not be brought back.")):
            self._change(result, lambda: reset(result))
            self.onReset(result)
            self._onMeasured()

    def _show(self) -> None:
        has = self._result is not None and self._result.networkLabels is not None
        self._ui.correctionSection.setVisible(self._result is not None)
        for name in ("editButton", "recomputeButton", "resetButton"):
            getattr(self._ui, name).enabled = has
        self._ui.correctionLabel.text = (
            self._text() if has else _("The network's version is gone: segment the volume again to correct it.")
        )

    def _text(self) -> str:
        if self._failure:
            return self._failure
        if self.remeasuring.isMeasuring:
            return _("Measuring the segments as they are now…")
        if self.isStale:
            return _("Segments were changed; table and remarks are of before.")
        ensureEngine()
        from KidneySegLib.measuring.correction import corrections
        from KidneySegLib.structures import BY_KEY

        try:
            changed = corrections(self._result.findings())  # type: ignore[union-attr]
        except Exception:
            return ""  # the section Result says why the findings cannot be read
        if not changed:
            return _("As the network drew it.")
        named = ", ".join(f"{BY_KEY[key].name} ({_extent(value)})" for key, value in changed.items())
        return _("Corrected by the reader: {names}.").format(names=named)


def _extent(dice: float) -> str:
    """Returns how much of a structure was changed, from the Dice to the network's version."""
    return _("Dice {value:.3f}").format(value=dice) if dice > 0 else _("new or removed")
