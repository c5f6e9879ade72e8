"""The host's scene: geometry, files, subject hierarchy and views as Slicer has them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from SlicerHost import availability

if availability.missing():
    pytest.skip(availability.missing(), allow_module_level=True)
pytest_plugins = ["SlicerHost.pytest_fixtures"]
pytestmark = pytest.mark.usefixtures("host")

_OBLIQUE = np.array([[0.8, -0.6, 0.0], [0.6, 0.8, 0.0], [0.0, 0.0, 1.0]])
_DIRECTIONS = {
    "straight": np.eye(3),
    "flipped in all axes": -np.eye(3),
    "flipped in x": np.diag([-1.0, 1.0, 1.0]),
    "coronal order": np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]]),
    "oblique": _OBLIQUE,
    "oblique and left-handed": _OBLIQUE @ np.diag([1.0, 1.0, -1.0]),
}


def ijk_to_ras(volume: Any) -> np.ndarray:
    import slicer.util
    import vtk

    matrix = vtk.vtkMatrix4x4()
    volume.GetIJKToRASMatrix(matrix)
    return slicer.util.arrayFromVTKMatrix(matrix)


@pytest.mark.parametrize("name", list(_DIRECTIONS))
def test_a_file_keeps_its_place_in_the_patient(tmp_path, name: str) -> None:
    """Every voxel is found at its point in the patient, though Slicer turns left-handed files over in (k, j, i)."""
    import slicer.util

    array = np.arange(2 * 3 * 4, dtype=np.int16).reshape(2, 3, 4)
    image = sitk.GetImageFromArray(array)
    image.SetSpacing((0.7, 0.8, 2.5))
    image.SetOrigin((10.0, -20.0, 30.0))
    image.SetDirection(_DIRECTIONS[name].ravel().tolist())
    path = tmp_path / "ct.nrrd"
    sitk.WriteImage(image, str(path))
    volume = slicer.util.loadVolume(str(path))
    assert volume.GetName() == "ct"
    found = slicer.util.arrayFromVolume(volume)
    assert np.linalg.det(ijk_to_ras(volume)) > 0
    for (k, j, i), value in np.ndenumerate(found):
        ras = ijk_to_ras(volume) @ [i, j, k, 1]
        assert value == image[image.TransformPhysicalPointToIndex((-ras[0], -ras[1], ras[2]))]
    assert np.array_equal(found, array) == (np.linalg.det(_DIRECTIONS[name]) > 0)


@pytest.mark.parametrize("name", ["flipped in all axes", "oblique and left-handed"])
def test_a_segment_lies_where_its_voxels_are(tmp_path, name: str) -> None:
    import slicer
    import slicer.util

    affine = np.eye(4)
    affine[:3, :3] = _DIRECTIONS[name] @ np.diag([0.7, 0.8, 2.5])
    affine[:3, 3] = (5.0, 6.0, 7.0)
    volume = slicer.util.addVolumeFromArray(np.zeros((6, 8, 10), np.int16), affine)
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode")
    node.CreateDefaultDisplayNodes()
    node.SetReferenceImageGeometryParameterFromVolumeNode(volume)
    mask = np.zeros((6, 8, 10), np.uint8)
    mask[1:3, 2:5, 6:9] = 1
    identifier = node.GetSegmentation().AddEmptySegment("left")
    slicer.util.updateSegmentBinaryLabelmapFromArray(mask, node, identifier, volume)
    assert np.array_equal(slicer.util.arrayFromSegmentBinaryLabelmap(node, identifier, volume), mask)
    assert node.GetSegmentCenterRAS(identifier) == pytest.approx((affine @ [7, 3, 1.5, 1])[:3], abs=2.5)
    path = tmp_path / "kidneys.seg.nrrd"
    assert slicer.util.saveNode(node, str(path))
    again = slicer.util.loadSegmentation(str(path))
    assert np.array_equal(slicer.util.arrayFromSegmentBinaryLabelmap(again, identifier, volume), mask)


def test_reading_what_is_not_there_is_an_error(tmp_path) -> None:
    import slicer.util

    with pytest.raises(RuntimeError, match="does not exist"):
        slicer.util.loadVolume(str(tmp_path / "missing.nii.gz"))


def test_tables_are_saved_and_read(tmp_path) -> None:
    import slicer
    import slicer.util

    table = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTableNode", "measures")
    slicer.util.updateTableFromArray(table, [np.array([151.5, 160.25])], ["volume_ml"])
    path = tmp_path / "measures.csv"
    assert slicer.util.saveNode(table, str(path))
    again = slicer.util.loadTable(str(path))
    assert again.GetCellText(1, 0) == "160.25"


def test_items_of_the_subject_hierarchy_come_and_go_with_their_nodes(host) -> None:
    import slicer

    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(host.scene)
    before = hierarchy.GetNumberOfItems()
    volume = host.scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "CT")
    item = hierarchy.GetItemByDataNode(volume)
    assert item != hierarchy.GetInvalidItemID()
    assert hierarchy.GetItemOwnerPluginName(item) == "Volumes"
    assert hierarchy.GetItemParent(item) == hierarchy.GetSceneItemID()
    host.scene.AddNewNodeByClass("vtkMRMLScriptedModuleNode")
    assert hierarchy.GetNumberOfItems() == before + 1
    host.scene.RemoveNode(volume)
    assert hierarchy.GetNumberOfItems() == before


def test_a_scene_comes_back_with_its_hierarchy(host, tmp_path) -> None:
    import slicer
    import slicer.util

    volume = slicer.util.addVolumeFromArray(np.full((3, 4, 5), 7, np.int16), name="CT")
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(host.scene)
    study = hierarchy.CreateStudyItem(hierarchy.GetSceneItemID(), "Study")
    hierarchy.SetItemParent(hierarchy.GetItemByDataNode(volume), study)
    path = tmp_path / "scene.mrb"
    assert slicer.util.saveScene(str(path))
    host.clearScene()
    slicer.util.loadScene(str(path))
    restored = slicer.util.getNode("CT")
    assert slicer.util.arrayFromVolume(restored).sum() == 7 * 60
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(host.scene)
    assert hierarchy.GetItemName(hierarchy.GetItemParent(hierarchy.GetItemByDataNode(restored))) == "Study"


def test_slice_views_show_and_fit_a_volume(host) -> None:
    import slicer.util

    affine = np.diag([-1.0, -1.0, 2.0, 1.0])
    affine[:3, 3] = (50.0, 60.0, -100.0)
    volume = slicer.util.addVolumeFromArray(np.zeros((40, 64, 64), np.int16), affine)
    slicer.util.setSliceViewerLayers(background=volume, fit=True)
    manager = slicer.app.layoutManager()
    assert set(manager.sliceViewNames()) == {"Red", "Green", "Yellow"}
    red = manager.sliceWidget("Red")
    assert red.mrmlSliceCompositeNode().GetBackgroundVolumeID() == volume.GetID()
    bounds = [0.0] * 6
    red.sliceLogic().GetSliceBounds(bounds)
    assert red.mrmlSliceNode().GetFieldOfView()[1] == pytest.approx(64, abs=1)
    red.sliceLogic().SetSliceOffset(-60.0)
    assert red.mrmlSliceNode().GetSliceToRAS().GetElement(2, 3) == pytest.approx(-60.0)


def test_slice_views_jump_to_a_point(host) -> None:
    import slicer

    slicer.vtkMRMLSliceNode.JumpAllSlices(host.scene, 12.0, -34.0, 56.0)
    manager = slicer.app.layoutManager()
    nodes = [manager.sliceWidget(name).mrmlSliceNode() for name in ("Yellow", "Green", "Red")]
    positions = [node.GetSliceToRAS().GetElement(axis, 3) for axis, node in enumerate(nodes)]
    assert positions == pytest.approx([12.0, -34.0, 56.0])
    assert host.scene.GetFirstNodeByClass("vtkMRMLCrosshairNode").GetCrosshairName() == "default"


def test_layouts_have_their_views() -> None:
    import slicer

    manager = slicer.app.layoutManager()
    manager.setLayout(slicer.vtkMRMLLayoutNode.SlicerLayoutOneUpRedSliceView)
    assert manager.sliceViewNames() == ["Red"]
    assert manager.threeDViewCount == 0
    manager.layout = slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView
    assert len(manager.sliceViewNames()) == 3
    assert manager.threeDWidget(0).threeDView().mrmlViewNode().IsA("vtkMRMLViewNode")


def test_own_terminology_is_read() -> None:
    import slicer

    path = Path(__file__).resolve().parents[3] / "Resources" / "Terminology" / "KidneySeg.term.json"
    logic = slicer.util.getModuleLogic("Terminologies")
    context = logic.LoadTerminologyFromFile(str(path))
    assert context
    assert logic.GetNumberOfCategoriesInTerminology(context) > 0


def test_dialogs_of_the_application_are_recorded(host) -> None:
    import slicer.util

    slicer.util.openAddDataDialog()
    assert [each.kind for each in host.dialogs.shown] == ["openAddDataDialog"]


def test_packages_are_checked_and_asked_for(host, tmp_path) -> None:
    import slicer.packaging

    requirements = tmp_path / "requirements.txt"
    requirements.write_text("# engine\nnumpy>=1.26\nmonai>=1.5\n", encoding="utf-8")
    wanted = slicer.packaging.load_requirements(requirements)
    assert slicer.packaging.pip_check(wanted)
    assert not slicer.packaging.pip_check("numpy>=99")
    slicer.packaging.pretendMissing("monai")
    host.dialogs.answer("Cancel")
    with pytest.raises(RuntimeError):
        slicer.packaging.pip_ensure(wanted, requester="KidneySeg")
    assert slicer.packaging.installRequests == []
    host.dialogs.answer("OK")
    slicer.packaging.pip_ensure(wanted, requester="KidneySeg")
    assert slicer.packaging.installRequests == [["monai>=1.5"]]
    assert "monai" in host.dialogs.texts()[-1]
    assert slicer.packaging.pip_check(wanted)


def test_console_processes_report_while_the_application_works(host) -> None:
    import sys

    import slicer.util
    from SlicerHost.hands import waitUntil

    lines: list[str] = []
    codes: list[int] = []
    slicer.util.launchConsoleProcess(
        [sys.executable, "-c", "print('one'); raise SystemExit(4)"],
        blocking=False,
        logCallback=lines.append,
        completedCallback=codes.append,
    )
    waitUntil(lambda: bool(codes), 60)
    assert (lines, codes) == (["one"], [4])
