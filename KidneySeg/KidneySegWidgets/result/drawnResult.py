"""A result as it is drawn at one moment, taken from its nodes, so that a thread can measure and write it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from KidneySegWidgets.engine.engineLocation import ensureEngine
from KidneySegWidgets.exam.inputVolume import PreparedVolume, prepareVolume
from KidneySegWidgets.exam.viewImage import ViewImage
from KidneySegWidgets.result.candidates import candidateNumbers
from KidneySegWidgets.result.correctedLabels import networkLabels
from KidneySegWidgets.result.labelParts import LabelPart, drawnPart
from KidneySegWidgets.result.place import SAME_PLACE_MM, examMatrix, followVolume, placeComplaint
from KidneySegWidgets.result.resultNodes import ResultNodes
from KidneySegWidgets.result.secondView import acrossOf, withSecondView
from KidneySegWidgets.result.segments import drawnState
from KidneySegWidgets.translation import tr as _


@dataclass(frozen=True)
class DrawnResult:
    """Image, labels and findings without any node.

    Attributes:
        prepared: the segmented image; its voxels are the node's own.
        view: the same of an ultrasound image, which is measured as its file says; None of others.
        network: what the network drew, (k, j, i).
        candidates: numbers of the network's candidates; None if there are none.
        drawn: what is drawn now.
        original: the engine's Findings of the network's run.
        last: those that are shown now.
        across: findings of a second ultrasound view of the kidney; None without one.
        state: tells what is drawn from what is drawn later.
    """

    prepared: PreparedVolume
    view: ViewImage | None
    network: np.ndarray
    candidates: LabelPart | None
    drawn: LabelPart
    original: Any
    last: Any
    across: Any
    state: Any

    @classmethod
    def of(cls, result: ResultNodes) -> DrawnResult:
        """Takes a result as it is now.

        Raises:
            RuntimeError: the volume or the network's labels are gone, or the volume was changed.
            InputError: its findings cannot be read.
        """
        state = drawnState(result.segmentationNode.GetSegmentation())
        prepared, network, candidates = preparedExam(result), networkLabels(result), candidateNumbers(result)
        drawn, original = drawnPart(result), result.networkFindings()
        view = None if original.in_patient else ViewImage.of(result.volume)
        return cls(prepared, view, network, candidates, drawn, original, result.findings(), acrossOf(result), state)

    def isStill(self, result: ResultNodes) -> bool:
        """Returns whether nothing was drawn since."""
        return drawnState(result.segmentationNode.GetSegmentation()) == self.state

    def exam(self) -> Any:
        """Returns the engine's Exam of the segmented image.

        Raises:
            KidneySegError: the file of an ultrasound image cannot be read.
        """
        if self.view is not None:
            return self.view.exam(self.original)
        ensureEngine()
        from KidneySegLib.tasks.run import exam_again
        from KidneySegLib.volume import Volume

        return exam_again(Volume(self.prepared.voxels, self.prepared.ijkToLps), self.original)

    def measured(self) -> Any:
        """Measures what is drawn and returns the engine's Result.

        Raises:
            KidneySegError: the engine cannot measure it; the message says why.
        """
        exam = self.exam()
        from KidneySegLib.measuring.instance_map import by_candidate_map
        from KidneySegLib.measuring.instances import Segmentation
        from KidneySegLib.result_files.result import Result
        from KidneySegLib.tasks.registry import task_of
        from KidneySegLib.tasks.run import correct

        before = Segmentation.of(exam.volume, exam.order.apply(self.network))
        if self.candidates is not None:
            numbers = exam.order.apply(self.candidates.onGrid(self.network.shape))
            before = replace(before, candidates=by_candidate_map(numbers, self.original))
        labels = exam.order.apply(self.drawn.onGrid(self.network.shape))
        found = correct(task_of(self.original), exam, labels, Result(exam, before, self.original), self.last)
        if self.view is None:
            return found
        return replace(found, findings=withSecondView(found.findings, self.across)[0])


def preparedExam(result: ResultNodes) -> PreparedVolume:
    """Returns the segmented image as the engine takes it, on the grid of the network's labels, where it lay then.

    Raises:
        RuntimeError: the volume was removed, or was changed or moved since.
    """
    if result.volume is None or result.networkLabels is None:
        raise RuntimeError(_("The volume of this result is no longer in the scene. Load it and segment it again."))
    if complaint := placeComplaint(result):
        raise RuntimeError(complaint)
    prepared = prepareVolume(result.volume)
    if prepared.voxels.shape != networkLabels(result).shape:
        raise RuntimeError(_("The volume was changed after it was segmented. Segment it again."))
    followVolume(result)
    apart = prepared.ijkToRas - prepareVolume(result.networkLabels).ijkToRas
    if np.max(np.abs(apart[:3]) @ (*prepared.wholeSize[::-1], 1)) > SAME_PLACE_MM:
        raise RuntimeError(_("The volume was moved after it was segmented. Move it back, or segment it again."))
    return replace(prepared, ijkToRas=examMatrix(result))
