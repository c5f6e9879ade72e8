"""The section Inputs: volume, task, model, device and region, as parameters of a run."""

from __future__ import annotations

from typing import Any

import slicer
import slicer.util

from KidneySegWidgets.engine.bundles import installedBundles
from KidneySegWidgets.engine.graphicsCards import GraphicsCards
from KidneySegWidgets.exam.viewImage import TASK as VIEW_TASK
from KidneySegWidgets.run.runParameters import AUTOMATIC, RunParameters, engineTask, engineTasks, lastVolume
from KidneySegWidgets.run.taskTexts import taskTitle
from KidneySegWidgets.settings import devices, setSetting, setting
from KidneySegWidgets.translation import tr as _


class InputPanel:
    """Fills the section and reads it."""

    def __init__(self, ui: Any) -> None:
        self._ui = ui
        self._node: Any = None
        self._preselected: str | None = None
        self._sizedVolume = ""
        self._bundles: dict[str, Any] = {}
        self._updating = False
        self._listDevices(0)
        self._cards = GraphicsCards(self._onCards)
        ui.taskComboBox.addItem(_("Automatic"), AUTOMATIC)
        for task in engineTasks():
            ui.taskComboBox.addItem(taskTitle(task), task.name)
        ui.taskComboBox.connect("currentIndexChanged(int)", self._onTask)
        ui.bundleComboBox.connect("currentIndexChanged(int)", self._onBundle)
        ui.deviceComboBox.connect("currentIndexChanged(int)", self._onDevice)
        ui.loadDicomButton.connect("clicked()", self._onLoadDicom)
        ui.cardButton.connect("clicked()", self._onCard)

    def setParameterNode(self, node: Any) -> None:
        """Takes another parameter node; None forgets the present one."""
        self._node = node
        self._preselected = None
        if node is None:
            return
        if not node.device:
            node.device = setting("device")
        self.preselectVolume()
        self.update()

    def stop(self) -> None:
        """Waits for nothing any more."""
        self._cards.stop()

    def preselectVolume(self) -> None:
        """Chooses the volume that was loaded last, until the user chooses one."""
        chosen = self._node.inputVolume
        if chosen is not None and chosen.GetID() != self._preselected:
            return
        last = lastVolume()
        self._preselected = last.GetID() if last is not None else None
        if last is not chosen:
            self._node.inputVolume = last

    def update(self) -> None:
        """Shows what the parameter node says."""
        if self._node is None or self._updating:
            return
        self._updating = True
        try:
            self._showPixelSize()
            self._choose(self._ui.taskComboBox, self._node.task)
            self._listBundles()
            self._choose(self._ui.deviceComboBox, self._node.device)
        finally:
            self._updating = False

    def parameters(self) -> RunParameters:
        """Returns what a click on Segment would do."""
        node = self._node
        if node is None:
            return RunParameters(None)
        return RunParameters(
            volume=node.inputVolume,
            task=engineTask(node.task, node.inputVolume),
            bundle=self._ui.bundleComboBox.currentData or "",
            device=self._ui.deviceComboBox.currentData or "auto",
            roi=node.region,
            modelsFolder=setting("modelsFolder"),
            pixelMm=self._ui.pixelSizeSpinBox.value if self._asksForPixelSize() else 0.0,
        )

    def _asksForPixelSize(self) -> bool:
        task = engineTask(self._node.task, self._node.inputVolume)
        return task is not None and task.name == VIEW_TASK

    def _showPixelSize(self) -> None:
        """A size belongs to one image: another one never gets millimetres by it."""
        volume = self._node.inputVolume
        identifier = volume.GetID() if volume is not None else ""
        if identifier != self._sizedVolume:
            self._sizedVolume = identifier
            self._ui.pixelSizeSpinBox.value = 0.0
        for widget in (self._ui.formLabelPixel, self._ui.pixelSizeSpinBox):
            widget.setVisible(self._asksForPixelSize())

    def _listDevices(self, cards: int) -> None:
        self._ui.deviceComboBox.clear()
        for identifier, label in devices(cards):
            self._ui.deviceComboBox.addItem(label, identifier)

    def _onCards(self, count: int) -> None:
        self._updating = True
        self._listDevices(count)
        self._updating = False
        self.update()

    def bundle(self) -> Any:
        """Returns the chosen model bundle, or None."""
        return self._bundles.get(self._ui.bundleComboBox.currentData or "")

    def _listBundles(self) -> None:
        comboBox = self._ui.bundleComboBox
        task = engineTask(self._node.task, self._node.inputVolume)
        found = {bundle.folder.name: bundle for bundle in installedBundles(task, setting("modelsFolder"))}
        if found.keys() != self._bundles.keys() or comboBox.count == 0:
            self._bundles = found
            comboBox.clear()
            for name, bundle in found.items():
                comboBox.addItem(f"{bundle.title} ({name} {bundle.version})", name)
            if not found:
                comboBox.addItem(_("No model for this task is installed"), "")
        self._choose(comboBox, self._node.bundle)
        self._ui.cardButton.enabled = bool(found)

    @staticmethod
    def _choose(comboBox: Any, identifier: str) -> None:
        comboBox.setCurrentIndex(max(0, comboBox.findData(identifier)))

    # one parameter each: writing it shows the whole node again, and would take back a choice not written yet
    def _onBundle(self, _index: int) -> None:
        if self._node is not None and not self._updating:
            self._node.bundle = self._ui.bundleComboBox.currentData or ""

    def _onTask(self, _index: int) -> None:
        if self._node is not None and not self._updating:
            self._node.task = self._ui.taskComboBox.currentData

    def _onDevice(self, _index: int) -> None:
        if self._node is not None and not self._updating:
            self._node.device = self._ui.deviceComboBox.currentData
            setSetting("device", self._node.device)

    def _onLoadDicom(self) -> None:
        slicer.util.selectModule("DICOM")

    def _onCard(self) -> None:
        bundle = self.bundle()
        if bundle is not None:
            details = bundle.card or _("This model has no card.")
            text = f"{bundle.title}\n{bundle.name} {bundle.version}, {_('licence')}: {bundle.licence}"
            slicer.util.infoDisplay(text, windowTitle=_("About this model"), detailedText=details)
