"""How a widget shows a parameter and hands back what the user does.

Widgets must be of exactly the type, as in Slicer.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from pathlib import PurePath
from typing import Any

import ctk
import qt
import slicer

from .annotations import Choice, Decimals, Maximum, Minimum, SingleStep, WithinRange, annotation, splitAnnotated
from .annotations import withoutNone as _withoutNone
from .serializers import nodeClasses


class GuiConnector:
    """One widget for one parameter: `attribute` of the widget, told by its `signal`."""

    attribute = ""
    signal = ""

    def __init__(self, widget: Any, hint: Any) -> None:
        self._widget = widget
        self._callback: Callable[[], None] | None = None
        self.kind, self.annotations = splitAnnotated(hint)
        self.prepare()

    @staticmethod
    def canRepresent(widget: Any, datatype: Any) -> bool:
        """Tells whether this connector fits the widget and the annotated type."""
        raise NotImplementedError

    def prepare(self) -> None:
        """Sets limits and entries of the widget from the annotations."""

    def onChanged(self, callback: Callable[[], None] | None) -> None:
        """Calls back at each change of the widget; None ends that."""
        signal = getattr(self._widget, self.signal)
        if callback is None:
            signal.disconnect(self.changed)
        elif self._callback is None:
            signal.connect(self.changed)
        self._callback = callback

    def changed(self) -> None:
        """Is called by the widget."""
        if self._callback is not None:
            self._callback()

    def widget(self) -> Any:
        """Returns the widget."""
        return self._widget

    def read(self) -> Any:
        """Returns the widget's value."""
        return getattr(self._widget, self.attribute)

    def write(self, value: Any) -> None:
        """Shows a value."""
        setattr(self._widget, self.attribute, value)


_connectors: list[type[GuiConnector]] = []


def parameterNodeGuiConnector(kind: type | None = None) -> Any:
    """Class decorator that makes a connector known."""
    if kind is None:
        return parameterNodeGuiConnector
    _connectors.append(kind)
    return kind


def createGuiConnector(widget: Any, datatype: Any) -> GuiConnector:
    """Returns a connector.

    Raises:
        RuntimeError: None fits.
    """
    for kind in _connectors:
        if kind.canRepresent(widget, datatype):
            return kind(widget, datatype)
    raise RuntimeError(f"Unable to create GUI connector from datatype '{datatype}' to widget type '{type(widget)}'")


def _plain(datatype: Any) -> Any:
    return splitAnnotated(datatype)[0]


def _isEnum(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, enum.Enum)


@parameterNodeGuiConnector
class CheckedConnector(GuiConnector):
    """bool in a check box or a checkable button."""

    attribute, signal = "checked", "toggled"

    @staticmethod
    def canRepresent(widget: Any, datatype: Any) -> bool:
        return _plain(datatype) is bool and type(widget) in (qt.QCheckBox, qt.QPushButton, qt.QRadioButton)

    def prepare(self) -> None:
        self._widget.checkable = True


@parameterNodeGuiConnector
class CollapsedConnector(GuiConnector):
    """bool in a section: True is folded."""

    attribute, signal = "collapsed", "contentsCollapsed"

    @staticmethod
    def canRepresent(widget: Any, datatype: Any) -> bool:
        return _plain(datatype) is bool and type(widget) is ctk.ctkCollapsibleButton


@parameterNodeGuiConnector
class NumberConnector(GuiConnector):
    """int in a spin box or slider, float in a double spin box or CTK's slider, with limits and steps."""

    attribute, signal = "value", "valueChanged"

    @staticmethod
    def canRepresent(widget: Any, datatype: Any) -> bool:
        whole = _plain(datatype) is int and type(widget) in (qt.QSpinBox, qt.QSlider)
        real = _plain(datatype) is float and type(widget) in (
            qt.QDoubleSpinBox,
            ctk.ctkSliderWidget,
            slicer.qMRMLSliderWidget,
        )
        return whole or real

    def prepare(self) -> None:
        for kind, name in ((Decimals, "decimals"), (SingleStep, "singleStep")):
            found = annotation(self.annotations, kind)
            if found is not None:
                setattr(self._widget, name, found.value)
        bounds = annotation(self.annotations, WithinRange)
        low = bounds or annotation(self.annotations, Minimum)
        high = bounds or annotation(self.annotations, Maximum)
        if type(self._widget) not in (qt.QSpinBox, qt.QDoubleSpinBox) and (low is None or high is None):
            raise RuntimeError(f"a parameter in a {type(self._widget).__name__} needs a minimum and a maximum")
        unlimited = (-(2**31), 2**31 - 1) if self.kind is int else (float("-inf"), float("inf"))
        self._widget.minimum = low.minimum if low is not None else unlimited[0]
        self._widget.maximum = high.maximum if high is not None else unlimited[1]


