"""CTK's widgets that are hardly more than Qt's."""

from __future__ import annotations

import math

import qt
from PySide6.QtCore import Property
from PySide6.QtGui import QResizeEvent

from SlicerHost.pythonqt.standins import standIn


@standIn
class ctkMessageBox(qt.QMessageBox):
    """A message box that can be told not to be shown again; the host's recorder answers it."""

    def __init__(self, parent: qt.QWidget | None = None) -> None:
        super().__init__(parent)
        self._settingsKey = ""
        self._dontShowAgainVisible = False

    def _getSettingsKey(self) -> str:
        return self._settingsKey

    def setDontShowAgainSettingsKey(self, key: str) -> None:
        self._settingsKey = key
        self._dontShowAgainVisible = bool(key)

    dontShowAgainSettingsKey = Property(str, _getSettingsKey, setDontShowAgainSettingsKey)

    def _getDontShowAgainVisible(self) -> bool:
        return self._dontShowAgainVisible

    def setDontShowAgainVisible(self, visible: bool) -> None:
        self._dontShowAgainVisible = visible

    dontShowAgainVisible = Property(bool, _getDontShowAgainVisible, setDontShowAgainVisible)


@standIn
class ctkCheckBox(qt.QCheckBox):
    """A check box; CTK's also has icons for its indicator."""


@standIn
class ctkPushButton(qt.QPushButton):
    """A push button; CTK's also elides its text."""


@standIn
class ctkComboBox(qt.QComboBox):
    """A combo box with a text that is shown while nothing is chosen."""

    def __init__(self, parent: qt.QWidget | None = None) -> None:
        super().__init__(parent)
        self._defaultText = ""

    def _getDefaultText(self) -> str:
        return self._defaultText

    def setDefaultText(self, text: str) -> None:
        self._defaultText = text
        self.placeholderText = text

    defaultText = Property(str, _getDefaultText, setDefaultText)


@standIn
class ctkDoubleSpinBox(qt.QDoubleSpinBox):
    """A spin box for floating-point values; CTK's can also invert and scale them."""


@standIn
class ctkFittedTextBrowser(qt.QTextBrowser):
    """A text browser that is as high as its text."""

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def setHtml(self, text: str) -> None:
        super().setHtml(text)
        self._fit()

    def _fit(self) -> None:
        """Takes the height of the text at this width, within the limits that the `.ui` file gives."""
        self._limits = getattr(self, "_limits", (self.minimumHeight, self.maximumHeight))
        height = math.ceil(self.document.size.height()) + 2 * self.frameWidth
        self.setFixedHeight(min(max(height, self._limits[0]), self._limits[1]))
