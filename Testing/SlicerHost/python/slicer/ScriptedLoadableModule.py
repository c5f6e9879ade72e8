"""Base classes of scripted modules: own writing, with the names and the behaviour that Slicer documents."""

from __future__ import annotations

import importlib
import os
import unittest
from typing import Any

import qt
import slicer
import slicer.util

__all__ = [
    "ScriptedLoadableModule",
    "ScriptedLoadableModuleLogic",
    "ScriptedLoadableModuleTest",
    "ScriptedLoadableModuleWidget",
]


class ScriptedLoadableModule:
    """Describes the module to the application."""

    def __init__(self, parent: Any) -> None:
        self.parent = parent
        self.moduleName = type(self).__name__
        parent.title = ""
        parent.categories = []
        parent.dependencies = []
        parent.contributors = []
        parent.helpText = ""
        parent.acknowledgementText = ""
        icon = os.path.join(os.path.dirname(parent.path), "Resources", "Icons", f"{self.moduleName}.png")
        if os.path.isfile(icon):
            parent.icon = qt.QIcon(icon)

    def resourcePath(self, filename: str) -> str:
        """Returns the path of a file in the module's Resources."""
        return os.path.join(os.path.dirname(self.parent.path), "Resources", filename)

    def getDefaultModuleDocumentationLink(self, docPage: str | None = None) -> str:
        """Returns a sentence with a link to the documentation."""
        del docPage
        return str(self.parent.defaultDocumentationLink)

    def runTest(self, msec: int = 100, **kwargs: Any) -> None:
        """Runs the module's own test class."""
        kind = getattr(importlib.import_module(type(self).__module__), f"{self.moduleName}Test")
        test = kind()
        test.messageDelay = msec
        test.runTest(**kwargs)


class ScriptedLoadableModuleWidget:
    """The panel of a module. Without a parent it makes one of its own, sets itself up and shows it."""

    def __init__(self, parent: Any = None) -> None:
        self.moduleName = type(self).__name__.removesuffix("Widget")
        self.developerMode = slicer.util.settingsValue("Developer/DeveloperMode", False, converter=slicer.util.toBool)
        self.parent = parent or self._makeParent()
        self.layout = self.parent.layout()
        slicer.app.moduleManager().connect("moduleAboutToBeUnloaded(QString)", self._onModuleAboutToBeUnloaded)
        if parent is None:
            self.setup()
            self.parent.show()

    @staticmethod
    def _makeParent() -> Any:
        parent = slicer.qMRMLWidget()
        parent.setLayout(qt.QVBoxLayout())
        parent.setMRMLScene(slicer.mrmlScene)
        return parent

    def resourcePath(self, filename: str) -> str:
        """Returns the path of a file in the module's Resources."""
        return os.path.join(os.path.dirname(slicer.util.modulePath(self.moduleName)), "Resources", filename)

    def setup(self) -> None:
        """Fills the panel; with the developer mode, a button to reload comes first."""
        if not self.developerMode:
            return
        self.reloadButton = qt.QPushButton("Reload")
        self.reloadButton.name = f"{self.moduleName} Reload"
        self.reloadButton.connect("clicked()", self.onReload)
        self.layout.addWidget(self.reloadButton)

    def enter(self) -> None:
        """Is called when the module is shown."""

    def exit(self) -> None:
        """Is called when another module is shown."""

    def cleanup(self) -> None:
        """Is called before the module goes."""

    def _onModuleAboutToBeUnloaded(self, moduleName: str) -> None:
        if moduleName == self.moduleName:
            self.cleanup()
            slicer.app.moduleManager().disconnect("moduleAboutToBeUnloaded(QString)", self._onModuleAboutToBeUnloaded)

    def onReload(self) -> None:
        """Reads the module's file again and makes its widget anew."""
        slicer.util.reloadScriptedModule(self.moduleName)


class ScriptedLoadableModuleLogic:
    """The module's logic, which keeps its parameters in a node of the scene."""

    def __init__(self, parent: Any = None) -> None:
        del parent
        self.moduleName = type(self).__name__.removesuffix("Logic")
        self.isSingletonParameterNode = True

    def getAllParameterNodes(self) -> list[Any]:
        """Returns the module's parameter nodes in the scene."""
        nodes = slicer.util.getNodesByClass("vtkMRMLScriptedModuleNode")
        return [node for node in nodes if node.GetAttribute("ModuleName") == self.moduleName]

    def getParameterNode(self) -> Any:
        """Returns the module's parameter node; makes one if there is none."""
        if self.isSingletonParameterNode:
            node = slicer.mrmlScene.GetSingletonNode(self.moduleName, "vtkMRMLScriptedModuleNode")
            if node is not None:
                node.SetAttribute("ModuleName", self.moduleName)  # closing the scene takes attributes away
                return node
        else:
            existing = self.getAllParameterNodes()
            if existing:
                return existing[0]
        return slicer.mrmlScene.AddNode(self.createParameterNode())

    def createParameterNode(self) -> Any:
        """Returns a new parameter node that is not in the scene yet."""
        node = slicer.mrmlScene.CreateNodeByClass("vtkMRMLScriptedModuleNode")
        node.UnRegister(None)  # the Python object holds it now
        if self.isSingletonParameterNode:
            node.SetSingletonTag(self.moduleName)
        node.SetAttribute("ModuleName", self.moduleName)
        node.SetName(slicer.mrmlScene.GenerateUniqueName(self.moduleName))
        return node


class ScriptedLoadableModuleTest(unittest.TestCase):
    """The module's self-test; Slicer calls runTest, which a module overrides."""

    messageDelay = 50

    def delayDisplay(self, message: str, requestedDelay: int | None = None, msec: int | None = None) -> None:
        """Shows a message for a moment."""
        delay = msec if msec is not None else requestedDelay
        slicer.util.delayDisplay(message, self.messageDelay if delay is None else delay)

    def runTest(self) -> None:
        """Is overridden by the module."""
