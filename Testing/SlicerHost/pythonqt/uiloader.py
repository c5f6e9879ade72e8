"""A `.ui` loader that knows the stand-ins, refuses what is unknown, and makes the connections of MRML scenes."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from typing import Any

from PySide6 import QtCore, QtUiTools, QtWidgets

from .properties import hasProperty
from .signals import findSignal
from .standins import standInWidgets

# what Designer writes as properties and the loader turns into calls: a label's buddy, the direction of a Line
_DESIGNERS_OWN = {"buddy", "orientation"}


class UiFileError(RuntimeError):
    """The `.ui` file names something that Slicer's Designer plug-ins or our stand-ins do not have."""


def _checkWidgets(root: ElementTree.Element) -> None:
    known = standInWidgets()
    named = {element.get("class", "") for element in root.iter("widget")}
    unknown = sorted(name for name in named if name not in known and name != "Line" and not hasattr(QtWidgets, name))
    if unknown:
        raise UiFileError(f"no stand-in for the widgets {', '.join(unknown)}")
    declared = {element.findtext("class") for element in root.findall("customwidgets/customwidget")}
    undeclared = sorted(name for name in named if name in known and name not in declared)
    if undeclared:
        raise UiFileError(f"not declared under <customwidgets>: {', '.join(undeclared)}")


def _checkProperties(root: ElementTree.Element) -> None:
    """Refuses properties that a widget does not have: Qt would quietly make dynamic ones of them.

    Designer marks dynamic properties, such as SlicerParameterName, with stdset="0".
    """
    known = standInWidgets()
    for element in root.iter("widget"):
        kind = element.get("class", "")
        widget = known.get(kind) or getattr(QtWidgets, "QFrame" if kind == "Line" else kind)
        for each in element.findall("property"):
            name = each.get("name", "")
            if each.get("stdset") != "0" and name not in _DESIGNERS_OWN and not hasProperty(widget, name):
                raise UiFileError(f"{kind} ({element.get('name')}) has no property {name!r}")


def _takeConnections(root: ElementTree.Element) -> list[tuple[str, str, str, str]]:
    """Takes the connections out of the form: PySide6 cannot name the types of MRML, so they are made afterwards."""
    found = root.find("connections")
    if found is None:
        return []
    taken = [
        (
            each.findtext("sender", ""),
            each.findtext("signal", ""),
            each.findtext("receiver", ""),
            each.findtext("slot", ""),
        )
        for each in found
    ]
    root.remove(found)
    return taken


def _takeEnums(root: ElementTree.Element) -> list[tuple[str, str, Any]]:
    """Takes enumerated properties of stand-ins out of the form: Qt does not find the values of a Python property."""
    known, taken = standInWidgets(), []
    for element in root.iter("widget"):
        for each in element.findall("property"):
            text = each.findtext("enum", "")
            name = each.get("name", "")
            if "::" in text and name in getattr(known.get(element.get("class", "")), "uiEnums", ()):
                owner, value = text.split("::")
                taken.append((element.get("name", ""), name, getattr(getattr(QtWidgets, owner), value)))
                element.remove(each)
    return taken


class QUiLoader(QtUiTools.QUiLoader):
    """Stands for Slicer's QUiLoader with the Designer plug-ins of CTK and Slicer."""

    def __init__(self, parent: QtCore.QObject | None = None) -> None:
        super().__init__(parent)
        for kind in standInWidgets().values():
            self.registerCustomWidget(kind)

    def load(self, device: QtCore.QIODevice, parentWidget: QtWidgets.QWidget | None = None) -> Any:
        """Loads a form from an open file.

        Raises:
            UiFileError: The form names an unknown widget, property, object, signal or slot.
        """
        root = ElementTree.fromstring(bytes(device.readAll().data()))
        _checkWidgets(root)
        _checkProperties(root)
        connections, enums = _takeConnections(root), _takeEnums(root)
        buffer = QtCore.QBuffer()
        buffer.setData(QtCore.QByteArray(ElementTree.tostring(root)))
        buffer.open(QtCore.QIODevice.OpenModeFlag.ReadOnly)
        widget = super().load(buffer, parentWidget)
        if widget is None:
            raise UiFileError(f"Qt does not read the form: {self.errorString()}")
        named: dict[str, Any] = {each.objectName: each for each in [widget, *widget.findChildren(QtCore.QObject)]}
        for owner, name, value in enums:
            setattr(named[owner], name, value)
        for sender, signal, receiver, slot in connections:
            method = getattr(named.get(receiver), slot.partition("(")[0], None)
            if sender not in named or method is None:
                raise UiFileError(f"cannot connect {sender}.{signal} to {receiver}.{slot}")
            findSignal(named[sender], signal)[0].connect(method)
        return widget
