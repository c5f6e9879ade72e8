"""Fits a table to what stands in it: columns as narrow as their words allow, and no empty rows."""

from __future__ import annotations

from typing import Any

import qt

_ROW = 24
_MOST_ROWS, _FEWEST_ROWS = 10, 2
_PADDING = 12


def prepareTable(view: Any) -> None:
    """Lets headings take two lines, so that a unit may stand below its name."""
    view.verticalHeader().setVisible(False)
    view.verticalHeader().setDefaultSectionSize(_ROW)
    header = view.horizontalHeader()
    header.setSectionResizeMode(qt.QHeaderView.Interactive)
    header.setDefaultAlignment(qt.Qt.AlignCenter | qt.Qt.TextWordWrap)
    header.setStretchLastSection(True)


def fitTable(view: Any) -> None:
    """Gives columns and the whole table the size of what stands in them."""
    model, metrics = view.model(), qt.QFontMetrics(view.font)
    for column in range(model.columnCount()):
        texts = str(model.headerData(column, qt.Qt.Horizontal) or "").split()
        texts += [str(model.index(row, column).data() or "") for row in range(model.rowCount())]
        widest = max((metrics.horizontalAdvance(text) for text in texts), default=0)
        view.setColumnWidth(column, widest + _PADDING)
    heading = 2 * metrics.height() + 8
    view.horizontalHeader().setFixedHeight(heading)
    rows = min(_MOST_ROWS, max(_FEWEST_ROWS, model.rowCount()))
    view.setFixedHeight(heading + rows * _ROW + 2 * view.frameWidth)


def fitSegments(view: Any, count: int) -> None:
    """Gives the list of segments the height of its rows."""
    view.setFixedHeight((1 + min(_MOST_ROWS, max(_FEWEST_ROWS, count))) * (_ROW + 6))
