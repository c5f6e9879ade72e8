"""Where a volume lies and what it is made of: transforms, gantry tilt, regions, number types, size."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from SlicerHost import availability

if availability.missing():
    pytest.skip(availability.missing(), allow_module_level=True)
pytest_plugins = ["SlicerHost.pytest_fixtures"]

from module_cases import RAS, add_volume, measure_now, open_panel, segmented, table_rows  # noqa: E402
from reporting_cases import findings_of, oblique, phantom  # noqa: E402
from result_cases import result_of  # noqa: E402

from KidneySegLib.volume import Volume  # noqa: E402


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
    measure_now(widget)
    assert table_rows(result.table) == before
    mask = labels == 2
    mask[:18] = False
    slicer.util.updateSegmentBinaryLabelmapFromArray(
        mask.astype(np.uint8), result.segmentationNode, "kidney_left", node
    )
    measure_now(widget)
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
    measure_now(widget)
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


def test_from_click_to_segments_in_two_seconds(host: Any) -> None:
    """All that the module itself does for 512 × 512 × 300 voxels; the engine's own time is not in it."""
    import time

    import slicer.util

    open_panel(host)
    from KidneySegWidgets.exam.inputVolume import prepareVolume, writeNrrd
    from KidneySegWidgets.result.resultImport import importResult

    from KidneySegLib.measuring.instance_map import instance_map
    from KidneySegLib.result_files.labels.files import write_nifti

    voxels = np.full((300, 512, 512), -1000, np.int16)
    labels = np.zeros(voxels.shape, np.uint8)
    labels[100:160, 200:280, 120:180], labels[100:160, 200:280, 320:380] = 1, 2
    matrix = np.diag([0.8, 0.8, 1.0, 1.0])
    volume = Volume(voxels, matrix)
    node = slicer.util.addVolumeFromArray(voxels, ijkToRAS=world_matrix(volume), name="large")
    folder = host.folder / "large"
    folder.mkdir()
    findings = findings_of(volume, labels)
    (folder / "findings.json").write_text(findings.to_json(), encoding="utf-8")
    write_nifti(folder / "labels.nii.gz", volume, labels)
    numbers = instance_map(result_of(volume, labels, findings).segmentation)
    write_nifti(folder / "instances.nii.gz", numbers, numbers.voxels)
    start = time.process_time()
    prepared = prepareVolume(node)
    writeNrrd(folder / "input.nrrd", prepared.voxels, prepared.ijkToLps)
    importResult(folder, prepared, node)
    spent = time.process_time() - start
    (folder / "input.nrrd").unlink()
    assert spent < 2.0, f"{spent:.2f} s"
    print(f"{spent:.2f} s")
