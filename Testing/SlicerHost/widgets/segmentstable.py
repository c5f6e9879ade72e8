"""qMRMLSegmentsTableView: the segments of a segmentation, with a check mark for what is shown."""

from __future__ import annotations

from typing import Any

import qt
import slicer
from PySide6.QtCore import Property, Signal

from SlicerHost.pythonqt.standins import standIn
from SlicerHost.widgets.observing import Observers
from SlicerHost.widgets.sceneaware import SceneAware, keptOption

_VISIBLE, _COLOR, _NAME = range(3)
_ID = qt.Qt.UserRole
# Kept only: these columns have no cells to click here.
_OPTIONS = ("header", "visibility", "color", "opacity", "status", "layer", "filterBar", "readOnly")


@standIn
class qMRMLSegmentsTableView(SceneAware, qt.QWidget):
    """Lists segments by name and colour; the first column shows and hides them."""

    selectionChanged = Signal(qt.QItemSelection, qt.QItemSelection)
    segmentAboutToBeModified = Signal(str)
    segmentModified = Signal(str)

    def __init__(self, parent: qt.QWidget | None = None) -> None:
        super().__init__(parent)
        self._node: Any = None
        self._options = dict.fromkeys(_OPTIONS, True)
        self._observers = Observers()
        self._filling = False
        self._hidden: list[str] = []
        self._table = qt.QTableWidget(0, 3)
        self._table.setHorizontalHeaderLabels(["", "", "Name"])
        self._table.setSelectionBehavior(qt.QAbstractItemView.SelectRows)
        self._table.horizontalHeader().setStretchLastSection(True)
        self._table.horizontalHeader().setMinimumSectionSize(28)
        self._table.verticalHeader().setVisible(False)
        for column in (_VISIBLE, _COLOR):
            self._table.setColumnWidth(column, 28)
        layout = qt.QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._table)
        self._table.selectionModel().selectionChanged.connect(self.selectionChanged)
        self._table.itemChanged.connect(self._onEdited)

    def tableWidget(self) -> qt.QTableWidget:
        """Returns the table to click on, as Slicer's widget does."""
        return self._table

    def segmentationNode(self) -> Any:
        return self._node

    def setSegmentationNode(self, node: Any) -> None:
        if node is not None and not node.IsA("vtkMRMLSegmentationNode"):
            raise TypeError(f"a {node.GetClassName()} is no segmentation")
        self._observers.clear()
        self._node = node
        if node is not None:
            kind = slicer.vtkSegmentation
            events = [kind.SegmentAdded, kind.SegmentRemoved, kind.SegmentModified, kind.SegmentsOrderModified]
            self._observers.add(node.GetSegmentation(), events, self._fill)
            self._observers.add(node, [node.DisplayModifiedEvent], self._fill)
        self._fill()

    def segmentCount(self) -> int:
        return int(self._table.rowCount)

    def setHideSegments(self, identifiers: list[str]) -> None:
        self._hidden = list(identifiers)
        self._fill()

    def hideSegments(self) -> list[str]:
        return list(self._hidden)

    def displayedSegmentIDs(self) -> list[str]:
        return [self._table.item(row, _VISIBLE).data(_ID) for row in range(self._table.rowCount)]

    def _fill(self, _caller: Any = None, _event: str = "") -> None:
        selected = self.selectedSegmentIDs()
        self._filling = True
        segmentation = self._node.GetSegmentation() if self._node is not None else None
        listed = list(segmentation.GetSegmentIDs()) if segmentation else []
        identifiers = [each for each in listed if each not in self._hidden]
        self._table.setRowCount(len(identifiers))
        for row, identifier in enumerate(identifiers):
            self._fillRow(row, identifier, segmentation.GetSegment(identifier))
        self._filling = False
        self.setSelectedSegmentIDs([each for each in selected if each in identifiers])

    def _fillRow(self, row: int, identifier: str, segment: Any) -> None:
        display = self._node.GetDisplayNode()
        shown = display is None or display.GetSegmentVisibility(identifier)
        visible = qt.QTableWidgetItem()
        visible.setCheckState(qt.Qt.Checked if shown else qt.Qt.Unchecked)
        visible.setData(_ID, identifier)
        color = qt.QTableWidgetItem()
        color.setBackground(qt.QColor.fromRgbF(*segment.GetColor()))
        color.setFlags(qt.Qt.ItemIsEnabled)
        for column, item in ((_VISIBLE, visible), (_COLOR, color), (_NAME, qt.QTableWidgetItem(segment.GetName()))):
            self._table.setItem(row, column, item)

    def _onEdited(self, item: qt.QTableWidgetItem) -> None:
        if self._filling:
            return
        identifier = self._table.item(item.row(), _VISIBLE).data(_ID)
        if item.column() == _VISIBLE:
            self._node.CreateDefaultDisplayNodes()
            self._node.GetDisplayNode().SetSegmentVisibility(identifier, item.checkState() == qt.Qt.Checked)
        elif item.column() == _NAME:
            self._node.GetSegmentation().GetSegment(identifier).SetName(item.text())

    def selectedSegmentIDs(self) -> list[str]:
        rows = sorted({index.row() for index in self._table.selectedIndexes()})
        return [self._table.item(row, _VISIBLE).data(_ID) for row in rows]

    def setSelectedSegmentIDs(self, identifiers: list[str]) -> None:
        self._table.clearSelection()
        mode = qt.QItemSelectionModel.Select | qt.QItemSelectionModel.Rows
        for row in range(self._table.rowCount):
            if self._table.item(row, _VISIBLE).data(_ID) in identifiers:
                self._table.selectionModel().select(self._table.model().index(row, _NAME), mode)

    def clearSelection(self) -> None:
        self._table.clearSelection()

    def _getSelectionMode(self) -> int:
        return int(self._table.selectionMode.value)

    def setSelectionMode(self, mode: int) -> None:
        self._table.setSelectionMode(qt.QAbstractItemView.SelectionMode(mode))

    selectionMode = Property(int, _getSelectionMode, setSelectionMode)

    headerVisible = keptOption("header")
    visibilityColumnVisible = keptOption("visibility")
    colorColumnVisible = keptOption("color")
    opacityColumnVisible = keptOption("opacity")
    statusColumnVisible = keptOption("status")
    layerColumnVisible = keptOption("layer")
    filterBarVisible = keptOption("filterBar")
    readOnly = keptOption("readOnly")
