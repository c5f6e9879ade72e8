"""Measures a corrected segmentation again, and takes corrections back. What it means is the engine's to say."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
from slicer.i18n import tr as _

from KidneySegWidgets.engine.engineLocation import ensureEngine
from KidneySegWidgets.exam.inputVolume import prepareVolume
from KidneySegWidgets.result.correctedLabels import currentLabels, networkLabels
from KidneySegWidgets.result.findingsTable import fillTable
from KidneySegWidgets.result.lesionView import hideLine
from KidneySegWidgets.result.resultImport import drawLabels
from KidneySegWidgets.result.resultNodes import ResultNodes
from KidneySegWidgets.result.segments import AUTOMATIC, SEMIAUTOMATIC, algorithmType, markSegment, segmentsByStructure

_AIR, _HIGHEST = -1024, 32767


def recompute(result: ResultNodes) -> Any:
    """Measures the segmentation as it is now, fills the table and returns the engine's Result.

    Raises:
        RuntimeError: the volume or the network's labels are gone.
        KidneySegError: the engine cannot measure it; the message says why.
    """
    ensureEngine()
    from KidneySegLib.measuring.correction import corrections
    from KidneySegLib.tasks.registry import task_of
    from KidneySegLib.tasks.run import correct

    exam, original = engineExam(result), result.networkFindings()
    network = engineResult(exam, networkLabels(result), original)
    labels = exam.order.apply(currentLabels(result))
    corrected = correct(task_of(original), exam, labels, network, result.findings())
    result.setFindings(corrected.findings)
    _mark(result, corrections(corrected.findings))
    fillTable(result.table, corrected.findings)
    hideLine(result)
    return corrected


def reset(result: ResultNodes) -> None:
    """Draws the network's version again and forgets all corrections."""
    drawLabels(result)
    recompute(result)


def engineResult(exam: Any, labels: np.ndarray, findings: Any) -> Any:
    """Returns the engine's Result of labels (k, j, i) in the order of the volume node."""
    from KidneySegLib.measuring.instances import Segmentation
    from KidneySegLib.result_files.result import Result

    return Result(exam, Segmentation.of(exam.volume, exam.order.apply(labels)), findings)


def engineExam(result: ResultNodes) -> Any:
    """Returns the engine's Exam of the segmented image, on the grid of the network's labels, in whole HU.

    Raises:
        RuntimeError: the volume was removed, or was changed since.
    """
    ensureEngine()
    from KidneySegLib.tasks.run import exam_again
    from KidneySegLib.volume import Volume

    if result.volume is None or result.networkLabels is None:
        raise RuntimeError(_("The volume of this result is no longer in the scene. Load it and segment it again."))
    prepared = prepareVolume(result.volume)
    if prepared.voxels.shape != networkLabels(result).shape:
        raise RuntimeError(_("The volume was changed after it was segmented. Segment it again."))
    voxels = prepared.voxels
    if voxels.dtype.kind == "f":
        voxels = np.rint(np.nan_to_num(voxels, nan=_AIR))
    voxels = voxels.astype(np.int32) + assumedIntercept(result.networkFindings())
    volume = Volume(np.clip(voxels, _AIR, _HIGHEST).astype(np.int16), prepared.ijkToLps)
    return exam_again(volume, result.networkFindings())


def assumedIntercept(findings: Any) -> int:
    """Returns what the engine added to make Hounsfield units of values without a rescale intercept."""
    for flag in findings.flags:
        if flag.code == "rescale_assumed":
            # results of earlier versions do not hold the number
            return int(flag.values.get("intercept_hu", -flag.values.get("subtracted_hu", -_AIR)))
    return 0


def _mark(result: ResultNodes, changed: Collection[str]) -> None:
    segmentation = result.segmentationNode.GetSegmentation()
    for key, identifiers in segmentsByStructure(segmentation).items():
        for identifier in identifiers:
            segment = segmentation.GetSegment(identifier)
            wanted = SEMIAUTOMATIC if key in changed else AUTOMATIC
            if algorithmType(segment) != wanted:
                markSegment(segment, wanted)
