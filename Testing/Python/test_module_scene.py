"""The module in a scene that changes: queue, removal, closing, saving, transforms, regions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from SlicerHost import availability

if availability.missing():
    pytest.skip(availability.missing(), allow_module_level=True)
pytest_plugins = ["SlicerHost.pytest_fixtures"]

from module_cases import RAS, add_volume, open_panel, segment_tag, segmented, table_rows  # noqa: E402
from reporting_cases import findings_of, oblique, phantom  # noqa: E402

from KidneySegLib.volume import Volume  # noqa: E402


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
    add_volume(phantom()[0], "first")
    add_volume(phantom()[0], "second")
    widget, _runner = open_panel(host)
    assert widget.ui.inputSelector.currentNode().GetName() == "second"


def test_several_volumes_are_segmented_one_after_the_other(host: Any) -> None:
    from SlicerHost.hands import click

    widget, runner = waiting(host, "one", "two", "three")
    assert len(runner.jobs) == 1
    assert [widget.ui.queueList.item(n).text() for n in range(widget.ui.queueList.count)] == ["two", "three"]
    assert widget.ui.segmentButton.text == "Add to queue"
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


def test_a_failed_run_does_not_stop_the_queue(host: Any) -> None:
    widget, runner = waiting(host, "one", "two")
    runner.end(3)
    assert len(host.dialogs.texts()) == 1
    assert widget.runs.queue.current.volumeName == "two"
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


def test_closing_the_scene_ends_everything(host: Any) -> None:
    import slicer

    widget, runner = waiting(host, "one", "two")
    folder = runner.jobs[0].image.parent
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
    assert "no longer in the scene" in host.dialogs.texts()[0]


def test_saved_scene_brings_everything_back(host: Any, tmp_path: Path) -> None:
    import slicer.util
    from SlicerHost.hands import click

    _volume, labels = phantom()
    widget = segmented(host)
    result = widget.results.result
    mask = labels == 1
    mask[:18] = False
    slicer.util.updateSegmentBinaryLabelmapFromArray(
        mask.astype(np.uint8), result.segmentationNode, "kidney_right", result.volume
    )
    click(widget.ui.recomputeButton)
    widget.logic.getParameterNode().device = "cpu"
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
    assert again.findings() == findings
    assert widget.ui.flagsBrowser.plainText == flags
    assert widget.ui.inputSelector.currentNode().GetName() == "ct"
    assert widget.ui.deviceComboBox.currentData == "cpu"
    right = again.segmentationNode.GetSegmentation().GetSegment("kidney_right")
    assert segment_tag(right, "DICOM.SegmentAlgorithmType") == "SEMIAUTOMATIC"
    host.dialogs.answer("Yes")
    click(widget.ui.resetButton)
    drawn = slicer.util.arrayFromSegmentBinaryLabelmap(again.segmentationNode, "kidney_right", again.volume)
    np.testing.assert_array_equal(drawn > 0, labels == 1)


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


def linear_transform(matrix: np.ndarray) -> Any:
    import slicer
    import vtk

    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    vtk_matrix = vtk.vtkMatrix4x4()
    vtk_matrix.DeepCopy(matrix.ravel().tolist())
    node.SetMatrixTransformToParent(vtk_matrix)
    return node


def world_matrix(volume: Volume) -> np.ndarray:
    return RAS @ np.array(volume.ijk_to_lps)


def test_moved_and_turned_volume_is_measured_where_it_lies(host: Any) -> None:
    import slicer.util
    from SlicerHost.hands import click, waitUntil

    volume, labels = phantom()
    node = add_volume(volume)
    transform = np.eye(4)
    transform[:3, :3] = oblique()
    transform[:3, 3] = (40, -30, 120)
    node.SetAndObserveTransformNodeID(linear_transform(transform).GetID())
    widget, runner = open_panel(host, labels)
    click(widget.ui.segmentButton)
    waitUntil(lambda: widget.runs.queue.current is None)
    np.testing.assert_allclose(world_matrix(runner.images[0]), transform @ world_matrix(volume), atol=1e-4)
    result = widget.results.result
    assert result.segmentationNode.GetParentTransformNode() is node.GetParentTransformNode()
    drawn = slicer.util.arrayFromSegmentBinaryLabelmap(result.segmentationNode, "kidney_left", node)
    np.testing.assert_array_equal(drawn > 0, labels == 2)
    before = table_rows(result.table)
    click(widget.ui.recomputeButton)
    assert table_rows(result.table) == before
    mask = labels == 2
    mask[:18] = False
    slicer.util.updateSegmentBinaryLabelmapFromArray(
        mask.astype(np.uint8), result.segmentationNode, "kidney_left", node
    )
    click(widget.ui.recomputeButton)
    moved = Volume(volume.voxels, RAS @ transform @ world_matrix(volume))
    expected = labels.copy()
    expected[:18][labels[:18] == 2] = 0
    truth = findings_of(moved, expected).kidneys[1].measures
    assert result.findings().kidneys[1].measures.volume_ml == pytest.approx(truth.volume_ml, abs=1e-3)
    assert result.findings().kidneys[1].measures.centroid_lps_mm == pytest.approx(truth.centroid_lps_mm, abs=0.02)


def ellipsoids(image: Volume) -> np.ndarray:
    """Labels by place in the world, on whatever grid the engine was given: what a network would do."""
    points = image.to_lps(np.moveaxis(np.indices(image.voxels.shape), 0, -1))
    labels = np.zeros(image.voxels.shape, np.uint8)
    for label, side in ((1, -1), (2, 1)):
        offset = (points - (side * 66, 15, -330)) / (27, 24, 48)
        labels[(offset**2).sum(axis=-1) <= 1] = label
    return labels


def bent_transform() -> Any:
    """A grid transform that shears: what Slicer's DICOM reader makes of a tilted gantry."""
    import slicer
    import vtk

    grid = vtk.vtkImageData()
    grid.SetDimensions(2, 2, 2)
    grid.SetSpacing(600, 600, 600)
    grid.SetOrigin(-300, -300, -600)
    grid.AllocateScalars(vtk.VTK_DOUBLE, 3)
    for k in range(2):
        for j in range(2):
            for i in range(2):
                grid.SetScalarComponentFromDouble(i, j, k, 0, 0)
                grid.SetScalarComponentFromDouble(i, j, k, 1, 0.2 * (-600 + 600 * k + 330))
                grid.SetScalarComponentFromDouble(i, j, k, 2, 0)
    transform = vtk.vtkGridTransform()
    transform.SetDisplacementGridData(grid)
    transform.SetInterpolationModeToLinear()
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTransformNode")
    node.SetAndObserveTransformToParent(transform)
    return node


