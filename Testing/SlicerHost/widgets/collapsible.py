"""CTK's sections that fold: ctkCollapsibleButton and ctkCollapsibleGroupBox."""

from __future__ import annotations

import qt
import shiboken6
from PySide6.QtCore import Property, Signal

from SlicerHost.pythonqt.standins import standIn


class _Contents:
    """Hides the children of a section and shows those again that were not hidden for themselves."""

    def __init__(self, section: qt.QWidget) -> None:
        self._section = section
        self._hidden: list[qt.QWidget] = []

    def show(self, visible: bool) -> None:
        if visible:
            for child in filter(shiboken6.isValid, self._hidden):
                child.setVisible(True)
            self._hidden = []
            return
        children = [child for child in self._section.children() if isinstance(child, qt.QWidget)]
        shown = [child for child in children if not child.isHidden()]
        for child in shown:
            child.setVisible(False)
        self._hidden += shown


@standIn
class ctkCollapsibleButton(qt.QAbstractButton):
    """A button whose click folds and unfolds its own children."""

    contentsCollapsed = Signal(bool)

    def __init__(self, textOrParent: str | qt.QWidget | None = None, parent: qt.QWidget | None = None) -> None:
        super().__init__(parent if isinstance(textOrParent, str) else textOrParent)
        self._contents = _Contents(self)
        self._header = self.fontMetrics().height() + 10
        self.setContentsMargins(0, self._header, 0, 0)
        self.setSizePolicy(qt.QSizePolicy.Preferred, qt.QSizePolicy.Minimum)
        self.setCheckable(True)
        self.setChecked(True)
        self.toggled.connect(self._onToggled)
        if isinstance(textOrParent, str):
            self.setText(textOrParent)

    def _onToggled(self, unfolded: bool) -> None:
        self._contents.show(unfolded)
        self.updateGeometry()
        self.contentsCollapsed.emit(not unfolded)

    def _getCollapsed(self) -> bool:
        return not self.isChecked()

    def setCollapsed(self, collapsed: bool) -> None:
        self.setChecked(not collapsed)

    collapsed = Property(bool, _getCollapsed, setCollapsed)

    def hitButton(self, position: qt.QPoint) -> bool:
        """Only the header is a button; C++ asks."""
        return bool(position.y() < self._header)

    def childEvent(self, event: qt.QChildEvent) -> None:
        """A child that comes into a folded section is hidden, too."""
        super().childEvent(event)
        if event.added() and self.collapsed:
            qt.QTimer.singleShot(0, self, lambda: self._contents.show(self.isChecked()))

    def minimumSizeHint(self) -> qt.QSize:
        """The header must fit even when there is no layout."""
        hint = super().minimumSizeHint()
        return qt.QSize(max(hint.width(), 80), max(hint.height(), self._header))

    def sizeHint(self) -> qt.QSize:
        """As the contents need it, and never less than the header."""
        hint = super().sizeHint()
        return qt.QSize(max(hint.width(), 80), max(hint.height(), self._header))

    def paintEvent(self, event: qt.QPaintEvent) -> None:
        """Draws the header."""
        painter = qt.QPainter(self)
        header = qt.QRect(0, 0, self.width, self._header - 4)
        painter.fillRect(header, self.palette.button())
        arrow = "▸" if self.collapsed else "▾"
        painter.setPen(self.palette.buttonText().color())
        painter.drawText(header.adjusted(6, 0, 0, 0), qt.Qt.AlignVCenter, f"{arrow} {self.text.replace('&&', '&')}")
        painter.end()


@standIn
class ctkCollapsibleGroupBox(qt.QGroupBox):
    """A group box whose check mark folds it."""

    def __init__(self, titleOrParent: str | qt.QWidget | None = None, parent: qt.QWidget | None = None) -> None:
        super().__init__(parent if isinstance(titleOrParent, str) else titleOrParent)
        self._contents = _Contents(self)
        self.setCheckable(True)
        self.toggled.connect(self._contents.show)
        if isinstance(titleOrParent, str):
            self.setTitle(titleOrParent)

    def _getCollapsed(self) -> bool:
        return not self.isChecked()

    def setCollapsed(self, collapsed: bool) -> None:
        self.setChecked(not collapsed)

    collapsed = Property(bool, _getCollapsed, setCollapsed)
