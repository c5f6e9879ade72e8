"""Modules of the application: those with a logic in the wheel, and scripted ones that tests load."""

from __future__ import annotations

from typing import Any

import qt
from PySide6.QtCore import Property, Signal

from SlicerHost.pythonqt.standins import standIn


class Modules:
    """Slicer's `slicer.modules`: attributes `<modulename>`, `<ModuleName>Widget`, `<ModuleName>Instance`."""


@standIn
class qSlicerLoadableModule(qt.QObject):
    """A module of C++, of which only the logic is here."""

    def __init__(self, name: str, logic: Any) -> None:
        super().__init__()
        self._name = name
        self._logic = logic

    name = Property(str, lambda self: self._name)
    title = Property(str, lambda self: self._name)

    def logic(self) -> Any:
        return self._logic

    def widgetRepresentation(self) -> None:
        """The widgets of C++ modules are not in the wheel."""


@standIn
class qSlicerModuleFactoryManager(qt.QObject):
    """Knows which modules were loaded."""

    def __init__(self, modules: dict[str, Any]) -> None:
        super().__init__()
        self._modules = modules

    def loadedModuleNames(self) -> list[str]:
        return list(self._modules)

    def isLoaded(self, name: str) -> bool:
        return name in self._modules


@standIn
class qSlicerModuleManager(qt.QObject):
    """Finds modules by their exact name and tells when one goes."""

    moduleLoaded = Signal(str)
    moduleAboutToBeUnloaded = Signal(str)
    moduleUnloaded = Signal(str)

    def __init__(self, modules: Modules) -> None:
        super().__init__()
        self._attributes = modules
        self._modules: dict[str, Any] = {}
        self._factory = qSlicerModuleFactoryManager(self._modules)

    def factoryManager(self) -> qSlicerModuleFactoryManager:
        return self._factory

    def modulesNames(self) -> list[str]:
        return list(self._modules)

    def module(self, name: str) -> Any:
        return self._modules.get(name)

    def isLoaded(self, name: str) -> bool:
        return name in self._modules

    def _add(self, name: str, module: Any) -> None:
        self._modules[name] = module
        setattr(self._attributes, name.lower(), module)
        self.moduleLoaded.emit(name)

    def _remove(self, name: str) -> None:
        self.moduleAboutToBeUnloaded.emit(name)
        del self._modules[name]
        for attribute in (name.lower(), f"{name}Widget", f"{name}Instance"):
            if hasattr(self._attributes, attribute):
                delattr(self._attributes, attribute)
        self.moduleUnloaded.emit(name)