@pytest.mark.parametrize("kind", ["sheared matrix", "bent transform"])
def test_tilted_volume_is_straightened_and_results_lie_on_it(host: Any, kind: str) -> None:
    import slicer.util
    from SlicerHost.hands import click, waitUntil

    volume, _labels = phantom()
    shear = np.eye(4)
    shear[1, 2], shear[1, 3] = 0.2, 0.2 * 330
    node = add_volume(volume)
    if kind == "sheared matrix":
        node.SetAndObserveTransformNodeID(linear_transform(shear).GetID())
    else:
        node.SetAndObserveTransformNodeID(bent_transform().GetID())
    widget, runner = open_panel(host)
    runner.labels = ellipsoids
    click(widget.ui.segmentButton)
    waitUntil(lambda: widget.runs.queue.current is None)
    image = runner.images[0]
    assert not image.is_sheared
    # a voxel of the body has its value at its true place, the sheared one
    inside = (shear @ world_matrix(volume) @ [45, 44, 18, 1])[:3]
    at = image.to_kji(RAS[:3, :3] @ inside).round().astype(int)
    assert abs(int(image.voxels[tuple(at)]) - int(volume.voxels[18, 44, 45])) <= 60
    corners = [(shear @ world_matrix(volume) @ [i, j, k, 1])[:3] for k in (0, 35) for j in (0, 59) for i in (0, 89)]
    for corner in corners:
        index = image.to_kji(RAS[:3, :3] @ corner)
        assert np.all(index > -0.51) and np.all(index < np.array(image.voxels.shape) - 0.49), "nothing is cut off"
    result = widget.results.result
    centre = np.array(result.segmentationNode.GetSegmentCenterRAS("kidney_left"))
    np.testing.assert_allclose(centre, (-66, -15, -330), atol=4)
    assert "straight grid" in widget.ui.flagsBrowser.plainText
    volume_ml = float(table_rows(result.table)[1]["volume_ml"])
    assert volume_ml == pytest.approx(4 / 3 * np.pi * 27 * 24 * 48 / 1000, rel=0.03)
    before = table_rows(result.table)
    slicer.util.updateSegmentBinaryLabelmapFromArray(
        np.zeros(image.voxels.shape, np.uint8), result.segmentationNode, "kidney_right", result.networkLabels
    )
    click(widget.ui.recomputeButton)
    assert table_rows(result.table) == before[1:]


