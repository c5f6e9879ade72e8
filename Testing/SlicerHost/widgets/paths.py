"""CTK's widgets that choose files and folders. Their dialogs are asked of the host's recorder, never shown."""

from __future__ import annotations

import qt
from PySide6.QtCore import Property, Signal

from SlicerHost.pythonqt.standins import standIn


@standIn
class ctkPathLineEdit(qt.QWidget):
    """A line for a path with a button that opens a file dialog."""

    currentPathChanged = Signal(str)
    validInputChanged = Signal(bool)

    # bits of ctkPathLineEdit::Filter
    Dirs, Files, Readable, Writable = 0x001, 0x002, 0x010, 0x020

    def __init__(self, parent: qt.QWidget | None = None) -> None:
        super().__init__(parent)
        self._filters = self.Files
        self._nameFilters: list[str] = []
        self._lineEdit = qt.QLineEdit()
        self._button = qt.QToolButton()
        self._button.text = "…"
        layout = qt.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._lineEdit, 1)
        layout.addWidget(self._button)
        self.setSizePolicy(qt.QSizePolicy.Expanding, qt.QSizePolicy.Fixed)
        self._lineEdit.textChanged.connect(self.currentPathChanged)
        self._button.clicked.connect(self.browse)

    def _getCurrentPath(self) -> str:
        return str(self._lineEdit.text)

    def setCurrentPath(self, path: str) -> None:
        self._lineEdit.text = path

    currentPath = Property(str, _getCurrentPath, setCurrentPath)

    def _getFilters(self) -> int:
        return self._filters

    def setFilters(self, filters: int) -> None:
        self._filters = int(filters)

    filters = Property(int, _getFilters, setFilters)

    def _getNameFilters(self) -> list[str]:
        return self._nameFilters

    def setNameFilters(self, filters: list[str]) -> None:
        self._nameFilters = list(filters)

    nameFilters = Property("QStringList", _getNameFilters, setNameFilters)

    def browse(self) -> None:
        """Opens the dialog that the filters ask for."""
        if self._filters & self.Dirs:
            path = qt.QFileDialog.getExistingDirectory(self, "", self.currentPath)
        elif self._filters & self.Writable:
            path = qt.QFileDialog.getSaveFileName(self, "", self.currentPath, ";;".join(self._nameFilters))
        else:
            path = qt.QFileDialog.getOpenFileName(self, "", self.currentPath, ";;".join(self._nameFilters))
        if path:
            self.currentPath = path

    def addCurrentPathToHistory(self) -> None:
        """There is no history here."""


@standIn
class ctkDirectoryButton(qt.QWidget):
    """A button that shows a folder and opens a dialog to choose another."""

    directoryChanged = Signal(str)
    directorySelected = Signal(str)

    def __init__(self, parent: qt.QWidget | None = None) -> None:
        super().__init__(parent)
        self._directory = qt.QDir.currentPath()
        self._button = qt.QPushButton(self._directory)
        layout = qt.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._button)
        self.setSizePolicy(qt.QSizePolicy.Expanding, qt.QSizePolicy.Fixed)
        self._button.clicked.connect(self.browse)

    def _getDirectory(self) -> str:
        return self._directory

    def setDirectory(self, directory: str) -> None:
        if directory != self._directory:
            self._directory = directory
            self._button.text = directory
            self.directoryChanged.emit(directory)

    directory = Property(str, _getDirectory, setDirectory)

    def _getText(self) -> str:
        return str(self._button.text)

    def setText(self, text: str) -> None:
        self._button.text = text

    text = Property(str, _getText, setText)

    def browse(self) -> None:
        """Opens the dialog."""
        chosen = qt.QFileDialog.getExistingDirectory(self, "", self._directory)
        if chosen:
            self.directory = chosen
            self.directorySelected.emit(chosen)