@parameterNodeGuiConnector
class ComboBoxConnector(GuiConnector):
    """An enumeration, or a value with `Choice`, in a combo box; the entries are made from it."""

    attribute, signal = "currentIndex", "currentIndexChanged"

    @staticmethod
    def canRepresent(widget: Any, datatype: Any) -> bool:
        return type(widget) is qt.QComboBox and (
            _isEnum(_plain(datatype)) or _plain(datatype) in (str, int, float, bool)
        )

    def prepare(self) -> None:
        choice = annotation(self.annotations, Choice)
        if choice is None and not _isEnum(self.kind):
            raise RuntimeError("ComboBoxToStringableConnector requires the Choice annotation to be used.")
        self._values = list(self.kind) if _isEnum(self.kind) else list(choice.choices)
        self._widget.clear()
        for value in self._values:
            self._widget.addItem(self._label(value))

    def _label(self, value: Any) -> str:
        if not _isEnum(self.kind):
            return str(value)
        return str(value.label()) if hasattr(value, "label") else str(value.name)

    def read(self) -> Any:
        return self._values[self._widget.currentIndex]

    def write(self, value: Any) -> None:
        self._widget.currentIndex = self._values.index(value)


@parameterNodeGuiConnector
class LineConnector(GuiConnector):
    """str in a line."""

    attribute, signal = "text", "textChanged"

    @staticmethod
    def canRepresent(widget: Any, datatype: Any) -> bool:
        return _plain(datatype) is str and type(widget) is qt.QLineEdit

    def write(self, value: str) -> None:
        if value != self._widget.text:  # the cursor stays where the user is typing
            self._widget.text = value


@parameterNodeGuiConnector
class TextConnector(LineConnector):
    """str in a text field."""

    attribute, signal = "plainText", "textChanged"

    @staticmethod
    def canRepresent(widget: Any, datatype: Any) -> bool:
        return _plain(datatype) is str and type(widget) in (qt.QTextEdit, qt.QPlainTextEdit)

    def write(self, value: str) -> None:
        if value != self._widget.plainText:
            self._widget.plainText = value


class _PathConnector(GuiConnector):
    def read(self) -> Any:
        return self.kind(getattr(self._widget, self.attribute))

    def write(self, value: PurePath) -> None:
        setattr(self._widget, self.attribute, str(value))


def _isPath(datatype: Any) -> bool:
    return isinstance(_plain(datatype), type) and issubclass(_plain(datatype), PurePath)


@parameterNodeGuiConnector
class PathLineConnector(_PathConnector):
    """A path in CTK's line for paths."""

    attribute, signal = "currentPath", "currentPathChanged"

    @staticmethod
    def canRepresent(widget: Any, datatype: Any) -> bool:
        return _isPath(datatype) and type(widget) is ctk.ctkPathLineEdit


@parameterNodeGuiConnector
class DirectoryConnector(_PathConnector):
    """A folder in CTK's button for folders."""

    attribute, signal = "directory", "directoryChanged"

    @staticmethod
    def canRepresent(widget: Any, datatype: Any) -> bool:
        return _isPath(datatype) and type(widget) is ctk.ctkDirectoryButton


@parameterNodeGuiConnector
class NodeConnector(GuiConnector):
    """A node in a node combo box, which must list no other classes than the parameter takes."""

    signal = "currentNodeIDChanged"

    @staticmethod
    def canRepresent(widget: Any, datatype: Any) -> bool:
        return type(widget) is slicer.qMRMLNodeComboBox and bool(nodeClasses(_withoutNone(_plain(datatype))[0]))

    def read(self) -> Any:
        return self._widget.currentNode()

    def write(self, value: Any) -> None:
        self._widget.setCurrentNode(value)
