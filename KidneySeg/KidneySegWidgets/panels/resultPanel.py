"""The section Result: what was found, as a table, a list of segments and remarks."""

from __future__ import annotations

import logging
from typing import Any

from KidneySegWidgets.panels.findingsText import flagsHtml, phaseText, summaryText
from KidneySegWidgets.panels.fitting import fitSegments, fitTable, prepareTable
from KidneySegWidgets.result.examView import showExam
from KidneySegWidgets.result.lesionView import showFinding
from KidneySegWidgets.result.resultNodes import ATTRIBUTE, ResultNodes

_NARROWEST_COLUMN = 24


class ResultPanel:
    """Shows one result."""

    def __init__(self, ui: Any) -> None:
        self._ui = ui
        self.result: ResultNodes | None = None
        self._changingTable = False
        ui.resultSelector.addAttribute("vtkMRMLSegmentationNode", ATTRIBUTE, "1")
        ui.tableView.selectionModel().connect("selectionChanged(QItemSelection,QItemSelection)", self._onRowSelected)
        prepareTable(ui.tableView)
        for column in ("opacityColumnVisible", "statusColumnVisible"):
            setattr(ui.segmentsView, column, False)

    def setResult(self, result: ResultNodes | None) -> None:
        """Shows another result; None shows that there is none."""
        self.result = result
        node = result.segmentationNode if result is not None else None
        self._ui.segmentsView.setSegmentationNode(node)
        self._changingTable = True  # Qt selects another row when the selected one goes; the reader did not
        try:
            self._ui.tableView.setMRMLTableNode(result.table if result is not None and result.hasFindings else None)
            self._ui.tableView.clearSelection()
        finally:
            self._changingTable = False
        # Slicer makes no column narrower than 60 pixels, which is more than "R" wants and a narrow panel has
        self._ui.tableView.horizontalHeader().setMinimumSectionSize(_NARROWEST_COLUMN)
        self._ui.resultDetails.setVisible(result is not None)
        self._ui.show3DButton.setSegmentationNode(node)
        self.update()

    def update(self) -> None:
        """Shows the findings as they are now."""
        summary, phase, flags = "", "", ""
        if self.result is not None:
            try:
                findings = self.result.findings()
                summary, phase, flags = summaryText(findings), phaseText(findings), flagsHtml(findings)
            except Exception as error:
                # a scene of another version: segments and table are still of use
                logging.warning("KidneySeg: the findings of this result cannot be read")
                flags = str(error)
        self._ui.summaryLabel.text = summary
        self._ui.phaseLabel.text = phase
        self._ui.flagsBrowser.setHtml(flags)
        fitTable(self._ui.tableView)
        segments = self.result.segmentationNode.GetSegmentation().GetNumberOfSegments() if self.result else 0
        fitSegments(self._ui.segmentsView, segments)

    def _onRowSelected(self, _selected: Any = None, _deselected: Any = None) -> None:
        rows = self._ui.tableView.selectionModel().selectedRows()
        if self.result is not None and rows and not self._changingTable:
            showExam(self.result)  # the reader may have looked at another exam meanwhile
            showFinding(self.result, rows[0].row())
