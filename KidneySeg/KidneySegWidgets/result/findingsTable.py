"""Findings as table nodes: those of an image in the patient, or those of an ultrasound image; candidates apart."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import vtk

from KidneySegWidgets.result.lesionRows import candidateRows, lesionCell, lesionColumns, lesionRows
from KidneySegWidgets.result.resultNodes import ResultNodes
from KidneySegWidgets.result.viewRows import viewCell, viewColumns, viewRows
from KidneySegWidgets.translation import tr as _

Row = tuple[str, dict[str, Any]]
# Identifiers of the tables that are being filled.
_filling: set[str] = set()


def findingRows(findings: Any) -> Iterator[Row]:
    """Yields the identifier and the JSON values of each row, in the table's order."""
    yield from lesionRows(findings) if findings.in_patient else viewRows(findings)


def isBeingFilled(table: Any) -> bool:
    """Returns whether rows come and go because a table is filled: Qt then chooses rows that nobody has chosen."""
    return table is not None and table.GetID() in _filling


def fillTables(result: ResultNodes, findings: Any, isMeasuring: bool = True) -> None:
    """Writes findings into the tables of a result; what has no numbers is being measured, unless that has failed."""
    fillTable(result.table, findings, isMeasuring)
    if findings.candidates or result.hasCandidateTable:
        candidates = list(candidateRows(findings))
        _fill(result.candidateTable, lesionColumns(), candidates, lambda *where: lesionCell(*where, False, ""))


def fillTable(table: Any, findings: Any, isMeasuring: bool = True) -> None:
    """Writes the findings into a table node."""
    unmeasured = _("measuring…") if isMeasuring else _("not measured")

    def cell(name: str, identifier: str, values: dict[str, Any]) -> str:
        return lesionCell(name, identifier, values, bool(findings.remarks_on(identifier)), unmeasured)

    rows = list(findingRows(findings))
    if findings.in_patient:
        _fill(table, lesionColumns(), rows, cell)
    else:
        _fill(table, viewColumns(findings), rows, viewCell)


def _fill(
    table: Any, columns: dict[str, str], rows: list[Row], cell: Callable[[str, str, dict[str, Any]], str]
) -> None:
    _filling.add(table.GetID())
    wasModified = table.StartModify()
    try:
        table.RemoveAllColumns()
        for name, title in columns.items():
            # texts, because a number that could not be measured must be an empty cell
            array = vtk.vtkStringArray()
            array.SetName(name)
            for identifier, values in rows:
                array.InsertNextValue(cell(name, identifier, values))
            table.AddColumn(array)
            table.SetColumnTitle(name, title)
        table.SetUseColumnTitleAsColumnHeader(True)
    finally:
        table.EndModify(wasModified)
        _filling.discard(table.GetID())
