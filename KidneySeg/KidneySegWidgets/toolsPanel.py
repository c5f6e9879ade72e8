"""The sections Export and Settings."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import ctk
import qt
import slicer.util
from slicer.i18n import tr as _

from KidneySegWidgets.complaints import complaining
from KidneySegWidgets.export import exportResult, exportTrainingCase
from KidneySegWidgets.installation import checkInstallation
from KidneySegWidgets.resultNodes import ResultNodes
from KidneySegWidgets.settings import devices, setSetting, setting


class ToolsPanel:
    """Writes results and keeps settings."""

    def __init__(
        self,
        ui: Any,
        result: Callable[[], ResultNodes | None],
        onExported: Callable[[], None],
        onSettings: Callable[[], None],
    ) -> None:
        self._ui, self._result, self._onExported, self._onSettings = ui, result, onExported, onSettings
        for identifier, label in devices():
            ui.defaultDeviceComboBox.addItem(label, identifier)
        ui.defaultDeviceComboBox.setCurrentIndex(max(0, ui.defaultDeviceComboBox.findData(setting("device"))))
        ui.modelsFolderEdit.filters = ctk.ctkPathLineEdit.Dirs
        ui.modelsFolderEdit.currentPath = setting("modelsFolder")
        ui.exportFolderButton.directory = setting("exportFolder") or qt.QDir.homePath()
        ui.exportFolderButton.connect("directoryChanged(QString)", self._onExportFolder)
        ui.exportButton.connect("clicked()", self._onExport)
        ui.exportTrainingButton.connect("clicked()", self._onExportTraining)
        ui.defaultDeviceComboBox.connect("currentIndexChanged(int)", self._onDefaultDevice)
        ui.modelsFolderEdit.connect("currentPathChanged(QString)", self._onModelsFolder)
        ui.checkInstallationButton.connect("clicked()", self._onCheckInstallation)

    def update(self) -> None:
        """Shows what can be done."""
        self._ui.exportSection.setVisible(self._result() is not None)

    def _export(self, write: Callable[[ResultNodes, Path], Any], done: str) -> None:
        result = self._result()
        if result is None:
            return
        written = None
        with complaining(_("The export failed.")):
            written = write(result, Path(self._ui.exportFolderButton.directory))
        self._onExported()
        if written is not None:
            slicer.util.infoDisplay(done.format(name=written.name), windowTitle="KidneySeg")

    def _onExport(self) -> None:
        def write(result: ResultNodes, folder: Path) -> Path:
            return exportResult(result, _freeFolder(folder, "KidneySeg"))[0].parent

        self._export(write, _("The result was written into the folder {name}."))

    def _onExportTraining(self) -> None:
        self._export(exportTrainingCase, _("The corrected case was written into the folder {name}."))

    def _onDefaultDevice(self, _index: int) -> None:
        setSetting("device", self._ui.defaultDeviceComboBox.currentData)

    def _onModelsFolder(self, path: str) -> None:
        setSetting("modelsFolder", path)
        self._onSettings()

    def _onExportFolder(self, path: str) -> None:
        setSetting("exportFolder", path)

    def _onCheckInstallation(self) -> None:
        checkInstallation()


def _freeFolder(parent: Path, name: str) -> Path:
    """Returns a folder that is not there yet. It is not called after the volume, which may bear a patient's name."""
    number = 1
    while (parent / f"{name}_{number}").exists():
        number += 1
    return parent / f"{name}_{number}"
