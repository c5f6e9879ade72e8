"""qSlicerScriptedLoadableModule and its widget: loads a module's Python file as Slicer does, unchanged."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import qt
import slicer
from PySide6.QtCore import Property

from SlicerHost.pythonqt.standins import standIn
from SlicerHost.widgets.mrmlwidget import qSlicerWidget


def _kept(name: str, kind: Any) -> Property:
    """Returns a property that is kept as it was given."""

    def read(self: Any) -> Any:
        return self._properties[name]

    def write(self: Any, value: Any) -> None:
        self._properties[name] = value

    return Property(kind, read, write)


_TEXTS = ("title", "helpText", "acknowledgementText", "extensionName")
_LISTS = ("categories", "contributors", "dependencies", "associatedNodeTypes")


@standIn
class qSlicerScriptedLoadableModule(qt.QObject):
    """What the class `<Name>(ScriptedLoadableModule)` gets as its parent."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        self._logic = slicer.vtkSlicerScriptedLoadableModuleLogic()
        self._widget: qSlicerScriptedLoadableModuleWidget | None = None
        self._properties: dict[str, Any] = dict.fromkeys(_TEXTS, "") | {name: [] for name in _LISTS}
        self._properties |= {
            "icon": qt.QIcon(),
            "hidden": False,
            "index": -1,
            "widgetRepresentationCreationEnabled": True,
        }
        self._properties["title"] = path.stem

    name = Property(str, lambda self: self._path.stem)
    path = Property(str, lambda self: str(self._path))
    title = _kept("title", str)
    helpText = _kept("helpText", str)
    acknowledgementText = _kept("acknowledgementText", str)
    extensionName = _kept("extensionName", str)
    categories = _kept("categories", "QStringList")
    contributors = _kept("contributors", "QStringList")
    dependencies = _kept("dependencies", "QStringList")
    associatedNodeTypes = _kept("associatedNodeTypes", "QStringList")
    icon = _kept("icon", qt.QIcon)
    hidden = _kept("hidden", bool)
    index = _kept("index", int)
    widgetRepresentationCreationEnabled = _kept("widgetRepresentationCreationEnabled", bool)
    defaultDocumentationLink = Property(str, lambda self: f"<p>See the documentation of {self._path.stem}.</p>")

    def logic(self) -> Any:
        return self._logic

    def widgetRepresentation(self) -> qSlicerScriptedLoadableModuleWidget:
        """Returns the module's widget, which is made at the first call."""
        if self._widget is None:
            self._widget = self.createNewWidgetRepresentation()
        return self._widget

    def createNewWidgetRepresentation(self) -> qSlicerScriptedLoadableModuleWidget:
        widget = qSlicerScriptedLoadableModuleWidget(self._path.stem)
        widget.setMRMLScene(slicer.mrmlScene)
        widget.reload()
        return widget


@standIn
class qSlicerScriptedLoadableModuleWidget(qSlicerWidget):
    """The widget in the module panel; `self()` is the Python object of the module's widget class."""

    def __init__(self, moduleName: str) -> None:
        super().__init__()
        self._moduleName = moduleName
        self._self: Any = None
        self._entered = False
        self.setLayout(qt.QVBoxLayout())

    moduleName = Property(str, lambda self: self._moduleName)
    isEntered = Property(bool, lambda self: self._entered)

    def reload(self) -> None:
        """Makes the Python object from the class as it is in sys.modules now, and sets it up."""
        kind = getattr(sys.modules[self._moduleName], f"{self._moduleName}Widget")
        self._self = kind(self)
        setattr(slicer.modules, f"{self._moduleName}Widget", self._self)
        self._self.setup()

    # PythonQt has a method of this name, too
    def self(this) -> Any:  # noqa: N805
        return this._self

    def enter(self) -> None:
        self._entered = True
        if hasattr(self._self, "enter"):
            self._self.enter()

    def exit(self) -> None:
        self._entered = False
        if hasattr(self._self, "exit"):
            self._self.exit()


def importModule(path: Path) -> Any:
    """Runs a module's Python file, whose folder goes on the search path, and returns the Python module."""
    folder = str(path.parent)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    specification = importlib.util.spec_from_file_location(path.stem, path)
    if specification is None or specification.loader is None:
        raise ImportError(f"{path} is no Python file")
    module = importlib.util.module_from_spec(specification)
    sys.modules[path.stem] = module
    specification.loader.exec_module(module)
    return module


def loadScriptedModule(path: Path) -> tuple[qSlicerScriptedLoadableModule, Any]:
    """Loads a scripted module and returns its module object and the instance of its class.

    Raises:
        FileNotFoundError: There is no such file.
    """
    if not path.is_file():
        raise FileNotFoundError(path)
    module = qSlicerScriptedLoadableModule(path)
    python = importModule(path)
    instance = getattr(python, path.stem)(module)
    setattr(slicer.modules, f"{path.stem}Instance", instance)
    return module, instance
