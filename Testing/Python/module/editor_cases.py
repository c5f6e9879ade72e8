"""A reader's strokes by Segment Editor's own logic (vtkSlicerSegmentEditorLogic) of the wheel slicer-core."""

from __future__ import annotations

from typing import Any

import numpy as np
from module_cases import table_rows


class Editor:
    """Draws with Segment Editor's logic, on what the click on *Edit in Segment Editor* opened."""

    def __init__(self, host: Any, widget: Any) -> None:
        import slicer
        from SlicerHost.hands import click

        click(widget.ui.editButton)
        host.app.processEvents()
        self.logic = slicer.vtkSlicerSegmentEditorLogic()
        self.logic.SetMRMLScene(slicer.mrmlScene)
        self.logic.SetSegmentationHistory(slicer.vtkSegmentationHistory())
        self.logic.SetSegmentEditorNode(slicer.mrmlScene.GetSingletonNode("SegmentEditor", "vtkMRMLSegmentEditorNode"))
        assert self.logic.GetSegmentationNode() is widget.results.result.segmentationNode

    def stroke(self, segment: str, mask: np.ndarray, mode: str) -> None:
        """Adds the voxels of a mask (k, j, i) to a segment, or removes them, as an effect does."""
        from vtk.util.numpy_support import vtk_to_numpy

        logic = self.logic
        logic.SetCurrentSegmentID(segment)
        assert logic.UpdateReferenceGeometryImage() and logic.UpdateMaskLabelmap()
        assert logic.UpdateSelectedSegmentLabelmap() and logic.ResetModifierLabelmapToDefault()
        modifier = logic.GetModifierLabelmap()
        vtk_to_numpy(modifier.GetPointData().GetScalars()).reshape(mask.shape)[...] = mask
        modifier.Modified()
        logic.SaveStateForUndo()
        number = {"add": logic.ModificationModeAdd, "remove": logic.ModificationModeRemove}[mode]
        logic.ModifySegmentByLabelmap(logic.GetSegmentationNode(), segment, modifier, number, False, False)


def measured(widget: Any) -> list[dict[str, str]]:
    """Returns the table once the panel has measured again by itself."""
    from SlicerHost.hands import waitUntil

    assert widget.correction.isStale, "the panel has seen the change"
    waitUntil(lambda: not widget.correction.isStale, 300)
    return table_rows(widget.results.result.table)
