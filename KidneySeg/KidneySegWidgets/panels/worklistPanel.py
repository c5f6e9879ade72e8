"""Below the table: goes from lesion to lesion, and confirms, rejects, changes, names and adds them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import qt
import slicer.util

from KidneySegWidgets.complaints import reasonOf
from KidneySegWidgets.panels.candidatesPanel import CandidatesPanel
from KidneySegWidgets.panels.findingsText import copyText, lesionText
from KidneySegWidgets.panels.resultPanel import ResultPanel
from KidneySegWidgets.result.resultNodes import ResultNodes
from KidneySegWidgets.translation import tr as _
from KidneySegWidgets.worklist.clickedPlace import ClickedPlace
from KidneySegWidgets.worklist.placing import PointPlacing
from KidneySegWidgets.worklist.readerClick import ReaderClick
from KidneySegWidgets.worklist.worklist import Worklist

# What ultrasound has no use for.
_OF_LESIONS = (
    "lesionLabel",
    "previousLesionButton",
    "nextLesionButton",
    "confirmLesionButton",
    "rejectLesionButton",
    "undoLesionButton",
    "formLabelKind",
    "lesionKindComboBox",
    "formLabelName",
    "lesionNameEdit",
    "addLesionButton",
    "addKindComboBox",
)
# Rows of buttons must not make the panel wider than a narrow dock.
_NARROWEST = 60


class WorklistPanel:
    """Works on the chosen row of the table of results."""

    def __init__(
        self, ui: Any, results: ResultPanel, onMarked: Callable[[], None], measure: Callable[[], None]
    ) -> None:
        self._ui, self._results, self._measure = ui, results, measure
        self.worklist = Worklist(onMarked, self._onDrawn, self._say, results.follow)
        self._candidates = CandidatesPanel(ui, results, self.worklist)
        self._placing = PointPlacing(self._onPoint, self._onPlacingEnd)
        self._said = ""
        self._clicked: ClickedPlace | None = None
        for kind, title in (("mass", _("Solid mass")), ("cyst", _("Cyst")), ("stone", _("Stone"))):
            ui.lesionKindComboBox.addItem(title, kind)
            ui.addKindComboBox.addItem(title, kind)
        ui.lesionKindComboBox.addItem(_("Kidney"), "kidney")
        for name in (
            "confirmLesionButton",
            "rejectLesionButton",
            "undoLesionButton",
            "addLesionButton",
            "copyTextButton",
        ):
            getattr(ui, name).minimumWidth = _NARROWEST
        for name in ("lesionKindComboBox", "addKindComboBox"):
            getattr(ui, name).minimumWidth = _NARROWEST
        results.onChosen = self._onChosen
        ui.previousLesionButton.connect("clicked()", self.previous)
        ui.nextLesionButton.connect("clicked()", self.next)
        ui.confirmLesionButton.connect("clicked()", self._onConfirm)
        ui.rejectLesionButton.connect("clicked()", self._onReject)
        ui.undoLesionButton.connect("clicked()", self._onUndo)
        ui.lesionKindComboBox.connect("activated(int)", self._onKind)
        ui.lesionNameEdit.connect("editingFinished()", self._onName)
        ui.addLesionButton.connect("toggled(bool)", self._onAdd)
        ui.copyTextButton.connect("clicked()", self._onCopy)
        self._shortcuts = [
            self._shortcut(key, slot)
            for key, slot in (
                ("N", self.next),
                ("P", self.previous),
                ("C", self._onKeyC),
                ("X", self._onKeyX),
                ("A", ui.addLesionButton.toggle),
                ("Z", self._onUndo),
            )
        ]

    def setResult(self, result: ResultNodes | None) -> None:
        """Works on another result; None works on none."""
        self._placing.stop()
        self.worklist.setResult(result)
        self._said, self._clicked = "", None
        self.update()

    def listenToKeys(self, isEntered: bool) -> None:
        """Keys work while the module is shown; elsewhere they are other modules' keys."""
        for shortcut in self._shortcuts:
            shortcut.enabled = isEntered
        if not isEntered:
            self._placing.stop()

    def stop(self) -> None:
        """Waits for no click and listens to no key any more."""
        self._placing.stop()
        self.worklist.setResult(None)
        for shortcut in self._shortcuts:
            shortcut.deleteLater()
        self._shortcuts = []

    def update(self) -> None:
        """Shows what can be done with the chosen lesion."""
        self._chooseClicked()
        self._candidates.update()
        finding = self._chosen()
        rejected = finding is not None and self.worklist.isRejected(finding.id)
        state = finding.reading.state if finding is not None else ""
        has = self.worklist.result is not None and self.worklist.result.networkLabels is not None
        ui = self._ui
        ui.worklistWidget.setVisible(has and self.worklist.result.hasFindings)
        for name in _OF_LESIONS:
            getattr(ui, name).setVisible(self._hasLesions())
        ui.confirmLesionButton.enabled = not rejected and state in ("found", "confirmed")
        ui.confirmLesionButton.text = _("Unconfirm") if state == "confirmed" and not rejected else _("Confirm")
        ui.rejectLesionButton.enabled = has and finding is not None
        ui.rejectLesionButton.text = _("Restore") if rejected else _("Reject")
        ui.undoLesionButton.enabled = self.worklist.canUndo
        isKidney = has and self._chosenKidney() is not None
        ui.lesionNameEdit.enabled = finding is not None and not rejected
        ui.lesionKindComboBox.enabled = ui.lesionNameEdit.enabled or isKidney
        if finding is not None or isKidney:
            kind = "kidney" if finding is None else finding.structure
            ui.lesionKindComboBox.setCurrentIndex(ui.lesionKindComboBox.findData(kind))
        if not ui.lesionNameEdit.hasFocus() or finding is None:
            ui.lesionNameEdit.text = finding.reading.reader_name if finding is not None else ""
        ui.lesionLabel.text = self._text(finding)

    def next(self) -> None:
        """Goes to the next lesion or stone; after the last one to the first."""
        self._step(1)

    def previous(self) -> None:
        """Goes to the one before; from the first one to the last."""
        self._step(-1)

    def _step(self, by: int) -> None:
        rows = self._results.rows()
        lesions = [row for row, (_name, values) in enumerate(rows) if "state" in values]
        if not lesions:
            return
        places = [lesions.index(row) for row in lesions if rows[row][0] == self._results.current]
        place = (places[0] + by) % len(lesions) if places else (0 if by > 0 else len(lesions) - 1)
        self._results.choose(lesions[place])

    def _chosen(self) -> Any:
        try:
            return self.worklist.finding(self._results.current)
        except Exception:  # findings of another version; the section Result says so
            return None

    def _chosenKidney(self) -> Any:
        try:
            return self.worklist.kidney(self._results.current)
        except Exception:  # as above
            return None

    def _hasLesions(self) -> bool:
        """Whether lesions are looked for in such images; in ultrasound they are not."""
        try:
            return self.worklist.result is None or bool(self.worklist.result.findings().in_patient)
        except Exception:  # as above
            return True

    def _text(self, finding: Any) -> str:
        if self._placing.isWaiting:
            return _("Click into the middle of what is missing. Escape ends it.")
        if self.worklist.isAnswering:
            return _("The outline is being drawn…")
        if self._said:
            return self._said
        if finding is None and self._chosenKidney() is not None:
            return _("If all of this kidney is a tumour or cyst, choose another kind. Next (N) goes to the lesions.")
        if finding is None:
            return _("Next (N) goes from lesion to lesion.")
        return lesionText(self.worklist.result.findings(), finding.id)

    def _say(self, sentence: str) -> None:
        self._said = sentence
        self.update()

    def _onChosen(self) -> None:
        self._ui.lesionNameEdit.clearFocus()
        self._say("")

    def _onDrawn(self) -> None:
        self._measure()
        self.update()

    def _onKeyC(self) -> None:
        """It is one: of a candidate that means that it is taken over."""
        (self._onConfirm if self._candidates.chosen is None else self._candidates.takeOver)()

    def _onKeyX(self) -> None:
        """It is none: of a candidate that means that it is dismissed."""
        (self._onReject if self._candidates.chosen is None else self._candidates.dismiss)()

    def _onConfirm(self) -> None:
        finding = self._chosen()
        if finding is not None and self._ui.confirmLesionButton.enabled:
            self.worklist.confirm(finding.id, finding.reading.state != "confirmed")

    def _onReject(self) -> None:
        finding = self._chosen()
        if finding is None or not self._ui.rejectLesionButton.enabled:
            return

        def toggle() -> None:  # twice is there and back, also while the first is being drawn
            (self.worklist.restore if self.worklist.isRejected(finding.id) else self.worklist.reject)(finding.id)

        self.worklist.whenFree(toggle)
        self.update()

    def _onUndo(self) -> None:
        self._said, self._clicked = "", None
        self.worklist.undo()
        self.update()

    def _onKind(self, _index: int) -> None:
        finding, kind = self._chosen(), self._ui.lesionKindComboBox.currentData
        isKidney = finding is None and self._chosenKidney() is not None
        if kind != ("kidney" if isKidney else getattr(finding, "structure", kind)):
            self.worklist.relabel(self._results.current, kind)

    def _onName(self) -> None:
        finding = self._chosen()
        if finding is None or self._ui.lesionNameEdit.text == finding.reading.reader_name:
            return
        try:
            self.worklist.rename(finding.id, self._ui.lesionNameEdit.text)
        except Exception as error:
            self._say(reasonOf(error))

    def _onAdd(self, wanted: bool) -> None:
        if wanted and self.worklist.result is not None and self._hasLesions():
            self._said = ""
            self._placing.start()
        else:
            self._placing.stop()
            self._ui.addLesionButton.checked = False
        self.update()

    def _onPoint(self, point: np.ndarray) -> None:
        self._clicked = ClickedPlace.of(self.worklist.result, point, self._results.current)
        self.worklist.click(ReaderClick(point[None], self._ui.addKindComboBox.currentData, adds=True))
        self.update()

    def _chooseClicked(self) -> None:
        """Chooses a row that was added by a click and could not be listed before it was measured."""
        result, clicked = self.worklist.result, self._clicked
        if clicked is None or result is None or result.isStale or clicked.isStillListed(result):
            return
        self._clicked = None
        if self._results.current == clicked.chosen and (added := clicked.added(result)):
            self._results.follow(added)

    def _onPlacingEnd(self) -> None:
        self._ui.addLesionButton.checked = False
        self.update()

    def _onCopy(self) -> None:
        result = self.worklist.result
        if result is None:
            return
        try:
            text = copyText(result.findings())
        except Exception as error:
            self._say(reasonOf(error))
            return
        qt.QApplication.clipboard().setText(text)
        self._say(_("The text of the findings is in the clipboard."))

    @staticmethod
    def _shortcut(key: str, slot: Callable[[], None]) -> Any:
        shortcut = qt.QShortcut(qt.QKeySequence(key), slicer.util.mainWindow())
        shortcut.enabled = False
        shortcut.connect("activated()", slot)
        return shortcut
