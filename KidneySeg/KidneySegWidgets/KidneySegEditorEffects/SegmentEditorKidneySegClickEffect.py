"""Segment Editor effect *Kidney click*: click on what is missing or too much, and the outline follows."""

from __future__ import annotations

from typing import Any

import numpy as np
import qt
import slicer
import vtk
from SegmentEditorEffects import AbstractScriptedSegmentEditorEffect

from KidneySegWidgets.result.resultNodes import ResultNodes
from KidneySegWidgets.result.segments import structureKey
from KidneySegWidgets.translation import tr as _
from KidneySegWidgets.worklist.answering import Answering
from KidneySegWidgets.worklist.labelChange import LabelChange
from KidneySegWidgets.worklist.readerClick import ReaderClick, clickFailure, clickQuestion


class SegmentEditorKidneySegClickEffect(AbstractScriptedSegmentEditorEffect):
    """Works on the selected segment of a result of KidneySeg; the engine answers beside Slicer's main thread."""

    def __init__(self, scriptedEffect: Any) -> None:
        scriptedEffect.name = "KidneySeg click"  # not translated: scripts find effects by it
        scriptedEffect.title = _("Kidney click")
        scriptedEffect.perSegment = True
        scriptedEffect.requireSegments = True
        AbstractScriptedSegmentEditorEffect.__init__(self, scriptedEffect)
        self._stroke: list[list[float]] = []
        self._adds = True
        self._clicks: list[ReaderClick] = []
        self._asked: ReaderClick | None = None
        self._answers = Answering(self._onAnswer, lambda error: self._say(clickFailure(error)))
        self._label: Any = None

    def clone(self) -> Any:
        """Slicer makes one effect of each for every editor."""
        import qSlicerSegmentationsEditorEffectsPythonQt as effects

        cloned = effects.qSlicerSegmentEditorScriptedEffect(None)
        cloned.setPythonSource(__file__.replace("\\", "/"))
        return cloned

    def icon(self) -> Any:
        return qt.QIcon(slicer.modules.kidneyseg.icon) if hasattr(slicer.modules, "kidneyseg") else qt.QIcon()

    def helpText(self) -> str:
        return _(
            "Corrects a result of KidneySeg by clicks, without a graphics card.<br>"
            "<b>Click</b> into the middle of what is missing of the selected segment; <b>Ctrl + click</b> on what is "
            "too much. The outline follows. Dragging draws a scribble, which works like several clicks. Each further "
            "click refines; Undo takes one back."
        )

    def setupOptionsFrame(self) -> None:
        self._label = qt.QLabel()
        self._label.wordWrap = True
        self.scriptedEffect.addOptionsWidget(self._label)

    def activate(self) -> None:
        self._clicks = []
        self._say("")

    def deactivate(self) -> None:
        self._answers.stop()
        self._stroke, self._clicks, self._asked = [], [], None

    def cleanup(self) -> None:
        self._answers.stop()

    def processInteractionEvents(self, callerInteractor: Any, eventId: int, viewWidget: Any) -> bool:
        """Returns whether the click was taken, so that no other tool gets it."""
        if viewWidget.className() != "qMRMLSliceWidget" or callerInteractor.GetShiftKey():
            return False
        if eventId == vtk.vtkCommand.LeftButtonPressEvent:
            if not self.scriptedEffect.confirmCurrentSegmentVisible():
                return False
            self._adds = not callerInteractor.GetControlKey()
            self._stroke = [self._place(callerInteractor, viewWidget)]
            return True
        if eventId == vtk.vtkCommand.MouseMoveEvent and self._stroke:
            self._stroke.append(self._place(callerInteractor, viewWidget))
            return True
        if eventId == vtk.vtkCommand.LeftButtonReleaseEvent and self._stroke:
            points, self._stroke = np.array(self._stroke), []
            self._ask(points)
            return True
        return False

    def _place(self, interactor: Any, viewWidget: Any) -> list[float]:
        return self.xyToRas(interactor.GetEventPosition(), viewWidget)

    def _ask(self, points: np.ndarray) -> None:
        node = self.scriptedEffect.parameterSetNode()
        segmentation, identifier = node.GetSegmentationNode(), node.GetSelectedSegmentID()
        if not ResultNodes.isResult(segmentation):
            self._say(_("Choose a segmentation that KidneySeg has made. Other ones are corrected with other effects."))
            return
        segment = segmentation.GetSegmentation().GetSegment(identifier or "")
        key = structureKey(identifier, segment) if segment is not None else None
        if key is None:
            self._say(_("Choose a kidney, a solid mass, a cyst or a stone: this segment is none of them."))
            return
        click = ReaderClick(points, key, self._adds)
        if self._answers.ask(ResultNodes(segmentation), clickQuestion(click, self._clicks)):
            self._asked = click
            if self._answers.isWorking:
                self._say(_("The outline is being drawn…"))

    def _onAnswer(self, result: ResultNodes, change: LabelChange) -> None:
        if self._asked is not None:
            self._clicks.append(self._asked)
        if not (change.before != change.after).any():
            self._say(_("Nothing to change there."))
            return
        self.scriptedEffect.saveStateForUndo()
        change.draw(result)
        self._say("")

    def _say(self, sentence: str) -> None:
        if self._label is not None:
            self._label.text = sentence
