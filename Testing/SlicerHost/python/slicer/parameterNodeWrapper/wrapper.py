"""`@parameterNodeWrapper`: a class whose typed attributes live in a vtkMRMLScriptedModuleNode."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import qt
import slicer.util
import vtk

from .annotations import Default
from .connectors import GuiConnector, createGuiConnector
from .packs import Member, members

_PROPERTY = "SlicerParameterName"


class _Parameter:
    """One parameter in one node; a pack's members are kept as `name.member`."""

    def __init__(self, name: str, member: Member, node: Any, default: Any) -> None:
        self.member = member
        self._name, self._node = name, node
        self._default = default
        self.parts: dict[str, _Parameter] = {}
        if member.pack is not None:
            for each in member.pack._packMembers.values():
                self.parts[each.name] = _Parameter(f"{name}.{each.name}", each, node, getattr(default, each.name))
        elif not member.serializer.isIn(node, name):
            self.write(default)

    def default(self) -> Any:
        return self._default

    def read(self) -> Any:
        if self.member.pack is None:
            if not self.member.serializer.isIn(self._node, self._name):  # closing the scene empties the node
                self.write(self._default)
            return self.member.serializer.read(self._node, self._name)
        pack = self.member.pack(**{name: part.read() for name, part in self.parts.items()})
        pack._onChange = lambda: self.write(pack)
        return pack

    def write(self, value: Any) -> None:
        if self.member.pack is None:
            self.member.serializer.write(self._node, self._name, value)
            return
        if not isinstance(value, self.member.pack):
            raise TypeError(f"{value!r} is no {self.member.pack.__name__}")
        with slicer.util.NodeModify(self._node):
            for name, part in self.parts.items():
                part.write(getattr(value, name))


class _Connections:
    """The widgets of one connected panel."""

    def __init__(self, wrapper: Any, mapping: dict[str, GuiConnector]) -> None:
        self._wrapper = wrapper
        self._mapping = mapping
        self._updating = False
        self.update()
        for name, connector in mapping.items():
            connector.onChanged(self._writer(name, connector))
        self._tag = wrapper.AddObserver(vtk.vtkCommand.ModifiedEvent, lambda _caller, _event: self.update())

    def _writer(self, name: str, connector: GuiConnector) -> Callable[[], None]:
        def write() -> None:
            if not self._updating:
                self._wrapper.setValue(name, connector.read())

        return write

    def update(self) -> None:
        """Writes all parameters to their widgets."""
        if self._updating:
            return
        self._updating = True
        try:
            for name, connector in self._mapping.items():
                connector.write(self._wrapper.getValue(name))
        finally:
            self._updating = False

    def close(self) -> None:
        """Ends the connections."""
        self._wrapper.RemoveObserver(self._tag)
        for connector in self._mapping.values():
            connector.onChanged(None)


class _Wrapper:
    """What every wrapper can do besides its parameters."""

    allParameters: dict[str, Member]

    def __init__(self, parameterNode: Any, prefix: str = "") -> None:
        self.parameterNode = parameterNode
        self._panels: dict[int, _Connections] = {}
        self._nextTag = 0
        with slicer.util.NodeModify(parameterNode):
            self._parameters = {
                name: _Parameter(f"{prefix}{name}", member, parameterNode, member.default())
                for name, member in self.allParameters.items()
            }

    def __setattr__(self, name: str, value: Any) -> None:
        """A misspelt parameter is an error; Slicer lets it pass as an ordinary attribute."""
        if not hasattr(type(self), name) and name not in ("parameterNode", "_panels", "_nextTag", "_parameters"):
            raise AttributeError(f"{type(self).__name__} has no parameter {name!r}")
        object.__setattr__(self, name, value)

    def _find(self, name: str) -> _Parameter:
        first, *rest = name.split(".")
        found = self._parameters.get(first)
        for part in rest:
            found = found.parts.get(part) if found is not None else None
        if found is None:
            raise ValueError(f"Cannot find a param with the given name: {name}")
        return found

    def getValue(self, name: str) -> Any:
        """Returns a parameter by name; `pack.member` is a pack's member."""
        return self._find(name).read()

    def setValue(self, name: str, value: Any) -> None:
        """Sets a parameter by name."""
        self._find(name).write(value)

    def default(self, name: str) -> Any:
        """Returns an object whose `value` is the parameter's default."""
        return Default(self._find(name).default())

    def dataType(self, name: str) -> Any:
        """Returns the annotated type."""
        return self._find(name).member.hint

    def isCached(self, name: str) -> bool:
        """Everything is read from the node here."""
        self._find(name)
        return False

    def connectParametersToGui(self, mapping: dict[str, Any]) -> int:
        """Connects parameters to widgets by name and returns a tag for disconnectGui."""
        connectors = {
            name: each if isinstance(each, GuiConnector) else createGuiConnector(each, self.dataType(name))
            for name, each in mapping.items()
        }
        tag = self._nextTag
        self._nextTag += 1
        self._panels[tag] = _Connections(self, connectors)
        return tag

    def connectGui(self, gui: Any) -> None:
        """Connects all widgets with the dynamic property SlicerParameterName.

        As in Slicer, there is no tag to disconnect them again; `connectParametersToGui` returns one.
        """
        isWidget = getattr(gui, "isWidgetType", lambda: False)()
        widgets = gui.findChildren(qt.QWidget) if isWidget else gui.__dict__.values()
        named = {widget.property(_PROPERTY): widget for widget in widgets}
        self.connectParametersToGui({name: widget for name, widget in named.items() if name})

    def disconnectGui(self, tag: int | None) -> None:
        """Ends what connectParametersToGui began; without its tag nothing is ended."""
        panel = self._panels.pop(tag, None) if tag is not None else None
        if panel is not None:
            panel.close()

    def StartModify(self) -> int:
        return int(self.parameterNode.StartModify())

    def EndModify(self, wasModified: int) -> int:
        return int(self.parameterNode.EndModify(wasModified))

    def AddObserver(self, event: Any, callback: Callable[..., Any], priority: float = 0.0) -> int:
        return int(self.parameterNode.AddObserver(event, callback, priority))

    def RemoveObserver(self, tag: int) -> None:
        self.parameterNode.RemoveObserver(tag)

    def Modified(self) -> None:
        self.parameterNode.Modified()


def _attribute(name: str) -> property:
    return property(lambda self: self.getValue(name), lambda self, value: self.setValue(name, value))


def parameterNodeWrapper(kind: type | None = None) -> Any:
    """Class decorator that makes a wrapper of the annotated attributes."""
    if kind is None:
        return parameterNodeWrapper
    found = members(kind)
    reserved = [name for name in found if hasattr(_Wrapper, name) or name == "parameterNode"]
    if reserved:
        raise ValueError(f"Cannot use reserved name '{reserved[0]}' in a parameterNodeWrapper")
    own = {name: value for name, value in vars(kind).items() if name not in ("__dict__", "__weakref__")}
    attributes = own | {name: _attribute(name) for name in found} | {"allParameters": found}
    return type(kind.__name__, (_Wrapper, *(base for base in kind.__bases__ if base is not object)), attributes)


def isParameterNodeWrapper(classOrObject: Any) -> bool:
    """Tells whether this is a wrapper or its class."""
    kind = classOrObject if isinstance(classOrObject, type) else type(classOrObject)
    return issubclass(kind, _Wrapper)


def findChildWidgetForParameter(widget: Any, parameter: str) -> Any:
    """Returns the child whose property SlicerParameterName is this parameter, or None."""
    children = widget.findChildren(qt.QWidget)
    return next((child for child in children if child.property(_PROPERTY) == parameter), None)
