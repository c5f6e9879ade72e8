"""Corrections by Segment Editor's own logic (vtkSlicerSegmentEditorLogic): strokes, masking, undo and redo."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from SlicerHost import availability

if availability.missing():
    pytest.skip(availability.missing(), allow_module_level=True)
pytest_plugins = ["SlicerHost.pytest_fixtures"]

from editor_cases import Editor, measured  # noqa: E402
from module_cases import segment_tag, segmented, table_rows  # noqa: E402
from reporting_cases import phantom  # noqa: E402

ALGORITHM = "DICOM.SegmentAlgorithmType"


def test_erasing_undo_and_redo_are_followed(host: Any) -> None:
    volume, labels = phantom()
    widget = segmented(host, volume, labels)
    segmentation = widget.results.result.segmentationNode.GetSegmentation()
    before = table_rows(widget.results.result.table)
    gone = labels == 1
    gone[18:] = False
    editor = Editor(host, widget)
    editor.stroke("kidney_right", gone, "remove")
    erased = measured(widget)
    rest = ((labels == 1) & ~gone).sum() * volume.voxel_volume / 1000
    assert float(erased[0]["volume_ml"]) == pytest.approx(rest, rel=0.005)
    assert segment_tag(segmentation.GetSegment("kidney_right"), ALGORITHM) == "SEMIAUTOMATIC"
    editor.logic.Undo()
    assert measured(widget) == before
    assert segment_tag(segmentation.GetSegment("kidney_right"), ALGORITHM) == "AUTOMATIC"
    assert widget.ui.correctionLabel.text == "As the network drew it."
    editor.logic.Redo()
    assert measured(widget) == erased
    assert "Right kidney" in widget.ui.correctionLabel.text


def test_painting_over_a_lesion_corrects_both(host: Any) -> None:
    volume, labels = phantom()
    widget = segmented(host, volume, labels)
    mass = labels == 3
    half = mass.copy()
    half[..., : int(np.median(np.nonzero(mass)[2]))] = False
    Editor(host, widget).stroke("kidney_left", half, "add")
    measured(widget)
    result = widget.results.result
    assert set(result.findings().provenance.settings["corrected_by_reader"]) == {"kidney_left", "mass"}
    lesion = result.findings().lesions[0]
    left = (mass & ~half).sum() * volume.voxel_volume / 1000
    assert lesion.measures.volume_ml == pytest.approx(left, abs=1e-3)


def test_a_new_name_or_colour_is_no_correction(host: Any) -> None:
    widget = segmented(host)
    segment = widget.results.result.segmentationNode.GetSegmentation().GetSegment("kidney_right")
    segment.SetName("Niere")
    segment.SetColor(1, 0, 0)
    host.app.processEvents()
    assert not widget.correction.isStale
