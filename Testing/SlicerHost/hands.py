"""What a user's hands do: clicks, choices and keys through QTest, refused where a user could not do them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import qt
import slicer.util
from PySide6.QtTest import QTest


class CannotReach(AssertionError):
    """A user could not click there: the widget is hidden, folded away or disabled."""


def _reach(widget: Any) -> None:
    if not widget.isVisible():
        raise CannotReach(f"{type(widget).__name__} {widget.objectName!r} is not visible")
    if not widget.isEnabled():
        raise CannotReach(f"{type(widget).__name__} {widget.objectName!r} is disabled")


def click(widget: Any) -> None:
    """Clicks on the middle of a widget; on the mark of a check box and on the header of a folding section."""
    _reach(widget)
    position = qt.QPoint(widget.width // 2, widget.height // 2)
    if isinstance(widget, qt.QGroupBox) or hasattr(widget, "collapsed"):
        position = qt.QPoint(10, 10)
    elif isinstance(widget, qt.QCheckBox | qt.QRadioButton):
        position.setX(10)
    QTest.mouseClick(widget, qt.Qt.LeftButton, qt.Qt.NoModifier, position)
    qt.QApplication.processEvents()


def choose(widget: Any, text: str) -> None:
    """Chooses an entry of a combo box, or of a node combo box, as a click in its list does."""
    comboBox = widget.comboBox() if hasattr(widget, "comboBox") else widget
    _reach(comboBox)
    index = comboBox.findText(text)
    if index < 0:
        raise CannotReach(f"{[comboBox.itemText(n) for n in range(comboBox.count)]} has no entry {text!r}")
    comboBox.showPopup()
    qt.QApplication.processEvents()
    view = comboBox.view()
    entry = view.model().index(index, comboBox.modelColumn)
    view.scrollTo(entry)
    QTest.mouseMove(view.viewport(), view.visualRect(entry).center())
    view.setCurrentIndex(entry)
    QTest.keyClick(view, qt.Qt.Key_Return)
    qt.QApplication.processEvents()


def write(widget: Any, text: str, *, enter: bool = False) -> None:
    """Types a text in the place of the one that is there, and ends it with the Enter key if that is wanted."""
    _reach(widget)
    widget.setFocus()
    widget.selectAll()
    QTest.keyClicks(widget, text)
    if enter:
        QTest.keyClick(widget, qt.Qt.Key_Return)
    qt.QApplication.processEvents()


def press(key: Any) -> None:
    """Presses a key in the main window, which comes to the front for that; widgets and shortcuts get it.

    Raises:
        CannotReach: another window stays in front, such as a dialog that is open.
    """
    window = slicer.util.mainWindow()
    window.activateWindow()
    qt.QApplication.processEvents()
    if qt.QApplication.activeWindow() is not window:
        raise CannotReach(f"{qt.QApplication.activeWindow()} is in front of the main window")
    QTest.keyClick(qt.QApplication.focusWidget() or window, key)
    qt.QApplication.processEvents()


def waitUntil(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    """Lets the application work until the condition holds.

    Raises:
        TimeoutError: It did not within that time.
    """
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"nothing within {seconds} s")
        qt.QApplication.processEvents(qt.QEventLoop.AllEvents, 50)
        time.sleep(0.01)  # slots of other threads and processes need the time more than this loop
