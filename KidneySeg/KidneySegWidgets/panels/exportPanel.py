"""The section Export."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import qt
import slicer.util
from slicer.i18n import tr as _

from KidneySegWidgets.complaints import complaining
from KidneySegWidgets.export.export import ExportOptions, exportResult
from KidneySegWidgets.export.trainingCase import exportTrainingCase
from KidneySegWidgets.result.resultNodes import ResultNodes
from KidneySegWidgets.settings import setSetting, setting


class ExportPanel:
    """Writes the result that is shown."""

    def __init__(self, ui: Any, result: Callable[[], ResultNodes | None], onExported: Callable[[], None]) -> None:
        self._ui, self._result, self._onExported = ui, result, onExported
        ui.exportFolderButton.directory = setting("exportFolder") or qt.QDir.homePath()
        ui.exportReportCheckBox.checked = setting("exportReport") == "yes"
        # a choice for this session: nobody shall name a patient because somebody once did
        ui.exportIdentifiedCheckBox.enabled = ui.exportReportCheckBox.checked
        ui.exportDicomCheckBox.checked = setting("exportDicom") == "yes"
        ui.exportFolderButton.connect("directoryChanged(QString)", self._onFolder)
        ui.exportReportCheckBox.connect("toggled(bool)", self._onReport)
        ui.exportDicomCheckBox.connect("toggled(bool)", self._onDicom)
        ui.exportButton.connect("clicked()", self._onExport)
        ui.exportTrainingButton.connect("clicked()", self._onExportTraining)

    def update(self) -> None:
        """Shows what can be done."""
        self._ui.exportSection.setVisible(self._result() is not None)

    def _write(self, write: Callable[[ResultNodes, Path], Path], done: str) -> None:
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
        options = ExportOptions(
            report=self._ui.exportReportCheckBox.checked,
            dicom=self._ui.exportDicomCheckBox.checked,
            identified=self._ui.exportIdentifiedCheckBox.checked,
            header=setting("reportHeader"),
            language=setting("reportLanguage"),
        )
        self._write(
            lambda result, folder: exportResult(result, folder, options),
            _("The result was written into the folder {name}."),
        )

    def _onExportTraining(self) -> None:
        self._write(exportTrainingCase, _("The corrected case was written into the folder {name}."))

    def _onFolder(self, path: str) -> None:
        setSetting("exportFolder", path)

    def _onReport(self, wanted: bool) -> None:
        setSetting("exportReport", "yes" if wanted else "no")
        self._ui.exportIdentifiedCheckBox.enabled = wanted

    def _onDicom(self, wanted: bool) -> None:
        setSetting("exportDicom", "yes" if wanted else "no")
