"""A change is drawn into the segments as they are: shared layers, layers of their own, foreign ones, surfaces."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from SlicerHost import availability

if availability.missing():
    pytest.skip(availability.missing(), allow_module_level=True)
pytest_plugins = ["SlicerHost.pytest_fixtures"]

from module_cases import segmented, write_segment  # noqa: E402
from reporting_cases import phantom  # noqa: E402


@pytest.mark.parametrize(
    "segments", ["as imported", "beyond the layer", "overlapping", "foreign", "surfaces", "a new structure"]
)
def test_change_is_drawn_and_nothing_else_and_undone(host: Any, segments: str) -> None:
    import slicer

    _volume, labels = phantom()
    widget = segmented(host)
    result = widget.results.result
    segmentation = result.segmentationNode.GetSegmentation()
    from KidneySegWidgets.result.correctedLabels import currentLabels
    from KidneySegWidgets.result.labelParts import layerVoxels
    from KidneySegWidgets.worklist.labelChange import LabelChange, drawnIn

    liver = np.zeros(labels.shape, bool)
    liver[2:6, 2:6, 2:6] = True
    if segments == "overlapping":
        write_segment(result, "mass", (labels == 2) & (np.arange(36)[:, None, None] > 20))
    elif segments == "foreign":
        segmentation.AddSegment(slicer.vtkSegment(), "liver")
        write_segment(result, "liver", liver)
    elif segments == "surfaces":
        result.segmentationNode.CreateClosedSurfaceRepresentation()
        points = segmentation.GetSegment("kidney_left").GetRepresentation("Closed surface").GetNumberOfPoints()
    start = (0, 0, 0) if segments in ("beyond the layer", "foreign") else (8, 10, 10)
    before = drawnIn(result, start, (20, 40, 75))
    whole = currentLabels(result)
    box = tuple(slice(a, a + n) for a, n in zip(start, before.shape, strict=True))
    np.testing.assert_array_equal(before, whole[box])
    after = before.copy()
    after[4:8, 20:30, 30:70] = np.where(before[4:8, 20:30, 30:70] == 0, 1, before[4:8, 20:30, 30:70])
    after[before == 2] = np.where(np.arange((before == 2).sum()) % 3, 2, 0)
    if segments == "beyond the layer":
        after[0, 0, 0] = 1
    elif segments == "a new structure":
        assert segmentation.GetSegment("cyst") is None
        after[10:13, 20:23, 20:23] = 4
    change = LabelChange(before, after, start)
    change.draw(result)
    expected = whole.copy()
    expected[box] = after
    np.testing.assert_array_equal(currentLabels(result), expected)
    assert widget.correction.isStale, "the panel has seen it"
    if segments == "foreign":
        segment = segmentation.GetSegment("liver")
        voxels = layerVoxels(segment.GetRepresentation("Binary labelmap"))
        assert (voxels == segment.GetLabelValue()).sum() == liver.sum(), "it has lost nothing"
    elif segments == "surfaces":
        surface = segmentation.GetSegment("kidney_left").GetRepresentation("Closed surface")
        assert surface.GetNumberOfPoints() != points
    change.undone(result).draw(result)
    np.testing.assert_array_equal(currentLabels(result), whole)
