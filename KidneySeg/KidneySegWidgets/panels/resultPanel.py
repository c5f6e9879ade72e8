"""The section Result: what was found, as a table, a list of segments and remarks."""

from __future__ import annotations

import html
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from KidneySegWidgets.complaints import reasonOf
from KidneySegWidgets.panels.findingsText import flagsHtml, phaseText, summaryText
from KidneySegWidgets.panels.fitting import fitSegments, fitTable, narrowColumns, prepareTable
from KidneySegWidgets.panels.secondViewPanel import SecondViewPanel
from KidneySegWidgets.result.emptySegments import emptySegments
from KidneySegWidgets.result.examView import showExam
from KidneySegWidgets.result.findingsTable import fillTables, findingRows, isBeingFilled
from KidneySegWidgets.result.lesionRows import candidateRows, wasCalled
from KidneySegWidgets.result.lesionView import showFinding
from KidneySegWidgets.result.place import followVolume, placeComplaint
from KidneySegWidgets.result.resultNodes import ATTRIBUTE, ResultNodes
from KidneySegWidgets.result.volumeFollowing import VolumeFollowing


class ResultPanel:
    """Shows one result."""

    def __init__(self, ui: Any) -> None:
        self._ui = ui
        self.result: ResultNodes | None = None
        self.current = ""  # identifier of the chosen row
        self._origin: str | None = None  # and the one that the network gave it
        self.onChosen: Callable[[], None] = lambda: None
        self._rows: list[tuple[str, dict[str, Any]]] = []
        self._rowsOf: Any = None  # the findings of which they are
        self._changingTable = False
        ui.resultSelector.addAttribute("vtkMRMLSegmentationNode", ATTRIBUTE, "1")
        ui.tableView.selectionModel().connect("selectionChanged(QItemSelection,QItemSelection)", self._onRowSelected)
        ui.tableView.connect("clicked(QModelIndex)", self._onRowClicked)
        prepareTable(ui.tableView)
        self._secondView = SecondViewPanel(ui, self.update)
        self._following = VolumeFollowing(self.update)
        for column in ("opacityColumnVisible", "statusColumnVisible"):
            setattr(ui.segmentsView, column, False)

    def setResult(self, result: ResultNodes | None) -> None:
        """Shows another result; None shows that there is none."""
        if result is not None and result.separate():
            with suppress(Exception):  # findings of another version; `update` says so
                fillTables(result, result.findings())
        self.result, self.current = result, ""
        if result is not None:
            followVolume(result)
        node = result.segmentationNode if result is not None else None
        self._ui.segmentsView.setSegmentationNode(node)
        self._changingTable = True  # Qt selects another row when the selected one goes; the reader did not
        try:
            self._ui.tableView.setMRMLTableNode(result.table if result is not None and result.hasFindings else None)
            self._ui.tableView.clearSelection()
        finally:
            self._changingTable = False
        narrowColumns(self._ui.tableView)
        self._ui.resultDetails.setVisible(result is not None)
        self._ui.show3DButton.setSegmentationNode(node)
        self.update()
        self._secondView.setResult(result)
        self._following.setResult(result)

    def update(self) -> None:
        """Shows the findings as they are now."""
        summary, phase, flags, isPlaced = "", "", "", True
        if self.result is not None:
            try:
                findings = self.result.findings()
                summary, phase, flags = summaryText(findings), phaseText(findings), flagsHtml(findings)
                isPlaced = findings.in_patient
            except Exception as error:
                # a scene of another version: segments and table are still of use
                logging.warning("KidneySeg: the findings of this result cannot be read")
                flags = html.escape(reasonOf(error))
            if complaint := placeComplaint(self.result):
                flags = f"<p><b>{html.escape(complaint)}</b></p>{flags}"
        self._ui.summaryLabel.text = summary
        self._ui.phaseLabel.text = phase
        for each in (self._ui.formLabel8, self._ui.phaseLabel, self._ui.show3DButton):
            each.setVisible(isPlaced)  # ultrasound knows no contrast phase, and a plane has no surface
        self._ui.flagsBrowser.setHtml(flags)
        fitTable(self._ui.tableView)
        self._chooseAgain()
        self._listSegments()

    def _listSegments(self) -> None:
        """Lists the segments of which something is drawn; Segment Editor lists all, so that they can be drawn anew."""
        view = self._ui.segmentsView
        view.setHideSegments(self._emptySegments())
        fitSegments(view, len(view.displayedSegmentIDs()))

    def _emptySegments(self) -> list[str]:
        """Returns segments without a voxel, of the structures that no row of the table is about."""
        if self.result is None:
            return []
        listed = {values["structure"] for _name, values in self.rows() if values.get("state") != "rejected"}
        return emptySegments(self.result, listed)

    def _onRowSelected(self, _selected: Any = None, _deselected: Any = None) -> None:
        rows = self._ui.tableView.selectionModel().selectedRows()
        if self.result is None or isBeingFilled(self.result.table):
            return
        if rows and not self._changingTable:
            self._show(self.rows()[rows[0].row()][0])

    def _onRowClicked(self, index: Any) -> None:
        """A row that is chosen already shows its place again: the reader may have looked elsewhere meanwhile."""
        rows = self.rows()
        if index.row() < len(rows) and rows[index.row()][0] == self.current:
            self._show(self.current)

    def show(self, identifier: str) -> None:
        """Shows the place of something that no row of the table is about."""
        self._changingTable = True
        try:
            self._ui.tableView.clearSelection()
        finally:
            self._changingTable = False
        self._show(identifier)

    def _show(self, identifier: str) -> None:
        assert self.result is not None
        showExam(self.result)  # the reader may have looked at another exam meanwhile
        showFinding(self.result, identifier)
        self.current = identifier
        self.onChosen()

    def follow(self, identifier: str) -> None:
        """Chooses a row while the views stay where the reader is."""
        self.current, self._origin = identifier, None
        self._chooseAgain()
        self.onChosen()

    def stop(self) -> None:
        """Follows no volume any more."""
        self._following.setResult(None)

    def rows(self) -> list[tuple[str, dict[str, Any]]]:
        """Returns identifier and values of each row; none where there are no findings that can be read."""
        try:
            findings = self.result.findings() if self.result is not None else None
            if findings is not self._rowsOf:  # several ask after each change
                self._rows = list(findingRows(findings)) if findings is not None else []
                self._rowsOf = findings
        except Exception:
            self._rows, self._rowsOf = [], None  # `update` says why
        return self._rows

    def _candidates(self) -> list[str]:
        try:
            return [name for name, _values in candidateRows(self.result.findings())] if self.result is not None else []
        except Exception:
            return []  # as above

    def choose(self, row: int) -> None:
        """Chooses a row, as a click on it does."""
        self._ui.tableView.clearSelection()  # a row that is chosen again shows its place again
        self._ui.tableView.selectRow(row)

    def _chooseAgain(self) -> None:
        """Chooses the row of before in a table that was filled anew; the views stay where the reader is."""
        if not self.current or self.result is None:
            return
        rows = self.rows()
        same = [row for row, (identifier, _values) in enumerate(rows) if identifier == self.current]
        origins = [wasCalled(values) for _identifier, values in rows]
        became = [row for row, origin in enumerate(origins) if origin is not None and origin == self.current]
        merged = [row for row, origin in enumerate(origins) if origin is not None and origin == self._origin]
        back = [row for row, (identifier, _values) in enumerate(rows) if identifier == self._origin]
        chosen = (same or became or back or merged or [-1])[0]
        self._changingTable = True
        try:
            self._ui.tableView.clearSelection()
            if chosen >= 0:
                self._ui.tableView.selectRow(chosen)
        finally:
            self._changingTable = False
        if chosen >= 0:
            self.current, self._origin = rows[chosen][0], wasCalled(rows[chosen][1])
        elif self.current not in self._candidates():
            candidate = [name for name in self._candidates() if name == self._origin]  # one that was taken over
            self.current, self._origin = (candidate or [""])[0], None
        if self.current:
            showFinding(self.result, self.current, jump=False)
