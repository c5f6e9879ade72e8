"""The section Result: what was found, as a table, a list of segments and remarks."""

from __future__ import annotations

import logging
from typing import Any

import qt
from slicer.i18n import tr as _

from KidneySegWidgets.complaints import complaining
from KidneySegWidgets.panels.findingsText import flagsHtml, phaseText, summaryText
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
        ui.show3DCheckBox.connect("toggled(bool)", self._onShow3D)
        ui.tableView.verticalHeader().setVisible(False)
        ui.tableView.verticalHeader().setDefaultSectionSize(24)
        header = ui.tableView.horizontalHeader()
        header.setSectionResizeMode(qt.QHeaderView.ResizeToContents)
        header.setStretchLastSection(True)
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
        self._ui.show3DCheckBox.checked = node is not None and self._hasSurfaces(node)
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

    @staticmethod
    def _hasSurfaces(node: Any) -> bool:
        return bool(node.GetSegmentation().ContainsRepresentation("Closed surface"))

    def _onRowSelected(self, _selected: Any = None, _deselected: Any = None) -> None:
        rows = self._ui.tableView.selectionModel().selectedRows()
        if self.result is not None and rows and not self._changingTable:
            showExam(self.result)  # the reader may have looked at another exam meanwhile
            showFinding(self.result, rows[0].row())

    def _onShow3D(self, shown: bool) -> None:
        if self.result is None or shown == self._hasSurfaces(self.result.segmentationNode):
            return
        node = self.result.segmentationNode
        with complaining(_("The surfaces could not be made.")):
            if shown:
                node.CreateClosedSurfaceRepresentation()
            else:
                node.RemoveClosedSurfaceRepresentation()
