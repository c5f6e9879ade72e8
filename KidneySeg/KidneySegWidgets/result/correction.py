"""Shows what was measured of a corrected segmentation, and takes corrections back."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from KidneySegWidgets.engine.engineLocation import ensureEngine
from KidneySegWidgets.result.findingsTable import fillTables
from KidneySegWidgets.result.lesionView import hideLine
from KidneySegWidgets.result.resultImport import drawLabels
from KidneySegWidgets.result.resultNodes import ResultNodes
from KidneySegWidgets.result.secondView import acrossOf, withSecondView
from KidneySegWidgets.result.segments import AUTOMATIC, SEMIAUTOMATIC, algorithmType, markSegment, segmentsByStructure


def takeFindings(result: ResultNodes, findings: Any) -> None:
    """Shows findings of the segmentation as it is now: in the table, and in who drew each segment."""
    ensureEngine()
    from KidneySegLib.measuring.correction import corrections

    if result.isView:
        findings, _reason = withSecondView(findings, acrossOf(result))
    result.setFindings(findings)
    _mark(result, corrections(findings))
    fillTables(result, findings)
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


def _mark(result: ResultNodes, changed: Collection[str]) -> None:
    segmentation = result.segmentationNode.GetSegmentation()
    for key, identifiers in segmentsByStructure(segmentation).items():
        for identifier in identifiers:
            segment = segmentation.GetSegment(identifier)
            wanted = SEMIAUTOMATIC if key in changed else AUTOMATIC
            if algorithmType(segment) != wanted:
                markSegment(segment, wanted)
