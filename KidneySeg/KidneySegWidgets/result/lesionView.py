"""Shows one finding: slice views centred on it, and its diameter as a line."""

from __future__ import annotations

from typing import Any

import numpy as np
import slicer
import vtk

from KidneySegWidgets.result.findingsTable import candidateRows, findingRows
from KidneySegWidgets.result.resultNodes import ResultNodes


def lpsToRas(point: Any) -> np.ndarray:
    """Returns a point in mm RAS."""
    return np.array([-point[0], -point[1], point[2]], float)


def showFinding(result: ResultNodes, identifier: str, jump: bool = True) -> None:
    """Draws the diameter of a finding or candidate, and with `jump` centres all slice views on it.

    Of masses and cysts the axial diameter is drawn, in its own slice; of kidneys and stones the largest in 3D.
    """
    findings = result.findings()
    values = {**dict(findingRows(findings)), **dict(candidateRows(findings))}.get(identifier)
    if values is None:
        hideLine(result)
        return
    measure = "axial" if values["structure"] in ("mass", "cyst") else "length"
    ends = [lpsToRas(values[f"{measure}_{end}_lps_mm"]) for end in ("start", "end")]
    length = values["axial_diameter_mm" if measure == "axial" else "length_mm"]
    if length is None:  # a stone of one or two voxels, or one that the image cuts, has a place, but no length
        hideLine(result)
    else:
        _drawLine(result.makeLine(), ends, identifier)
    centre = lpsToRas(values["centroid_lps_mm"])
    if measure == "axial":
        # the slice of the diameter, which need not be the one through the centre
        centre = np.mean(ends, axis=0)
    if jump:
        slicer.modules.markups.logic().JumpSlicesToLocation(*centre, True)


def hideLine(result: ResultNodes) -> None:
    """Takes the diameter line out of the views."""
    if result.line is not None:
        result.line.SetDisplayVisibility(False)


def _drawLine(node: Any, ends: list[np.ndarray], name: str) -> None:
    """Draws a line; Slicer labels it with its name and its length."""
    wasModified = node.StartModify()
    node.SetLocked(False)
    node.RemoveAllControlPoints()
    for end in ends:
        node.AddControlPointWorld(vtk.vtkVector3d(*end))
    node.SetName(name)
    node.SetLocked(True)  # a line that can be dragged would no longer be the measure in the table
    node.EndModify(wasModified)
    node.CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()
    display.SetVisibility(True)
    display.SetPointLabelsVisibility(False)
    display.SetPropertiesLabelVisibility(True)
    display.SetSelectedColor(1.0, 0.85, 0.2)
    display.SetGlyphScale(1.5)
