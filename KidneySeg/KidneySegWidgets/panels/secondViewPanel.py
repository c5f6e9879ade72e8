"""Below the result of an ultrasound image: another view of the kidney, which gives its volume."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import qt
import slicer

from KidneySegWidgets.complaints import reasonOf
from KidneySegWidgets.panels.findingsText import inPanel
from KidneySegWidgets.result.findingsTable import fillTables
from KidneySegWidgets.result.resultNodes import VIEW_ATTRIBUTE, ResultNodes
from KidneySegWidgets.result.secondView import acrossOf, withSecondView


class SecondViewPanel:
    """Follows the shown result; other images than ultrasound have no second view."""

    def __init__(self, ui: Any, onMeasured: Callable[[], None]) -> None:
        self._ui, self._onMeasured = ui, onMeasured
        self._result: ResultNodes | None = None
        self._choosing = False
        ui.transverseSelector.addAttribute("vtkMRMLSegmentationNode", VIEW_ATTRIBUTE, "1")
        ui.transverseSelector.connect("currentNodeChanged(vtkMRMLNode*)", self._onChosen)

    def setResult(self, result: ResultNodes | None) -> None:
        """Follows another result; the other view may have been corrected since it was shown last."""
        self._result = result if result is not None and result.isView and result.hasFindings else None
        for name in ("formLabelTransverse", "transverseSelector"):
            getattr(self._ui, name).setVisible(self._result is not None)
        self._showChosen()
        self._measure()

    def _showChosen(self) -> None:
        self._choosing = True
        try:
            self._ui.transverseSelector.setCurrentNode(self._result.transverse if self._result is not None else None)
        finally:
            self._choosing = False

    def _onChosen(self, node: Any) -> None:
        if self._choosing or self._result is None or slicer.mrmlScene.IsClosing():
            return
        if slicer.mrmlScene.IsImporting():  # the list does not know a view then, and shows none
            qt.QTimer.singleShot(0, self._showChosen)
            return
        self._result.setTransverse(node)
        self._measure()

    def _measure(self) -> None:
        reason, result = "", self._result
        if result is not None:
            try:
                before = result.findings()
                findings, reason = withSecondView(before, acrossOf(result))
                if findings != before:
                    result.setFindings(findings)
                    fillTables(result, findings)
                    self._onMeasured()
            except Exception as error:  # findings of another version
                reason = reasonOf(error)
        self._ui.secondViewLabel.text = inPanel(reason)
        self._ui.secondViewLabel.setVisible(bool(reason))
