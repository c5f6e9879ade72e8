"""The section Settings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ctk

from KidneySegWidgets.engine.installation import checkInstallation
from KidneySegWidgets.settings import REPORT_LANGUAGES, setSetting, setting


class SettingsPanel:
    """Shows and keeps settings."""

    def __init__(self, ui: Any, onModelsFolder: Callable[[], None]) -> None:
        self._ui, self._onModelsFolderChanged = ui, onModelsFolder
        _fill(ui.reportLanguageComboBox, REPORT_LANGUAGES, setting("reportLanguage"))
        ui.modelsFolderEdit.filters = ctk.ctkPathLineEdit.Dirs
        ui.modelsFolderEdit.currentPath = setting("modelsFolder")
        ui.reportHeaderEdit.text = setting("reportHeader")
        ui.reportLanguageComboBox.connect("currentIndexChanged(int)", self._onReportLanguage)
        ui.modelsFolderEdit.connect("currentPathChanged(QString)", self._onModelsFolder)
        ui.reportHeaderEdit.connect("textChanged(QString)", self._onReportHeader)
        ui.checkInstallationButton.connect("clicked()", self._onCheckInstallation)

    def _onReportLanguage(self, _index: int) -> None:
        setSetting("reportLanguage", self._ui.reportLanguageComboBox.currentData)

    def _onReportHeader(self, text: str) -> None:
        setSetting("reportHeader", text)

    def _onModelsFolder(self, path: str) -> None:
        setSetting("modelsFolder", path)
        self._onModelsFolderChanged()

    def _onCheckInstallation(self) -> None:
        checkInstallation()


def _fill(comboBox: Any, entries: list[tuple[str, str]], chosen: str) -> None:
    for identifier, label in entries:
        comboBox.addItem(label, identifier)
    comboBox.setCurrentIndex(max(0, comboBox.findData(chosen)))
