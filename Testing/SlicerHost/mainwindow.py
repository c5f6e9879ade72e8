"""qSlicerMainWindow: the module panel, the module selector and the status bar."""

from __future__ import annotations

from typing import Any

import qt
from PySide6.QtCore import Property, Signal

from SlicerHost.modulemanager import qSlicerModuleManager
from SlicerHost.pythonqt.standins import standIn


@standIn
class qSlicerModuleSelectorToolBar(qt.QToolBar):
    """Chooses the module that the panel shows."""

    moduleSelected = Signal(str)

    def __init__(self, manager: qSlicerModuleManager) -> None:
        super().__init__()
        self._manager = manager
        self._selected = ""

    selectedModule = Property(str, lambda self: self._selected)

    def selectModule(self, name: str) -> None:
        if name and self._manager.module(name) is None:
            raise RuntimeError(f"there is no module {name!r}")
        self._selected = name
        self.moduleSelected.emit(name)


@standIn
class qSlicerMainWindow(qt.QMainWindow):
    """A window with a module panel only: pictures are made by `SlicerHost.pictures`."""

    def __init__(self, manager: qSlicerModuleManager) -> None:
        super().__init__()
        self.setObjectName("qSlicerMainWindow")
        self._manager = manager
        self._shown: Any = None
        self._selector = qSlicerModuleSelectorToolBar(manager)
        self._selector.moduleSelected.connect(self._show)
        self.addToolBar(self._selector)
        self._panel = qt.QScrollArea()
        self._panel.setWidgetResizable(True)
        self.setCentralWidget(self._panel)
        self.resize(500, 900)

    def moduleSelector(self) -> qSlicerModuleSelectorToolBar:
        return self._selector

    def _show(self, name: str) -> None:
        """Leaves the module that is shown and enters another, in Slicer's order."""
        if self._shown is not None:
            self._shown.exit()
            self._panel.takeWidget()
            self._shown.setParent(None)
        module = self._manager.module(name) if name else None
        self._shown = module.widgetRepresentation() if module is not None else None
        if self._shown is not None:
            self._panel.setWidget(self._shown)
            self._shown.show()
            self._shown.enter()
