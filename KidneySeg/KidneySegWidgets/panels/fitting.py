"""Fits a table to what stands in it: columns as narrow as their words allow, and no empty rows."""

from __future__ import annotations

from typing import Any

import qt

_ROW = 24
_MOST_ROWS, _FEWEST_ROWS = 10, 2
# What Qt's styles leave beside a text, and what a dock of 400 pixels leaves for the columns of a table.
_PADDING, _NARROW_DOCK, _SCROLL_BAR = 8, 338, 18
# Of the panel's own font; the smaller ones are for systems whose letters are wide.
_SIZES = (1.0, 0.9, 0.8)
_NARROWEST_COLUMN = 24


def prepareTable(view: Any) -> None:
    """Lets headings take two lines, so that a unit may stand below its name, and keeps the table fitted.

    A table that is read anew, as after its scene was saved, has Qt's widths again. A dock that is made wider has room
    for larger letters; the last column takes what is left, and so tells it.
    """
    timer = qt.QTimer(view)  # it goes with the view
    timer.setSingleShot(True)
    timer.setInterval(0)
    fitted: list[int] = []  # the width of the dock for which it was fitted last

    def fit() -> None:
        fitted[:] = [int(view.width)]
        fitTable(view)

    def last() -> int:
        return int(view.model().columnCount()) - 1

    def onResized(column: int) -> None:
        # fitting resizes the last column, too, and must not ask for itself for ever
        if column == last() and fitted != [int(view.width)]:
            timer.start()

    timer.connect("timeout()", fit)
    view.model().connect("modelReset()", timer.start)
    view.verticalHeader().setVisible(False)
    view.verticalHeader().setDefaultSectionSize(_ROW)
    header = view.horizontalHeader()
    header.setSectionResizeMode(qt.QHeaderView.Interactive)
    header.setDefaultAlignment(qt.Qt.AlignCenter | qt.Qt.TextWordWrap)
    header.setStretchLastSection(True)
    header.connect("sectionResized(int,int,int)", lambda column, _old, _new: onResized(column))
    # in a dock that is made narrower Qt scrolls before it makes the last column narrower
    view.horizontalScrollBar().connect("rangeChanged(int,int)", lambda _least, _most: onResized(last()))
    view.setWordWrap(False)  # a text that is cut ends within a word, not before it
    header.setHighlightSections(False)  # bold letters would not fit


def fitTable(view: Any) -> None:
    """Gives columns and table the size of what stands in them, in the largest letters with which the dock holds it.

    Where the smallest letters are too wide still, the widest texts are cut; no number is ever out of sight.
    """
    model, own = view.model(), view.parentWidget().font
    columns, texts = range(model.columnCount()), _texts(model)
    headings = [str(model.headerData(column, qt.Qt.Horizontal) or "") for column in columns]
    _spanLastTexts(view, texts)
    widest = _available(view, len(texts))
    for size in _SIZES:
        font = qt.QFont(own)
        if own.pointSizeF() > 0:
            font.setPointSizeF(own.pointSizeF() * size)
        metrics = qt.QFontMetrics(font)
        widths = [max(_NARROWEST_COLUMN, _width(texts, column, headings[column], metrics)) for column in columns]
        if sum(widths) <= widest:
            break
    view.font = view.horizontalHeader().font = font
    for column, width in enumerate(_cut(widths, widest)):
        view.setColumnWidth(column, width)
    heading = 2 * metrics.height() + 8
    view.horizontalHeader().setFixedHeight(heading)
    rows = min(_MOST_ROWS, max(_FEWEST_ROWS, len(texts)))
    view.setFixedHeight(heading + rows * _ROW + 2 * view.frameWidth)


def narrowColumns(view: Any) -> None:
    """Lets columns be narrow: with each table node Slicer sets a minimum of 60 pixels, which is more than "R" wants."""
    view.horizontalHeader().setMinimumSectionSize(_NARROWEST_COLUMN)


def fitSegments(view: Any, count: int) -> None:
    """Gives the list of segments the height of its rows."""
    view.setFixedHeight((1 + min(_MOST_ROWS, max(_FEWEST_ROWS, count))) * (_ROW + 6))


def _texts(model: Any) -> list[list[str]]:
    """Returns the texts of each row, read once: that is what takes time here."""
    columns = range(model.columnCount())
    return [[str(model.index(row, n).data() or "") for n in columns] for row in range(model.rowCount())]


def _spanLastTexts(view: Any, texts: list[list[str]]) -> None:
    """Lets the last text of a row reach over the empty cells behind it: a word in place of numbers has room there."""
    view.clearSpans()
    for row, words in enumerate(texts):
        column = _lastText(words)
        if 0 <= column < len(words) - 1:
            view.setSpan(row, column, 1, len(words) - column)


def _lastText(words: list[str]) -> int:
    return max((column for column, word in enumerate(words) if word), default=-1)


def _available(view: Any, rows: int) -> int:
    """Returns the width for columns: of the dock as it is, or of a narrow one while the table is not shown."""
    width = view.width - 2 * view.frameWidth if view.visible else 0
    return int(max(_NARROW_DOCK, width) - (_SCROLL_BAR if rows > _MOST_ROWS else 0))


def _cut(widths: list[int], total: int) -> list[int]:
    """Returns widths that are no more than a total, by making the widest as narrow as the next ones."""
    widths = list(widths)
    while widths and sum(widths) > total and max(widths) > _NARROWEST_COLUMN:
        widths[widths.index(max(widths))] -= 1
    return widths


def _width(texts: list[list[str]], column: int, heading: str, metrics: Any) -> int:
    """Returns the width of a column's widest cell, or of its heading in two lines."""
    own = {words[column] for words in texts if column == len(words) - 1 or _lastText(words) != column}
    widest = max(map(metrics.horizontalAdvance, own), default=0)
    return int(max(widest, _inTwoLines(heading, metrics))) + _PADDING


def _inTwoLines(text: str, metrics: Any) -> int:
    """Returns the least width in which a text takes no more than two lines."""
    words = text.split()
    halves = ((" ".join(words[:cut]), " ".join(words[cut:])) for cut in range(1, len(words) + 1))
    return min((max(map(metrics.horizontalAdvance, half)) for half in halves), default=0)
