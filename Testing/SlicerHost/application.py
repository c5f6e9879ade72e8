"""qSlicerApplication: what scripts reach as `slicer.app`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import qt
import slicer
from PySide6.QtCore import Property, QProcessEnvironment, Signal

from SlicerHost.pythonqt.standins import standIn


@standIn
class qSlicerExtensionsManagerModel(qt.QObject):
    """No extension is installed; requests are recorded and, as without a network, fail."""

    def __init__(self) -> None:
        super().__init__()
        self._requests: list[str] = []
        self._interactive = True

    def _getInteractive(self) -> bool:
        return self._interactive

    def setInteractive(self, interactive: bool) -> None:
        self._interactive = interactive

    interactive = Property(bool, _getInteractive, setInteractive)

    def isExtensionInstalled(self, _name: str) -> bool:
        return False

    def installExtensionFromServer(self, name: str, _restart: bool = True, _update: bool = True) -> bool:
        self._requests.append(name)
        return False

    def requests(self) -> list[str]:
        """Returns the extensions that a script wanted to install. Not in Slicer."""
        return self._requests


@standIn
class qSlicerApplication(qt.QApplication):
    """The application object. The host hands it its parts once they are there."""

    startupCompleted = Signal()
    mrmlSceneChanged = Signal(object)
    cppSignals = {"mrmlSceneChanged(vtkMRMLScene*)": "mrmlSceneChanged"}

    def __init__(self, folder: Path) -> None:
        super().__init__(["Slicer"])
        self._folder = folder
        self._parts: dict[str, Any] = {}
        self._restarts = 0
        self._extensions = qSlicerExtensionsManagerModel()
        self.setApplicationName("Slicer")
        self.setOrganizationName("SlicerHost")
        # QSettings() without arguments must not touch the settings of whoever runs the tests
        qt.QSettings.setDefaultFormat(qt.QSettings.IniFormat)
        qt.QSettings.setPath(qt.QSettings.IniFormat, qt.QSettings.UserScope, str(folder / "settings"))
        self._settings = qt.QSettings()

    def _part(self, name: str) -> Any:
        return self._parts[name]

    temporaryPath = Property(str, lambda self: str(self._folder))
    slicerHome = Property(str, lambda self: str(self._folder))
    majorVersion = Property(int, lambda _self: 5)
    minorVersion = Property(int, lambda _self: 13)
    applicationVersion = Property(str, lambda _self: "5.13.0")
    revision = Property(str, lambda _self: "31053")
    os = Property(str, lambda _self: "linux")

    def applicationLogic(self) -> Any:
        return self._part("applicationLogic")

    def layoutManager(self) -> Any:
        return self._part("layoutManager")

    def moduleManager(self) -> Any:
        return self._part("moduleManager")

    def coreIOManager(self) -> Any:
        return self._part("ioManager")

    def ioManager(self) -> Any:
        return self._part("ioManager")

    def mrmlScene(self) -> Any:
        return slicer.mrmlScene

    def extensionsManagerModel(self) -> qSlicerExtensionsManagerModel:
        return self._extensions

    def userSettings(self) -> qt.QSettings:
        return self._settings

    def settings(self) -> qt.QSettings:
        return self._settings

    def revisionUserSettings(self) -> qt.QSettings:
        return self._settings

    def startupEnvironment(self) -> QProcessEnvironment:
        return QProcessEnvironment.systemEnvironment()

    def testingEnabled(self) -> bool:
        """No: in testing mode Slicer skips its message boxes, and here they are recorded and answered."""
        return False

    def restart(self) -> None:
        """Only counts: a test cannot start the process anew."""
        self._restarts += 1

    def restarts(self) -> int:
        """Returns how often a script asked for a restart. Not in Slicer."""
        return self._restarts

    def pauseRender(self) -> None:
        """Nothing is on a screen."""

    def resumeRender(self) -> None:
        """Nothing is on a screen."""

    def translate(self, _context: str, text: str) -> str:
        return text
