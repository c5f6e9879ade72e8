"""Below the worklist: masses and cysts too doubtful to be counted, which the reader takes over or dismisses."""

from __future__ import annotations

from typing import Any

from KidneySegWidgets.panels.fitting import fitTable, narrowColumns, prepareTable
from KidneySegWidgets.panels.resultPanel import ResultPanel
from KidneySegWidgets.result.findingsTable import isBeingFilled
from KidneySegWidgets.translation import tr as _
from KidneySegWidgets.worklist.worklist import Worklist


class CandidatesPanel:
    """Shows the candidates of the result that is shown; without any it is hidden."""

    def __init__(self, ui: Any, results: ResultPanel, worklist: Worklist) -> None:
        self._ui, self._results, self._worklist = ui, results, worklist
        self._choosing = self._isHidden = False
        prepareTable(ui.candidatesView)
        ui.candidatesView.selectionModel().connect(
            "selectionChanged(QItemSelection,QItemSelection)", self._onRowSelected
        )
        ui.candidatesView.connect("clicked(QModelIndex)", self._onRowClicked)
        ui.takeOverButton.connect("clicked()", self.takeOver)
        ui.dismissButton.connect("clicked()", self.dismiss)

    @property
    def chosen(self) -> Any:
        """The candidate that was chosen last; None if something else was."""
        try:
            return self._worklist.candidate(self._results.current)
        except Exception:  # findings of another version; the section Result says so
            return None

    def update(self) -> None:
        """Shows the candidates as they are now."""
        listed = self._listed()
        if not listed and self._isHidden:
            return
        self._isHidden = not listed
        self._ui.candidatesSection.setVisible(bool(listed))
        self._ui.candidatesSection.text = _("Candidates ({number})").format(number=len(listed))
        self._choosing = True  # Qt selects another row when the selected one goes; the reader did not
        try:
            self._ui.candidatesView.setMRMLTableNode(self._worklist.result.candidateTable if listed else None)
            narrowColumns(self._ui.candidatesView)
            fitTable(self._ui.candidatesView)
            self._ui.candidatesView.clearSelection()
            if self._results.current in listed:
                self._ui.candidatesView.selectRow(listed.index(self._results.current))
        finally:
            self._choosing = False
        chosen = self.chosen
        isDismissed = chosen is not None and chosen.reading.state == "dismissed"
        self._ui.takeOverButton.enabled = chosen is not None and self._worklist.result.networkCandidates is not None
        self._ui.dismissButton.enabled = chosen is not None
        self._ui.dismissButton.text = _("Bring back") if isDismissed else _("Dismiss")

    def takeOver(self) -> None:
        """Makes a finding of the chosen one."""
        if self.chosen is not None and self._ui.takeOverButton.enabled:
            self._worklist.takeOver(self.chosen.id)

    def dismiss(self) -> None:
        """Leaves the chosen one a candidate that was looked at, or takes that back."""
        chosen = self.chosen
        if chosen is not None:
            self._worklist.dismiss(chosen.id, chosen.reading.state != "dismissed")

    def _listed(self) -> list[str]:
        try:
            return [each.id for each in self._worklist.result.findings().candidates] if self._worklist.result else []
        except Exception:  # as above
            return []

    def _onRowSelected(self, _selected: Any = None, _deselected: Any = None) -> None:
        rows = self._ui.candidatesView.selectionModel().selectedRows()
        if self._choosing or not rows or self._worklist.result is None:
            return
        if not isBeingFilled(self._worklist.result.candidateTable):
            self._results.show(self._listed()[rows[0].row()])

    def _onRowClicked(self, index: Any) -> None:
        """A row that is chosen already shows its place again: the reader may have looked elsewhere meanwhile."""
        listed = self._listed()
        if index.row() < len(listed) and listed[index.row()] == self._results.current:
            self._results.show(self._results.current)
