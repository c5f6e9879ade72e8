"""The volume's transform is edited or hardened after it was segmented: all follows, or a sentence says why not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from SlicerHost import availability

if availability.missing():
    pytest.skip(availability.missing(), allow_module_level=True)
pytest_plugins = ["SlicerHost.pytest_fixtures"]

from module_cases import measure_now, segmented, table_rows  # noqa: E402
from reporting_cases import oblique  # noqa: E402
from test_module_geometry import bent_transform, linear_transform  # noqa: E402
from worklist_cases import drawn, exam, go_to, place_click, rows, settle  # noqa: E402

LENGTHS = ("volume_ml", "axial_diameter_mm", "length_mm")


@pytest.fixture
def widget(host: Any) -> Any:
    """The panel with a result, all selectors at their defaults."""
    volume, labels, _missed = exam()
    return segmented(host, volume, labels)


def turned() -> np.ndarray:
    """A turn about all axes and a shift."""
    matrix = np.eye(4)
    matrix[:3, :3] = oblique()
    matrix[:3, 3] = (40, -30, 120)
    return matrix


def sizes(widget: Any) -> dict[str, tuple[str, ...]]:
    return {name: tuple(row[key] for key in LENGTHS) for name, row in rows(widget).items()}


def line_ends(widget: Any) -> np.ndarray:
    """Both ends of the diameter line that is shown, (2, 3) mm RAS."""
    line, ends = widget.results.result.line, np.zeros((2, 3))
    assert line.GetDisplayVisibility()
    for n in range(2):
        line.GetNthControlPointPositionWorld(n, ends[n])
    return ends


def outline_is_on_the_volume(widget: Any) -> None:
    """Slicer's own resampling finds each voxel of a segment where the network saw it in the image."""
    import slicer.util

    result = widget.results.result
    mask = slicer.util.arrayFromSegmentBinaryLabelmap(result.segmentationNode, "mass", result.volume) > 0
    np.testing.assert_array_equal(mask, slicer.util.arrayFromVolume(result.networkLabels) == 3)


def move(host: Any, widget: Any, matrix: np.ndarray) -> Any:
    """Puts the volume below a transform and returns that."""
    transform = linear_transform(matrix)
    widget.results.result.volume.SetAndObserveTransformNodeID(transform.GetID())
    host.app.processEvents()
    return transform


def harden(node: Any) -> None:
    """Does what *Harden transform* does."""
    import slicer

    assert slicer.vtkSlicerTransformLogic().hardenTransform(node)


@pytest.mark.parametrize("how", ["moved", "hardened", "both", "edited"])
def test_a_turned_volume_takes_outlines_lines_and_clicks_with_it(widget: Any, host: Any, how: str) -> None:
    volume, missed = widget.results.result.volume, exam()[2]
    go_to(widget, "M1")
    before, table, ends = drawn(widget), sizes(widget), line_ends(widget)
    if how == "both":  # the reader moves segments and volume together
        transform = linear_transform(turned())
        for node in (widget.results.result.segmentationNode, volume):
            node.SetAndObserveTransformNodeID(transform.GetID())
        host.app.processEvents()
    elif how == "edited":
        transform = move(host, widget, np.eye(4))
        transform.SetMatrixTransformToParent(linear_transform(turned()).GetMatrixTransformToParent())
        host.app.processEvents()
    else:
        move(host, widget, turned())
    if how == "hardened":
        harden(volume)
        host.app.processEvents()
        assert volume.GetParentTransformNode() is None
    outline_is_on_the_volume(widget)
    np.testing.assert_allclose(line_ends(widget), ends @ turned()[:3, :3].T + turned()[:3, 3], atol=0.01)
    measure_now(widget)
    np.testing.assert_array_equal(drawn(widget), before)
    assert sizes(widget) == table and "was" not in widget.ui.correctionLabel.text

    matrix = np.eye(4)
    for row in range(3):
        matrix[row] = [slicer_matrix(volume).GetElement(row, column) for column in range(4)]
    _click_at(widget, matrix, (24, 35, 20))
    settle(widget)
    assert drawn(widget)[missed].any() and rows(widget)["C2"]["state"] == "+" and widget.results.current == "C2"
    added = drawn(widget) != before
    assert (added & missed).sum() > 0.7 * added.sum(), "where it was clicked"
    widget.ui.undoLesionButton.click()
    settle(widget)
    np.testing.assert_array_equal(drawn(widget), before)
    outline_is_on_the_volume(widget)


def slicer_matrix(volume: Any) -> Any:
    """The matrix from the volume's indices to the world."""
    import vtk

    local, parent = vtk.vtkMatrix4x4(), vtk.vtkMatrix4x4()
    volume.GetIJKToRASMatrix(local)
    if volume.GetParentTransformNode() is not None:
        volume.GetParentTransformNode().GetMatrixTransformToWorld(parent)
    world = vtk.vtkMatrix4x4()
    vtk.vtkMatrix4x4.Multiply4x4(parent, local, world)
    return world


def _click_at(widget: Any, matrix: np.ndarray, kji: tuple[int, int, int]) -> None:
    import slicer.util
    from SlicerHost.hands import choose, click, waitUntil

    choose(widget.ui.addKindComboBox, "Cyst")
    click(widget.ui.addLesionButton)
    slicer.util.getNode("KidneySeg click").AddControlPointWorld(*(matrix @ (*kji[::-1], 1.0))[:3])
    waitUntil(lambda: not widget.worklist.worklist.isAnswering, 30)


@pytest.mark.parametrize("kind", ["scaled", "bent"])
def test_what_no_outline_can_follow_is_said_at_once_and_nothing_is_measured(widget: Any, host: Any, kind: str) -> None:
    from SlicerHost.hands import click, waitUntil

    sentence = "was scaled, sheared or bent after it was segmented"
    go_to(widget, "M1")
    table = sizes(widget)
    volume = widget.results.result.volume
    transform = linear_transform(np.diag([1.0, 1.0, 1.3, 1.0])) if kind == "scaled" else bent_transform()
    volume.SetAndObserveTransformNodeID(transform.GetID())
    host.app.processEvents()
    assert sentence in widget.ui.flagsBrowser.plainText
    assert not widget.results.result.line.GetDisplayVisibility(), "its length would be another one"
    go_to(widget, "M2")
    assert not widget.results.result.line.GetDisplayVisibility()
    click(widget.ui.recomputeButton)
    waitUntil(lambda: sentence in widget.ui.correctionLabel.text, 30)
    place_click(widget, (24, 35, 20), "Cyst")
    assert sentence in widget.ui.lesionLabel.text
    volume.SetAndObserveTransformNodeID(None)
    host.app.processEvents()
    assert sentence not in widget.ui.flagsBrowser.plainText
    measure_now(widget)
    assert sizes(widget) == table and widget.results.result.line.GetDisplayVisibility()


def test_a_moved_volume_comes_back_with_its_scene(widget: Any, host: Any, tmp_path: Any) -> None:
    import slicer.util

    table = sizes(widget)
    move(host, widget, turned())
    go_to(widget, "M1")
    ends = line_ends(widget)
    assert slicer.util.saveScene(str(tmp_path / "scene.mrb"))
    host.clearScene()
    slicer.util.loadScene(str(tmp_path / "scene.mrb"))
    host.app.processEvents()
    go_to(widget, "M1")
    np.testing.assert_allclose(line_ends(widget), ends, atol=0.01)
    outline_is_on_the_volume(widget)
    measure_now(widget)
    assert sizes(widget) == table
    assert [row["id"] for row in table_rows(widget.results.result.table)] == list(table)