def test_region_is_all_that_the_engine_gets_and_results_fit_the_whole(host: Any) -> None:
    import slicer
    from SlicerHost.hands import choose, click, waitUntil

    volume, labels = phantom(rotation=oblique())
    node = add_volume(volume)
    roi = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsROINode", "Box")
    centre = (world_matrix(volume) @ [66, 35, 18, 1])[:3]  # around the left kidney
    roi.SetCenter(*centre)
    roi.SetSize(90, 90, 112)
    widget, runner = open_panel(host)
    choose(widget.ui.regionSelector, "Box")

    def within(image: Volume) -> np.ndarray:
        start = volume.to_kji(np.array(image.origin)).round().astype(int)
        return labels[tuple(slice(a, a + n) for a, n in zip(start, image.voxels.shape, strict=True))]

    runner.labels = within
    click(widget.ui.segmentButton)
    waitUntil(lambda: widget.runs.queue.current is None)
    assert runner.images[0].voxels.size < volume.voxels.size / 3
    result = widget.results.result
    drawn = slicer.util.arrayFromSegmentBinaryLabelmap(result.segmentationNode, "kidney_left", node)
    np.testing.assert_array_equal(drawn > 0, labels == 2)
    whole, part = findings_of(volume, labels), findings_of(runner.images[0], within(runner.images[0]))
    first = volume.to_kji(np.array(runner.images[0].origin)).round().astype(int)
    assert first[0] >= 1, "slices of the region are counted from elsewhere"
    kidney = result.findings().kidneys[0]
    assert kidney.measures.axial_slice == part.kidneys[0].measures.axial_slice + first[0]
    assert kidney.measures.centroid_lps_mm == pytest.approx(whole.kidneys[1].measures.centroid_lps_mm, abs=0.02)
    assert "Only a region" in widget.ui.flagsBrowser.plainText
    roi.SetCenter(1000, 1000, 1000)
    widget.runs.update()
    assert not widget.ui.segmentButton.enabled
    assert "outside the volume" in widget.ui.segmentButton.toolTip


@pytest.mark.parametrize("dtype", ["float32", "float64", "uint16", "int32"])
def test_volumes_of_other_number_types(host: Any, dtype: str) -> None:
    volume, labels = phantom()
    voxels = np.clip(volume.voxels, 0, None) if dtype == "uint16" else volume.voxels
    widget = segmented(host, Volume(voxels.astype(dtype), volume.ijk_to_lps), labels)
    assert len(table_rows(widget.results.result.table)) == 4


def test_single_slice_needs_a_volume_of_one_slice(host: Any) -> None:
    from SlicerHost.hands import choose

    add_volume(phantom()[0])
    widget, _runner = open_panel(host)
    assert [widget.ui.taskComboBox.itemText(n) for n in range(widget.ui.taskComboBox.count)] == [
        "CT",
        "CT, single slice",
    ]
    choose(widget.ui.taskComboBox, "CT, single slice")
    assert not widget.ui.segmentButton.enabled
    assert "volume of one slice" in widget.ui.segmentButton.toolTip
    choose(widget.ui.taskComboBox, "CT")
    assert widget.ui.segmentButton.enabled
    assert "ct-kidney" in widget.ui.bundleComboBox.currentText


