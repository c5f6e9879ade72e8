"""Measures a corrected segmentation again, and takes corrections back. What it means is the engine's to say."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
from slicer.i18n import tr as _

from KidneySegWidgets.engine.engineLocation import ensureEngine
from KidneySegWidgets.exam.inputVolume import PreparedVolume, prepareVolume
from KidneySegWidgets.result.correctedLabels import currentLabels, networkLabels
from KidneySegWidgets.result.findingsTable import fillTable
from KidneySegWidgets.result.lesionView import hideLine
from KidneySegWidgets.result.resultImport import drawLabels
from KidneySegWidgets.result.resultNodes import ResultNodes
from KidneySegWidgets.result.segments import AUTOMATIC, SEMIAUTOMATIC, algorithmType, markSegment, segmentsByStructure


def recompute(result: ResultNodes) -> Any:
    """Measures the segmentation as it is now while Slicer waits, fills the table and returns the engine's Result.

    It is for exports, which need image and labels as well; after changes `run.remeasuring` measures beside Slicer.

    Raises:
        RuntimeError: the volume or the network's labels are gone.
        KidneySegError: the engine cannot measure it; the message says why.
    """
    exam, original = engineExam(result), result.networkFindings()
    from KidneySegLib.tasks.registry import task_of
    from KidneySegLib.tasks.run import correct

    network = engineResult(exam, networkLabels(result), original)
    labels = exam.order.apply(currentLabels(result))
    corrected = correct(task_of(original), exam, labels, network, result.findings())
    takeFindings(result, corrected.findings)
    return corrected


def takeFindings(result: ResultNodes, findings: Any) -> None:
    """Shows findings of the segmentation as it is now: in the table, and in who drew each segment."""
    ensureEngine()
    from KidneySegLib.measuring.correction import corrections

    result.setFindings(findings)
    _mark(result, corrections(findings))
    fillTable(result.table, findings)
    hideLine(result)


def withMarksOf(result: ResultNodes, findings: Any) -> Any:
    """Returns findings with the marks that the reader set on the shown ones while these were measured."""
    ensureEngine()
    from KidneySegLib.findings.marks import carried

    return carried(findings, result.findings())


def reset(result: ResultNodes) -> None:
    """Draws the network's version again, with what was measured then, and forgets all corrections."""
    drawLabels(result)
    takeFindings(result, result.networkFindings())


def engineResult(exam: Any, labels: np.ndarray, findings: Any) -> Any:
    """Returns the engine's Result of labels (k, j, i) in the order of the volume node."""
    from KidneySegLib.measuring.instances import Segmentation
    from KidneySegLib.result_files.result import Result

    return Result(exam, Segmentation.of(exam.volume, exam.order.apply(labels)), findings)


def preparedExam(result: ResultNodes) -> PreparedVolume:
    """Returns the segmented image as the engine takes it, on the grid of the network's labels.

    Raises:
        RuntimeError: the volume was removed, or was changed since.
    """
    if result.volume is None or result.networkLabels is None:
        raise RuntimeError(_("The volume of this result is no longer in the scene. Load it and segment it again."))
    prepared = prepareVolume(result.volume)
    if prepared.voxels.shape != networkLabels(result).shape:
        raise RuntimeError(_("The volume was changed after it was segmented. Segment it again."))
    return prepared


def engineExam(result: ResultNodes) -> Any:
    """Returns the engine's Exam of the segmented image.

    Raises:
        RuntimeError: the volume was removed, or was changed since.
    """
    prepared = preparedExam(result)
    ensureEngine()
    from KidneySegLib.tasks.run import exam_again
    from KidneySegLib.volume import Volume

    return exam_again(Volume(prepared.voxels, prepared.ijkToLps), result.networkFindings())


def _mark(result: ResultNodes, changed: Collection[str]) -> None:
    segmentation = result.segmentationNode.GetSegmentation()
    for key, identifiers in segmentsByStructure(segmentation).items():
        for identifier in identifiers:
            segment = segmentation.GetSegment(identifier)
            wanted = SEMIAUTOMATIC if key in changed else AUTOMATIC
            if algorithmType(segment) != wanted:
                markSegment(segment, wanted)
