"""Boots the host once in a process, loads scripted modules into it, and cleans up between tests."""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
import traceback
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any

from SlicerHost import availability

_PYTHON = Path(__file__).resolve().parent / "python"


class Host:
    """The booted application. Get it from `start()`."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="slicerhost-"))
        atexit.register(shutil.rmtree, self.folder, ignore_errors=True)
        self.uncaught: list[str] = []
        """Tracebacks of exceptions in slots and observers, which Qt and VTK only print."""
        self._scriptedModules: dict[str, Path] = {}
        self._addedPaths: list[str] = []
        self._prepareImports()
        self._makeApplication()
        self._makeScene()
        self._makeParts()
        sys.excepthook = self._onUncaught

    # boot

    def _prepareImports(self) -> None:
        """Makes `qt`, `ctk` and the Python modules of Slicer that the wheel lacks importable."""
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
        self._addPythonSlicer()
        if availability.windowClass():
            os.environ.setdefault("VTK_DEFAULT_OPENGL_WINDOW", availability.windowClass())
        sys.path.insert(0, str(_PYTHON))
        import slicer

        # not found through sys.path: slicer's own __init__ would copy their contents into its namespace
        slicer.__path__.append(str(_PYTHON / "slicer"))

    def _addPythonSlicer(self) -> None:
        """Puts a `PythonSlicer` on the search path, with which scripts start child processes: this very Python."""
        if os.name != "posix":
            return
        program = self.folder / "bin" / "PythonSlicer"
        program.parent.mkdir()
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n', encoding="utf-8")
        program.chmod(0o755)
        os.environ["PATH"] = f"{program.parent}{os.pathsep}{os.environ.get('PATH', '')}"

    def _makeApplication(self) -> None:
        import slicer

        from SlicerHost.application import qSlicerApplication
        from SlicerHost.dialogs import Dialogs

        self.app = slicer.app = qSlicerApplication(self.folder)
        self.dialogs = Dialogs()

    def _makeScene(self) -> None:
        import slicer

        from SlicerHost import logics

        self.scene = slicer.mrmlScene = slicer.vtkMRMLScene()
        self.applicationLogic = logics.makeApplicationLogic(self.scene, self.folder)
        share = self.folder / "share"
        share.mkdir()
        self._logics = logics.addModuleLogics(self.scene, self.applicationLogic, share)
        self._dataIO = logics.addDataIO(self.scene, self.applicationLogic, self.folder / "cache")

    def _makeParts(self) -> None:
        import slicer
        import slicer.util

        from SlicerHost.files import qSlicerCoreIOManager
        from SlicerHost.layout import qSlicerLayoutManager
        from SlicerHost.mainwindow import qSlicerMainWindow
        from SlicerHost.modulemanager import Modules, qSlicerLoadableModule, qSlicerModuleManager
        from SlicerHost.segmenteditor import makeSegmentEditorModule
        from SlicerHost.subjecthierarchy import SubjectHierarchyItems

        self._addWidgets()
        slicer.modules = Modules()
        self.moduleManager = qSlicerModuleManager(slicer.modules)
        for name, logic in self._logics.items():
            self.moduleManager._add(name, qSlicerLoadableModule(name, logic))
        self.moduleManager._add("SegmentEditor", makeSegmentEditorModule())
        for name in ("Data", "DICOM"):  # to be switched to, nothing more
            self.moduleManager._add(name, qSlicerLoadableModule(name, None))
        self._items = SubjectHierarchyItems(self.scene)
        self.app._parts |= {
            "applicationLogic": self.applicationLogic,
            "moduleManager": self.moduleManager,
            "ioManager": qSlicerCoreIOManager(self.applicationLogic, self.dialogs),
            "layoutManager": qSlicerLayoutManager(self.applicationLogic),
        }
        self.mainWindow = qSlicerMainWindow(self.moduleManager)
        self.mainWindow.show()

    @staticmethod
    def _addWidgets() -> None:
        """Puts the stand-ins where scripts find Slicer's classes: `slicer.qMRMLNodeComboBox`."""
        import slicer

        from SlicerHost import effects, scriptedmodule, segmenteditor
        from SlicerHost.widgets import mrmlwidget, nodecombobox, segmentstable, show3dbutton, tableview

        widgets = (mrmlwidget, nodecombobox, segmentstable, show3dbutton, tableview)
        for module in (*widgets, effects, scriptedmodule, segmenteditor):
            for name, value in vars(module).items():
                if name.startswith(("qMRML", "qSlicer")):
                    setattr(slicer, name, value)

    def _onUncaught(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        self.uncaught.append("".join(traceback.format_exception(kind, error, trace)))
        sys.__excepthook__(kind, error, trace)

    # use

    def loadModule(self, path: str | Path) -> Any:
        """Loads a scripted module from its file and returns its module object.

        `module.widgetRepresentation().self()` is the Python object of its widget.
        """
        from SlicerHost.scriptedmodule import loadScriptedModule

        path = Path(path).resolve()
        before = list(sys.path)
        module, _instance = loadScriptedModule(path)
        self._addedPaths += [folder for folder in sys.path if folder not in before]
        self.moduleManager._add(path.stem, module)
        self._scriptedModules[path.stem] = path
        return module

    def openModule(self, path: str | Path) -> Any:
        """Loads a scripted module, shows it in the main window and returns the Python object of its widget."""
        import slicer.util

        module = self.loadModule(path)
        slicer.util.selectModule(module.name)
        self.app.processEvents()
        return module.widgetRepresentation().self()

    def unloadModules(self) -> None:
        """Takes scripted modules away, and their Python files out of sys.modules."""
        self.mainWindow.moduleSelector().selectModule("")
        for name in self._scriptedModules:
            widget = self.moduleManager.module(name)._widget
            self.moduleManager._remove(name)
            if widget is not None:
                widget.deleteLater()
        # only what lies beside the modules: a module may have put a whole checkout on the search path
        folders = tuple(f"{path.parent}{os.sep}" for path in self._scriptedModules.values())
        for name, python in list(sys.modules.items()):
            if folders and str(getattr(python, "__file__", None) or "").startswith(folders):
                del sys.modules[name]
        sys.path[:] = [folder for folder in sys.path if folder not in self._addedPaths]
        self._scriptedModules, self._addedPaths = {}, []

    def clearScene(self) -> None:
        """Empties the scene, parameter nodes included; views and colours stay."""
        self.scene.Clear(0)
        for node in list(self.scene.GetNodesByClass("vtkMRMLScriptedModuleNode")):
            self.scene.RemoveNode(node)

    def reset(self) -> None:
        """Makes the host as it was after the start; tests begin with this."""
        import slicer.packaging

        self.unloadModules()
        self.clearScene()
        self.app.userSettings().clear()
        self.dialogs.reset()
        slicer.packaging.reset()
        self.deleteDoomed()
        self.uncaught.clear()

    def deleteDoomed(self) -> None:
        """Deletes the objects that were told to go; only an event loop does that, and in a test none is running."""
        import qt

        self.app.processEvents()
        self.dialogs.deleteDoomed()
        qt.QCoreApplication.sendPostedEvents(None, qt.QEvent.DeferredDelete.value)


@cache
def start() -> Host:
    """Boots the host, once in a process."""
    return Host()
