"""Results beside each other: a copy made in the Data module, two of one volume; and a volume that moves afterwards."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from SlicerHost import availability

if availability.missing():
    pytest.skip(availability.missing(), allow_module_level=True)
pytest_plugins = ["SlicerHost.pytest_fixtures"]

from module_cases import segmented  # noqa: E402
from worklist_cases import drawn, exam, go_to, rows, settle  # noqa: E402


@pytest.fixture
def widget(host: Any) -> Any:
    """The panel with a result, all selectors at their defaults."""
    volume, labels, _missed = exam()
    return segmented(host, volume, labels)


def copied(widget: Any, host: Any) -> Any:
    """A copy of the result, as Clone of the Data module makes it: with the references of the node."""
    import slicer

    copy = slicer.mrmlScene.CreateNodeByClass("vtkMRMLSegmentationNode")
    copy.UnRegister(None)
    copy.Copy(widget.results.result.segmentationNode)
    copy.SetName("copy")
    slicer.mrmlScene.AddNode(copy)
    host.app.processEvents()
    return copy


def test_a_copy_that_is_removed_takes_nothing_of_the_result_with_it(widget: Any, host: Any) -> None:
    import slicer

    result, table = widget.results.result, rows(widget)
    parts = [node.GetID() for node in result.parts()]
    copy = copied(widget, host)
    slicer.mrmlScene.RemoveNode(copy)
    host.app.processEvents()
    assert [node.GetID() for node in result.parts()] == parts and rows(widget) == table
    assert widget.ui.editButton.enabled
    # and the other way round
    copy = copied(widget, host)
    slicer.mrmlScene.RemoveNode(result.segmentationNode)
    host.app.processEvents()
    widget.ui.resultSelector.setCurrentNode(copy)
    host.app.processEvents()
    assert rows(widget) == table and widget.ui.editButton.enabled


def test_what_is_read_in_a_copy_stays_out_of_the_result(widget: Any, host: Any) -> None:
    from SlicerHost.hands import choose, click

    table = rows(widget)
    copied(widget, host)
    choose(widget.ui.resultSelector, "copy")
    assert rows(widget) == table
    go_to(widget, "M1")
    click(widget.ui.confirmLesionButton)
    assert rows(widget)["M1"]["state"] == "✓"
    choose(widget.ui.resultSelector, "ct KidneySeg")
    assert rows(widget) == table


def test_two_results_of_one_volume_have_two_names(widget: Any) -> None:
    import slicer.util
    from SlicerHost.hands import click, waitUntil

    click(widget.ui.segmentButton)
    waitUntil(lambda: widget.runs.queue.current is None)
    names = [node.GetName() for node in slicer.util.getNodesByClass("vtkMRMLSegmentationNode")]
    assert len({*names}) == len(names) == 2


def test_a_volume_that_is_scaled_afterwards_is_not_measured(widget: Any, host: Any) -> None:
    """Half of the numbers would be of another size."""
    import slicer
    import vtk
    from SlicerHost.hands import click, waitUntil

    volume, before = widget.results.result.volume, drawn(widget)
    transform = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    matrix = vtk.vtkMatrix4x4()
    matrix.SetElement(0, 0, 1.1)
    transform.SetMatrixTransformToParent(matrix)
    volume.SetAndObserveTransformNodeID(transform.GetID())
    go_to(widget, "M2")
    click(widget.ui.rejectLesionButton)
    waitUntil(lambda: "was scaled, sheared or bent after it was segmented" in widget.ui.correctionLabel.text, 30)
    assert rows(widget)["M2"]["state"] == "✗" and widget.correction.isStale
    volume.SetAndObserveTransformNodeID(None)
    click(widget.ui.undoLesionButton)
    settle(widget)
    np.testing.assert_array_equal(drawn(widget), before)
    assert "M2" in [lesion.id for lesion in widget.results.result.findings().lesions]
