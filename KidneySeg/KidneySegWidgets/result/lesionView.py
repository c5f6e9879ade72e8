"""Shows one finding: slice views centred on it, and its diameter as a line."""

from __future__ import annotations

from itertools import chain
from typing import Any

import numpy as np
import slicer
import vtk

from KidneySegWidgets.result.findingsTable import findingRows
from KidneySegWidgets.result.lesionRows import candidateRows
from KidneySegWidgets.result.place import fromExam, placeComplaint, worldMatrix
from KidneySegWidgets.result.resultNodes import ResultNodes
from KidneySegWidgets.result.viewRows import sizeWithUnit


def lpsToRas(point: Any) -> np.ndarray:
    """Returns a point in mm RAS."""
    return np.array([-point[0], -point[1], point[2]], float)


def showFinding(result: ResultNodes, identifier: str, jump: bool = True) -> None:
    """Draws the diameter of a finding or candidate, and with `jump` centres all slice views on it.

    Of masses and cysts the axial diameter is drawn, in its own slice; of kidneys and stones the largest in 3D.
    """
    findings = result.findings()
    if placeComplaint(result):
        hideLine(result)
        return
    rows = chain(findingRows(findings), candidateRows(findings))
    values = next((values for name, values in rows if name == identifier), None)
    if values is None:
        hideLine(result)
        return
    if not findings.in_patient:
        sizes = {measure: sizeWithUnit(values, measure, findings.calibrated) for measure in ("length", "width")}
        _showView(result, values, {**sizes, "length": f"{identifier} {sizes['length']}"}, jump)
        return
    measure = "axial" if values["structure"] in ("mass", "cyst") else "length"
    ends = [fromExam(result, lpsToRas(values[f"{measure}_{end}_lps_mm"])) for end in ("start", "end")]
    length = values["axial_diameter_mm" if measure == "axial" else "length_mm"]
    if length is None:  # a stone of one or two voxels, or one that the image cuts, has a place, but no length
        hideLine(result)
    else:
        _drawLine(result.makeLine(), ends, identifier)
    centre = fromExam(result, lpsToRas(values["centroid_lps_mm"]))
    if measure == "axial":
        # the slice of the diameter, which need not be the one through the centre
        centre = np.mean(ends, axis=0)
    if jump:
        slicer.modules.markups.logic().JumpSlicesToLocation(*centre, True)


def hideLine(result: ResultNodes) -> None:
    """Takes the lines out of the views."""
    for line in result.lines:
        line.SetDisplayVisibility(False)


def _showView(result: ResultNodes, values: dict[str, Any], labels: dict[str, str], jump: bool) -> None:
    """Draws length and width of a kidney in its plane, with their labels; a width without one is not drawn.

    The volume does not know how large a pixel is, so that Slicer's own measure of the lines would be wrong.
    """

    def ends(measure: str) -> list[np.ndarray]:
        matrix = worldMatrix(result.networkLabels)
        places = ((*values[f"{measure}_{end}_px"], values["slice"], 1.0) for end in ("start", "end"))
        return [(matrix @ place)[:3] for place in places]

    hideLine(result)
    _drawLine(result.makeLine(), ends("length"), labels["length"], measure=False)
    if labels["width"]:
        _drawLine(result.makeWidthLine(), ends("width"), labels["width"], measure=False)
    if jump:
        slicer.modules.markups.logic().JumpSlicesToLocation(*np.mean(ends("length"), axis=0), True)


def _drawLine(node: Any, ends: list[np.ndarray], name: str, measure: bool = True) -> None:
    """Draws a line; Slicer labels it with its name and, with `measure`, its length."""
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
    for point, label in enumerate(("" if measure else name, "")):
        node.SetNthControlPointLabel(point, label)
    display.SetPointLabelsVisibility(not measure)
    display.SetPropertiesLabelVisibility(measure)
    display.SetSelectedColor(1.0, 0.85, 0.2)
    display.SetGlyphScale(1.5)
