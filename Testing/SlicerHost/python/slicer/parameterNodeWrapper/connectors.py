"""How a widget shows a parameter and hands back what the user does.

Widgets must be of exactly the type, as in Slicer.
"""

from __future__ import annotations

import abc
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


class GuiConnector(abc.ABC):
    """One widget for one parameter: `attribute` of the widget, told by its `signal`."""

    attribute = ""
    signal = ""

    def __init__(self, widget: Any, hint: Any) -> None:
        self._widget = widget
        self._callback: Callable[[], None] | None = None
        self.kind, self.annotations = splitAnnotated(hint)
        self.prepare()

    @staticmethod
    @abc.abstractmethod
    def canRepresent(widget: Any, datatype: Any) -> bool:
        """Tells whether this connector fits the widget and the annotated type."""

    def prepare(self) -> None:  # noqa: B027 - most connectors have nothing to prepare
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


def _isEnum(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, enum.Enum)


def _isPath(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, PurePath)


class TypedConnector(GuiConnector):
    """A connector that fits by the widget's exact type and by the plain type of the value.

    Subclasses name the widgets of each type that they take, or override `takes`.
    """

    widgetTypes: dict[Any, tuple[type, ...]] = {}

    @classmethod
    def takes(cls, kind: Any, widgetType: type) -> bool:
        """Tells whether a value of this type can be in a widget of that type."""
        return isinstance(kind, type) and widgetType in cls.widgetTypes.get(kind, ())

    @classmethod
    def canRepresent(cls, widget: Any, datatype: Any) -> bool:
        return cls.takes(splitAnnotated(datatype)[0], type(widget))


@parameterNodeGuiConnector
class CheckedConnector(TypedConnector):
    """bool in a check box or a checkable button."""

    attribute, signal = "checked", "toggled"
    widgetTypes = {bool: (qt.QCheckBox, qt.QPushButton, qt.QRadioButton)}

    def prepare(self) -> None:
        self._widget.checkable = True


@parameterNodeGuiConnector
class CollapsedConnector(TypedConnector):
    """bool in a section: True is folded."""

    attribute, signal = "collapsed", "contentsCollapsed"
    widgetTypes = {bool: (ctk.ctkCollapsibleButton,)}


@parameterNodeGuiConnector
class NumberConnector(TypedConnector):
    """int in a spin box or slider, float in a double spin box or CTK's slider, with limits and steps."""

    attribute, signal = "value", "valueChanged"
    widgetTypes = {int: (qt.QSpinBox, qt.QSlider), float: (qt.QDoubleSpinBox, ctk.ctkSliderWidget)}

    @classmethod
    def takes(cls, kind: Any, widgetType: type) -> bool:
        return super().takes(kind, widgetType) or (kind is float and widgetType is slicer.qMRMLSliderWidget)

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
class ComboBoxConnector(TypedConnector):
    """An enumeration, or a value with `Choice`, in a combo box; the entries are made from it."""

    attribute, signal = "currentIndex", "currentIndexChanged"

    @classmethod
    def takes(cls, kind: Any, widgetType: type) -> bool:
        return widgetType is qt.QComboBox and (_isEnum(kind) or kind in (str, int, float, bool))

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
class LineConnector(TypedConnector):
    """str in a line."""

    attribute, signal = "text", "textChanged"
    widgetTypes = {str: (qt.QLineEdit,)}

    def write(self, value: str) -> None:
        if value != self.read():  # the cursor stays where the user is typing
            super().write(value)


@parameterNodeGuiConnector
class TextConnector(LineConnector):
    """str in a text field."""

    attribute, signal = "plainText", "textChanged"
    widgetTypes = {str: (qt.QTextEdit, qt.QPlainTextEdit)}


class PathConnector(TypedConnector):
    """A path in a widget that shows it as text."""

    widgetType: type

    @classmethod
    def takes(cls, kind: Any, widgetType: type) -> bool:
        return _isPath(kind) and widgetType is cls.widgetType

    def read(self) -> Any:
        return self.kind(super().read())

    def write(self, value: PurePath) -> None:
        super().write(str(value))


@parameterNodeGuiConnector
class PathLineConnector(PathConnector):
    """A path in CTK's line for paths."""

    attribute, signal = "currentPath", "currentPathChanged"
    widgetType = ctk.ctkPathLineEdit


@parameterNodeGuiConnector
class DirectoryConnector(PathConnector):
    """A folder in CTK's button for folders."""

    attribute, signal = "directory", "directoryChanged"
    widgetType = ctk.ctkDirectoryButton


@parameterNodeGuiConnector
class NodeConnector(TypedConnector):
    """A node in a node combo box, which must list no other classes than the parameter takes."""

    signal = "currentNodeIDChanged"

    @classmethod
    def takes(cls, kind: Any, widgetType: type) -> bool:
        return widgetType is slicer.qMRMLNodeComboBox and bool(nodeClasses(_withoutNone(kind)[0]))

    def read(self) -> Any:
        return self._widget.currentNode()

    def write(self, value: Any) -> None:
        self._widget.setCurrentNode(value)
