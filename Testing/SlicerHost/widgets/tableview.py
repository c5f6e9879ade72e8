"""qMRMLTableView: a table node in a table view."""

from __future__ import annotations

from typing import Any

import qt
import vtk
from PySide6.QtCore import Property

from SlicerHost.pythonqt.standins import standIn
from SlicerHost.widgets.observing import Observers
from SlicerHost.widgets.sceneaware import SceneAware


@standIn
class qMRMLTableView(SceneAware, qt.QTableView):
    """Shows a table node and follows its changes; a locked table cannot be edited.

    As in Slicer, a view that was given a scene shows the table of its vtkMRMLTableViewNode after each batch of changes.
    There are no such nodes here, so it then shows nothing.
    """

    def __init__(self, parent: qt.QWidget | None = None) -> None:
        super().__init__(parent)
        self._node: Any = None
        self._transposed = False
        self._observers = Observers()
        self._sceneObservers = Observers()
        self._filling = False
        self._cells = qt.QStandardItemModel(self)
        self._cells.itemChanged.connect(self._onEdited)
        self.setModel(self._cells)

    def setMRMLScene(self, scene: Any) -> None:
        super().setMRMLScene(scene)
        self._sceneObservers.clear()
        if scene is not None:
            self._sceneObservers.add(scene, [scene.EndBatchProcessEvent], self._onEndOfBatch)

    def _onEndOfBatch(self, _caller: Any, _event: str) -> None:
        self.setMRMLTableNode(None)

    def mrmlTableNode(self) -> Any:
        return self._node

    def setMRMLTableNode(self, node: Any) -> None:
        if node is not None and not node.IsA("vtkMRMLTableNode"):
            raise TypeError(f"a {node.GetClassName()} is no table")
        self._observers.clear()
        self._node = node
        if node is not None:
            self._observers.add(node, [vtk.vtkCommand.ModifiedEvent], self._fill)
        self._fill()
        self.horizontalHeader().setMinimumSectionSize(60)  # each time, as Slicer does

    def _fill(self, _caller: Any = None, _event: str = "") -> None:
        self._filling = True
        self._cells.clear()
        node = self._node
        if node is not None:
            titles = [self._title(column) for column in range(node.GetNumberOfColumns())]
            lines = [[self._item(row, n) for n in range(len(titles))] for row in range(node.GetNumberOfRows())]
            if self._transposed:
                lines = [list(column) for column in zip(*lines, strict=True)]
            else:
                self._cells.setHorizontalHeaderLabels(titles)
            for line in lines:
                self._cells.appendRow(line)
            if self._transposed:
                self._cells.setVerticalHeaderLabels(titles)
        self._filling = False

    def _title(self, column: int) -> str:
        name = self._node.GetColumnName(column)
        return self._node.GetColumnTitle(name) or name

    def _item(self, row: int, column: int) -> qt.QStandardItem:
        item = qt.QStandardItem(self._node.GetCellText(row, column))
        item.setEditable(not self._node.GetLocked())
        return item

    def _onEdited(self, item: qt.QStandardItem) -> None:
        if not self._filling:
            row, column = (item.column(), item.row()) if self._transposed else (item.row(), item.column())
            self._node.SetCellText(row, column, item.text())

    def _getTransposed(self) -> bool:
        return self._transposed

    def setTransposed(self, transposed: bool) -> None:
        self._transposed = transposed
        self._fill()

    transposed = Property(bool, _getTransposed, setTransposed)
