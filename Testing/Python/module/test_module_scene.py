"""The module in a scene that changes: queue, removal, closing, saving, reload."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from SlicerHost import availability

if availability.missing():
    pytest.skip(availability.missing(), allow_module_level=True)
pytest_plugins = ["SlicerHost.pytest_fixtures"]

from module_cases import add_volume, measure_now, open_panel, segment_tag, segmented, table_rows  # noqa: E402
from reporting_cases import phantom  # noqa: E402


def waiting(host: Any, *names: str) -> tuple[Any, Any]:
    """Returns panel and runner with one run going on for each volume that was clicked through."""
    from SlicerHost.hands import choose, click

    for name in names:
        add_volume(phantom()[0], name)
    widget, runner = open_panel(host)
    runner.automatic = False
    for name in names:
        choose(widget.ui.inputSelector, name)
        click(widget.ui.segmentButton)
    return widget, runner


def segmentations() -> list[str]:
    import slicer.util

    return [node.GetName() for node in slicer.util.getNodesByClass("vtkMRMLSegmentationNode")]


def test_the_volume_loaded_last_is_chosen(host: Any) -> None:
    import slicer
    from SlicerHost.hands import choose

    add_volume(phantom()[0], "first")
    add_volume(phantom()[0], "second")
    widget, _runner = open_panel(host)
    selector = widget.ui.inputSelector
    assert selector.currentNode().GetName() == "second"
    add_volume(phantom()[0], "third")
    slicer.mrmlScene.AddNewNodeByClass("vtkMRMLVectorVolumeNode", "a photograph")
    host.app.processEvents()
    assert selector.currentNode().GetName() == "third"
    choose(selector, "first")
    add_volume(phantom()[0], "fourth")
    host.app.processEvents()
    widget.enter()
    assert selector.currentNode().GetName() == "first", "what the user chose stays"


def test_several_volumes_are_segmented_one_after_the_other(host: Any) -> None:
    from SlicerHost.hands import click

    widget, runner = waiting(host, "one", "two", "three")
    assert len(runner.jobs) == 1
    assert [widget.ui.queueList.item(n).text() for n in range(widget.ui.queueList.count)] == ["two", "three"]
    assert widget.ui.segmentButton.text == "Add to queue"
    host.mainWindow.resize(400, 1200)
    host.app.processEvents()
    assert widget.ui.queueWidget.height < 100, "it leaves the panel to the result"
    click(widget.ui.segmentButton)
    assert "already" in widget.ui.statusLabel.text and len(widget.runs.queue.waiting) == 2
    runner.end(0)
    assert len(runner.jobs) == 2 and widget.runs.queue.current.volumeName == "two"
    widget.ui.queueList.setCurrentRow(0)
    click(widget.ui.removeFromQueueButton)
    assert not widget.ui.queueWidget.isVisible()
    runner.end(0)
    assert len(runner.jobs) == 2 and widget.runs.queue.current is None
    assert segmentations() == ["one KidneySeg", "two KidneySeg"]
    assert widget.results.result.segmentationNode.GetName() == "two KidneySeg"


def test_a_failed_run_does_not_stop_the_queue(host: Any, caplog: pytest.LogCaptureFixture) -> None:
    widget, runner = waiting(host, "one", "two")
    runner.end(3)
    assert host.dialogs.texts() == [] and widget.runs.queue.current.volumeName == "two", "it starts before the message"
    with caplog.at_level("DEBUG"):
        host.app.processEvents()
    assert len(host.dialogs.texts()) == 1
    assert "segment one" in host.dialogs.shown[0].title
    assert caplog.messages and not any("one:" in text or "segment one" in text for text in caplog.messages)
    runner.end(0)
    assert segmentations() == ["two KidneySeg"]


def test_removing_the_volume_ends_its_run(host: Any) -> None:
    import slicer.util

    widget, runner = waiting(host, "one", "two", "three")
    slicer.mrmlScene.RemoveNode(slicer.util.getNode("one"))
    assert runner.cancels == 1
    slicer.mrmlScene.RemoveNode(slicer.util.getNode("three"))
    runner.end(143)
    assert widget.runs.queue.current.volumeName == "two" and widget.runs.queue.waiting == []
    runner.end(0)
    assert segmentations() == ["two KidneySeg"]
    assert host.dialogs.texts() == []


@pytest.mark.parametrize("change", ["origin", "transform", "voxels"])
def test_result_of_a_volume_that_moved_meanwhile_is_refused(host: Any, change: str) -> None:
    import slicer.util

    _widget, runner = waiting(host, "one")
    volume = slicer.util.getNode("one")
    if change == "origin":
        volume.SetOrigin(1, 2, 3)
    elif change == "transform":
        transform = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
        volume.SetAndObserveTransformNodeID(transform.GetID())
    else:
        slicer.util.updateVolumeFromArray(volume, slicer.util.arrayFromVolume(volume)[5:].copy())
    runner.end(0)
    host.app.processEvents()
    assert segmentations() == []
    assert "moved or cropped" in host.dialogs.texts()[0]


def test_closing_the_scene_ends_everything(host: Any) -> None:
    import slicer

    widget, runner = waiting(host, "one", "two")
    folder = runner.jobs[0].folder
    assert folder.exists()
    slicer.mrmlScene.Clear(0)
    host.app.processEvents()
    assert runner.abandoned == 1 and not runner.isRunning()
    assert widget.runs.queue.runs() == [] and not folder.exists()
    assert not widget.ui.segmentButton.enabled
    add_volume(phantom()[0])
    widget.enter()
    assert widget.ui.segmentButton.enabled, "and the panel works in the new scene"


def test_closing_the_scene_forgets_the_result(host: Any) -> None:
    import slicer

    widget = segmented(host)
    slicer.mrmlScene.Clear(0)
    host.app.processEvents()
    assert widget.results.result is None
    assert widget.ui.tableView.mrmlTableNode() is None
    assert not widget.ui.editButton.isVisible() and not widget.ui.exportSection.isVisible()


def test_removed_segmentation_leaves_an_empty_panel(host: Any) -> None:
    import slicer

    widget = segmented(host)
    parts = widget.results.result.parts()
    assert len(parts) == 4
    slicer.mrmlScene.RemoveNode(widget.results.result.segmentationNode)
    host.app.processEvents()
    assert widget.results.result is None
    assert not any(slicer.mrmlScene.IsNodePresent(part) for part in parts), "nothing hidden stays behind"
    assert not widget.ui.recomputeButton.isVisible()


def test_removed_volume_says_so_when_measuring(host: Any) -> None:
    import slicer
    from SlicerHost.hands import click

    widget = segmented(host)
    slicer.mrmlScene.RemoveNode(widget.results.result.volume)
    click(widget.ui.recomputeButton)
    assert "no longer in the scene" in widget.ui.correctionLabel.text


def test_saved_scene_brings_everything_back(host: Any, tmp_path: Path) -> None:
    import slicer.util
    from SlicerHost.hands import choose, click

    _volume, labels = phantom()
    widget = segmented(host)
    result = widget.results.result
    mask = labels == 1
    mask[:18] = False
    slicer.util.updateSegmentBinaryLabelmapFromArray(
        mask.astype(np.uint8), result.segmentationNode, "kidney_right", result.volume
    )
    measure_now(widget)
    choose(widget.ui.deviceComboBox, "CPU")
    choose(widget.ui.taskComboBox, "CT")
    rows, findings = table_rows(result.table), result.findings()
    flags = widget.ui.flagsBrowser.plainText
    path = tmp_path / "scene.mrb"
    assert slicer.util.saveScene(str(path))
    slicer.mrmlScene.Clear(0)
    slicer.util.loadScene(str(path))
    host.app.processEvents()
    again = widget.results.result
    assert again is not None and again.segmentationNode is not result.segmentationNode
    assert table_rows(again.table) == rows
    assert widget.ui.tableView.mrmlTableNode() is again.table, "the panel shows it"
    assert again.findings() == findings
    assert widget.ui.flagsBrowser.plainText == flags
    assert widget.ui.inputSelector.currentNode().GetName() == "ct"
    assert widget.ui.deviceComboBox.currentData == "cpu"
    assert widget.ui.taskComboBox.currentText == "CT" and widget.logic.getParameterNode().task == "ct"
    right = again.segmentationNode.GetSegmentation().GetSegment("kidney_right")
    assert segment_tag(right, "DICOM.SegmentAlgorithmType") == "SEMIAUTOMATIC"
    host.dialogs.answer("Yes")
    click(widget.ui.resetButton)
    drawn = slicer.util.arrayFromSegmentBinaryLabelmap(again.segmentationNode, "kidney_right", again.volume)
    np.testing.assert_array_equal(drawn > 0, labels == 1)


@pytest.mark.parametrize("closed_first", [True, False])
def test_saved_scene_fills_the_selectors_though_nothing_else_was_chosen(
    host: Any, tmp_path: Path, closed_first: bool
) -> None:
    """Two exams, all selectors as they were; the panel shows and takes what the scene holds."""
    import slicer.util
    from SlicerHost.hands import choose, click, waitUntil

    widget = segmented(host)
    add_volume(phantom()[0], "other")
    host.app.processEvents()
    click(widget.ui.segmentButton)
    waitUntil(lambda: widget.runs.queue.current is None)
    choose(widget.ui.resultSelector, "ct KidneySeg")
    path = tmp_path / "scene.mrb"
    assert slicer.util.saveScene(str(path))
    if closed_first:
        slicer.mrmlScene.Clear(0)
        host.app.processEvents()
        assert widget.ui.inputSelector.currentNode() is None
    slicer.util.loadScene(str(path), properties={"clear": True})
    host.app.processEvents()
    parameters = widget.logic.getParameterNode()
    assert parameters.inputVolume.GetName() == "other"
    assert widget.ui.inputSelector.currentNode() is parameters.inputVolume
    assert parameters.result.GetName() == "ct KidneySeg"
    assert widget.ui.resultSelector.currentNode() is parameters.result
    assert widget.results.result.segmentationNode is parameters.result
    assert widget.ui.tableView.mrmlTableNode() is widget.results.result.table
    assert widget.ui.segmentButton.enabled
    red = slicer.app.layoutManager().sliceWidget("Red").mrmlSliceCompositeNode()
    assert red.GetBackgroundVolumeID() == widget.results.result.volume.GetID()
    assert not slicer.util.getNode("other KidneySeg").GetDisplayVisibility()
    choose(widget.ui.resultSelector, "other KidneySeg")
    assert widget.results.result.volume.GetName() == "other", "and they still choose"
    assert red.GetBackgroundVolumeID() == widget.results.result.volume.GetID()


@pytest.mark.skipif(bool(availability.missingForPictures()), reason=str(availability.missingForPictures()))
def test_a_scene_that_is_read_again_shows_its_outlines_at_once(host: Any, tmp_path: Path) -> None:
    """Slicer's views drew them only once the reader scrolled."""
    import slicer.util
    from SlicerHost.pictures import slicePicture

    segmented(host)
    slicePicture()  # the window of the view is there before the scene is closed, as in Slicer
    before = slicePicture()
    assert slicer.util.saveScene(str(tmp_path / "scene.mrb"))
    host.clearScene()
    assert (slicePicture() != before).any()
    slicer.util.loadScene(str(tmp_path / "scene.mrb"))
    host.app.processEvents()
    np.testing.assert_array_equal(slicePicture(), before)


def test_reload_keeps_the_result_and_ends_the_run(host: Any) -> None:
    import slicer

    widget = segmented(host)
    result = widget.results.result.segmentationNode
    _abandoned = widget.logic.runner
    widget.runs._ui.segmentButton.click()
    widget.onReload()
    host.app.processEvents()
    fresh = slicer.modules.KidneySegWidget
    assert fresh is not widget
    assert fresh.results.result.segmentationNode is result
    assert fresh.runs.queue.current is None and widget.runs.queue.current is None
