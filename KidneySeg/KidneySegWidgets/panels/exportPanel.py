"""The section Export."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import qt
import slicer.util

from KidneySegWidgets.complaints import complaining, logError, reasonOf
from KidneySegWidgets.engine.besideMainThread import BesideMainThread
from KidneySegWidgets.export.export import ExportOptions, Written, exportResult
from KidneySegWidgets.export.trainingCase import exportTrainingCase
from KidneySegWidgets.result.resultNodes import ResultNodes
from KidneySegWidgets.settings import setSetting, setting
from KidneySegWidgets.translation import tr as _


class ExportPanel:
    """Writes the result that is shown."""

    def __init__(
        self, ui: Any, result: Callable[[], ResultNodes | None], onWritten: Callable[[ResultNodes, Written], None]
    ) -> None:
        """`onWritten` gets the result that was written, and what was measured for that."""
        self._ui, self._result, self._onWritten = ui, result, onWritten
        self._beside = BesideMainThread()
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
        self._say("")

    @property
    def isWriting(self) -> bool:
        return self._beside.isWorking

    def stop(self) -> None:
        """Lets an export that has begun be written to its end."""
        self._beside.stop()

    def update(self) -> None:
        """Shows what can be done."""
        self._ui.exportSection.setVisible(self._result() is not None)
        for name in ("exportButton", "exportTrainingButton"):
            getattr(self._ui, name).enabled = not self.isWriting

    def _write(self, export: Callable[[ResultNodes, Path], Callable[[], Written]], done: str) -> None:
        result = self._result()
        if result is None or self.isWriting:
            return
        write = None
        self._say("")
        with complaining(_("The export failed.")):
            write = export(result, Path(self._ui.exportFolderButton.directory))
        if write is not None:
            self._beside.start(write, lambda written: self._onDone(result, written, done), self._onFailed)
            self._say(_("It is being measured and written…"))

    def _onDone(self, result: ResultNodes, written: Written, done: str) -> None:
        self._say(done.format(name=written.folder.name))
        self._onWritten(result, written)

    def _onFailed(self, error: BaseException) -> None:
        self._say("")
        logError(error)
        slicer.util.errorDisplay(f"{_('The export failed.')}\n{reasonOf(error)}", windowTitle="KidneySeg")

    def _say(self, sentence: str) -> None:
        self._ui.exportLabel.text = sentence
        self._ui.exportLabel.setVisible(bool(sentence))
        self.update()

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