def test_single_slice_is_run_and_corrected_as_one(host: Any, tmp_path: Path) -> None:
    """With a bundle that only says that it is for slices: what the module gives and what it makes of the answer."""
    import json
    import shutil

    import slicer.util
    from SlicerHost.hands import choose, click, waitUntil

    from KidneySegLib.analysis.slice_findings import describe_slice
    from KidneySegLib.resources import resource_folder

    shutil.copytree(
        resource_folder() / "Models" / "ct-kidney", tmp_path / "mine", ignore=shutil.ignore_patterns("*.safetensors")
    )
    manifest = json.loads((tmp_path / "mine" / "bundle.json").read_text(encoding="utf-8"))
    manifest |= {"name": "mine", "task": "ct-slice"}
    (tmp_path / "mine" / "bundle.json").write_text(json.dumps(manifest), encoding="utf-8")
    volume, labels = phantom()
    one, drawn = Volume(volume.voxels[18:19], volume.ijk_to_lps), labels[18:19].copy()
    node = add_volume(one)
    widget, runner = open_panel(host, drawn)
    runner.findings = lambda image, found: describe_slice(
        image,
        found,
        thickness_mm=None,
        estimated_hu=False,
        flags=[],
        provenance=findings_of(image, found).provenance,
    )
    widget.ui.modelsFolderEdit.currentPath = str(tmp_path)
    choose(widget.ui.taskComboBox, "CT, single slice")
    click(widget.ui.segmentButton)
    waitUntil(lambda: widget.runs.queue.current is None)
    assert runner.jobs[0].task == "ct-slice" and runner.jobs[0].bundle == "mine"
    result = widget.results.result
    rows = table_rows(result.table)
    assert rows[0]["volume_ml"] == "", "a slice has no volume"
    assert float(rows[0]["axial_diameter_mm"]) == result.findings().to_dict()["kidneys"][0]["axial_diameter_mm"]
    assert widget.ui.summaryLabel.text.startswith("Right kidney, left kidney")
    mask = drawn == 1
    mask[:, :, :22] = False
    slicer.util.updateSegmentBinaryLabelmapFromArray(
        mask.astype(np.uint8), result.segmentationNode, "kidney_right", node
    )
    click(widget.ui.recomputeButton)
    again = table_rows(result.table)
    assert again[0]["volume_ml"] == "" and again[0]["length_mm"] == again[0]["axial_diameter_mm"]
    assert again[0]["axial_diameter_mm"] != rows[0]["axial_diameter_mm"]
    codes = [flag.code for flag in result.findings().flags]
    assert codes.count("single_slice") == 1 and codes.count("corrected_by_reader") == 1


def test_from_click_to_segments_in_two_seconds(host: Any) -> None:
    """All that the module itself does for 512 × 512 × 300 voxels; the engine's own time is not in it."""
    import time

    import slicer.util

    open_panel(host)
    from KidneySegWidgets.inputVolume import prepareVolume, writeNrrd
    from KidneySegWidgets.resultImport import importResult

    from KidneySegLib.reporting.label_files import write_nifti

    voxels = np.full((300, 512, 512), -1000, np.int16)
    labels = np.zeros(voxels.shape, np.uint8)
    labels[100:160, 200:280, 120:180], labels[100:160, 200:280, 320:380] = 1, 2
    matrix = np.diag([0.8, 0.8, 1.0, 1.0])
    volume = Volume(voxels, matrix)
    node = slicer.util.addVolumeFromArray(voxels, ijkToRAS=world_matrix(volume), name="large")
    folder = host.folder / "large"
    folder.mkdir()
    small = Volume(voxels[::10, ::16, ::16], np.diag([12.8, 12.8, 10.0, 1.0]))
    write_nifti(folder / "labels.nii.gz", volume, labels)
    findings = findings_of(small, labels[::10, ::16, ::16])
    (folder / "findings.json").write_text(findings.to_json(), encoding="utf-8")
    start = time.process_time()
    prepared = prepareVolume(node)
    writeNrrd(folder / "input.nrrd", prepared)
    importResult(folder, prepared, node)
    spent = time.process_time() - start
    (folder / "input.nrrd").unlink()
    assert spent < 2.0, f"{spent:.2f} s"
    print(f"{spent:.2f} s")
