"""Findings as a table node: kidneys, masses, cysts and stones, with the values of findings.json."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import vtk
from slicer.i18n import tr as _

from KidneySegWidgets.engineLocation import ensureEngine


def columns() -> dict[str, str]:
    """Returns the titles of the table's columns by their names; names carry the units and never change."""
    return {
        "id": _("ID"),
        "structure": _("Structure"),
        "side": _("Side"),
        "place": _("Place"),
        "volume_ml": _("Volume (ml)"),
        "axial_diameter_mm": _("Axial (mm)"),
        "length_mm": _("3D max (mm)"),
        "hu_mean": _("HU"),
    }


_NUMBERS = ("volume_ml", "axial_diameter_mm", "length_mm", "hu_mean")


def findingRows(findings: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yields the identifier and the JSON values of each row, in the table's order; a kidney is called R or L."""
    for kidney in findings.kidneys:
        yield kidney.side.value[0].upper(), kidney.to_dict()
    for finding in (*findings.lesions, *findings.stones):
        yield finding.id, finding.to_dict()


def fillTable(table: Any, findings: Any) -> None:
    """Writes the findings into a table node."""
    ensureEngine()
    from KidneySegLib.structures import BY_KEY

    wasModified = table.StartModify()
    table.RemoveAllColumns()
    rows = list(findingRows(findings))
    for name, title in columns().items():
        array = vtk.vtkDoubleArray() if name in _NUMBERS else vtk.vtkStringArray()
        array.SetName(name)
        for identifier, values in rows:
            array.InsertNextValue(_cell(name, identifier, values, BY_KEY[values["structure"]].name))
        table.AddColumn(array)
        table.SetColumnTitle(name, title)
    table.SetUseColumnTitleAsColumnHeader(True)
    table.EndModify(wasModified)


def _cell(name: str, identifier: str, values: dict[str, Any], structure: str) -> Any:
    if name in _NUMBERS:
        return math.nan if values[name] is None else float(values[name])
    if name == "place":
        return _place(values)
    return {"id": identifier, "structure": structure, "side": _side(values["side"])}[name]


def _side(side: str) -> str:
    return {"right": _("right"), "left": _("left")}[side]


def _place(values: dict[str, Any]) -> str:
    """Returns the pole of a lesion, or the way that a stone has gone; a kidney that the image cuts is told."""
    if values.get("cut_at"):
        return _("cut by the image")
    if values.get("location") in ("pelvis", "ureter"):
        return {"pelvis": _("pelvis"), "ureter": _("ureter")}[values["location"]]
    poles = {"upper": _("upper pole"), "inter": _("between the poles"), "lower": _("lower pole")}
    return poles.get(values.get("pole") or "", "")
