"""What a reader does with a result: rows, corrections, export."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from SlicerHost import availability

if availability.missing():
    pytest.skip(availability.missing(), allow_module_level=True)
pytest_plugins = ["SlicerHost.pytest_fixtures"]

from module_cases import RAS, picture_folder, segment_tag, segmented, table_rows  # noqa: E402
from reporting_cases import oblique, phantom  # noqa: E402

from KidneySegLib.findings import Findings  # noqa: E402
from KidneySegLib.volume import read_image  # noqa: E402

ALGORITHM = "DICOM.SegmentAlgorithmType"


def click_row(widget: Any, row: int) -> None:
    """Clicks on a row of the table."""
    import qt
    from PySide6.QtTest import QTest

    view = widget.ui.tableView
    place = view.visualRect(view.model().index(row, 0)).center()
    QTest.mouseClick(view.viewport(), qt.Qt.LeftButton, qt.Qt.NoModifier, place)
    qt.QApplication.processEvents()


def write_segment(result: Any, identifier: str, mask: np.ndarray) -> None:
    """Edits a segment as Segment Editor's effects do, by its logic on the segment's label map."""
    import slicer.util

    slicer.util.updateSegmentBinaryLabelmapFromArray(
        mask.astype(np.uint8), result.segmentationNode, identifier, result.volume
    )


@pytest.mark.parametrize("rotation", [None, oblique()], ids=["straight", "oblique"])
def test_row_centres_the_views_and_draws_the_diameter(host: Any, rotation: Any) -> None:
    import slicer

    volume, labels = phantom(rotation=rotation)
    widget = segmented(host, volume, labels)
    click_row(widget, 2)
    result = widget.results.result
    mass = result.findings().lesions[0]
    ends = np.array(
        [RAS[:3, :3] @ point for point in (mass.measures.axial_start_lps_mm, mass.measures.axial_end_lps_mm)]
    )
    drawn = [np.zeros(3), np.zeros(3)]
    for number, point in enumerate(drawn):
        result.line.GetNthControlPointPositionWorld(number, point)
    np.testing.assert_allclose(drawn, ends, atol=1e-3)
    assert result.line.GetMeasurement("length").GetValue() == pytest.approx(mass.measures.axial_diameter_mm, abs=0.02)
    assert result.line.GetName() == f"M1: {mass.measures.axial_diameter_mm:.1f} mm"
    assert result.line.GetDisplayVisibility() and result.line.GetLocked()
    middle = ends.mean(axis=0)
    for name in ("Red", "Yellow", "Green"):
        view = slicer.app.layoutManager().sliceWidget(name).mrmlSliceNode().GetSliceToRAS()
        assert [view.GetElement(axis, 3) for axis in range(3)] == pytest.approx(middle, abs=0.1), name
    inside = (np.linalg.inv(RAS @ volume.ijk_to_lps) @ [*middle, 1])[:3].round().astype(int)
    assert labels[tuple(inside[::-1])] == 3


def test_stone_without_a_length_has_a_place_but_no_line(host: Any) -> None:
    import slicer

    widget = segmented(host)
    click_row(widget, 2)
    click_row(widget, 3)
    result = widget.results.result
    stone = result.findings().stones[0]
    assert stone.length_mm is None
    assert not result.line.GetDisplayVisibility()
    offset = slicer.app.layoutManager().sliceWidget("Red").sliceLogic().GetSliceOffset()
    assert offset == pytest.approx(stone.measures.centroid_lps_mm[2], abs=0.1)


def test_correction_is_measured_marked_and_told(host: Any) -> None:
    from SlicerHost.hands import waitUntil

    volume, labels = phantom()
    widget = segmented(host, volume, labels)
    result = widget.results.result
    before = table_rows(result.table)
    corrected = labels == 1
    corrected[:18] = False  # the reader takes the lower half away
    write_segment(result, "kidney_right", corrected)
    assert widget.correction.isStale
    waitUntil(lambda: not widget.correction.isStale, 10)
    rows = table_rows(result.table)
    assert float(rows[0]["volume_ml"]) == pytest.approx(corrected.sum() * volume.voxel_volume / 1000, abs=1e-3)
    assert rows[1] == before[1], "the other kidney is as it was"
    expected = 2 * corrected.sum() / (corrected.sum() + (labels == 1).sum())
    findings = result.findings()
    assert findings.provenance.settings["corrected_by_reader"] == {"kidney_right": pytest.approx(expected, abs=1e-4)}
    told = [flag.message for flag in findings.flags if flag.code == "corrected_by_reader"]
    assert len(told) == 1 and f"{expected:.3f}" in told[0]
    assert told[0] in widget.ui.flagsBrowser.plainText
    assert "Right kidney" in widget.ui.correctionLabel.text
    segmentation = result.segmentationNode.GetSegmentation()
    assert segment_tag(segmentation.GetSegment("kidney_right"), ALGORITHM) == "SEMIAUTOMATIC"
    assert segment_tag(segmentation.GetSegment("kidney_left"), ALGORITHM) == "AUTOMATIC"


def test_flags_do_not_pile_up_with_each_correction(host: Any) -> None:
    from SlicerHost.hands import click

    _volume, labels = phantom()
    widget = segmented(host)
    result = widget.results.result
    codes = sorted(flag.code for flag in result.findings().flags)
    for start in (14, 16, 18):
        mask = labels == 1
        mask[:start] = False
        write_segment(result, "kidney_right", mask)
        click(widget.ui.recomputeButton)
    again = [flag.code for flag in result.findings().flags]
    assert again.count("corrected_by_reader") == 1
    assert len(again) == len(set(again))
    assert set(codes) <= set(again)


def test_without_automatic_measuring_the_table_waits_for_the_button(host: Any) -> None:
    from SlicerHost.hands import click, waitUntil

    _volume, labels = phantom()
    widget = segmented(host)
    result = widget.results.result
    before = table_rows(result.table)
    click(widget.ui.recomputeCheckBox)
    assert widget.logic.getParameterNode().recomputeAutomatically is False
    write_segment(result, "kidney_left", (labels == 2) & (np.arange(36)[:, None, None] > 15))
    with pytest.raises(TimeoutError):
        waitUntil(lambda: table_rows(result.table) != before, 2)
    assert "of before" in widget.ui.correctionLabel.text
    click(widget.ui.recomputeButton)
    assert table_rows(result.table) != before


def test_reset_brings_the_network_result_back(host: Any) -> None:
    import slicer.util
    from SlicerHost.hands import click

    _volume, labels = phantom()
    widget = segmented(host)
    result = widget.results.result
    before = table_rows(result.table)
    write_segment(result, "kidney_left", np.zeros_like(labels))
    result.segmentationNode.GetSegmentation().RemoveSegment("mass")
    click(widget.ui.recomputeButton)
    assert [row["id"] for row in table_rows(result.table)] == ["R", "S1"]
    host.dialogs.answer("No")
    click(widget.ui.resetButton)
    assert [row["id"] for row in table_rows(result.table)] == ["R", "S1"]
    host.dialogs.answer("Yes")
    click(widget.ui.resetButton)
    assert table_rows(result.table) == before
    for identifier, label in (("kidney_left", 2), ("mass", 3)):
        drawn = slicer.util.arrayFromSegmentBinaryLabelmap(result.segmentationNode, identifier, result.volume)
        np.testing.assert_array_equal(drawn > 0, labels == label)
    assert result.findings() == result.networkFindings()
    assert widget.ui.correctionLabel.text == "As the network drew it."


def two_masses() -> tuple[Any, np.ndarray]:
    """A phantom whose left kidney has a mass at each pole; the engine calls them M1 (upper) and M2."""
    volume, labels = phantom()
    labels[labels == 3] = 2
    k, j, i = np.indices(labels.shape)
    for height in (10, 26):
        labels[(k - height) ** 2 + (j - 35) ** 2 + (i - 70) ** 2 <= 16] = 3
    return volume, labels


def test_removed_lesion_leaves_the_others_their_names(host: Any) -> None:
    from SlicerHost.hands import click

    volume, labels = two_masses()
    widget = segmented(host, volume, labels)
    result = widget.results.result
    lower = next(lesion for lesion in result.findings().lesions if lesion.id == "M2")
    mask = labels == 3
    mask[18:] = False  # M1, the upper one, goes
    write_segment(result, "mass", mask)
    click(widget.ui.recomputeButton)
    assert [lesion.id for lesion in result.findings().lesions] == ["M2"]
    assert result.findings().lesions[0].measures.centroid_lps_mm == pytest.approx(
        lower.measures.centroid_lps_mm, abs=0.01
    )
    assert "M2" in [row["id"] for row in table_rows(result.table)]


def test_split_and_new_lesions_keep_names_through_several_corrections(host: Any) -> None:
    from SlicerHost.hands import click

    volume, labels = two_masses()
    widget = segmented(host, volume, labels)
    result = widget.results.result
    mask = labels == 3
    mask[25, :, :] = False  # M1 falls into a smaller lower and a larger upper piece
    mask[16:20, 30:34, 20:24] = True  # and the reader draws one in the right kidney
    write_segment(result, "mass", mask)
    click(widget.ui.recomputeButton)
    first = {lesion.id: lesion.measures.centroid_lps_mm for lesion in result.findings().lesions}
    assert sorted(first) == ["M1", "M2", "M3", "M4"]
    by_side = {lesion.id: lesion.side.value for lesion in result.findings().lesions}
    assert [name for name, side in by_side.items() if side == "right"] in (["M3"], ["M4"])
    mask[16, 30:34, 20:24] = False
    write_segment(result, "mass", mask)
    click(widget.ui.recomputeButton)
    second = {lesion.id: lesion.measures.centroid_lps_mm for lesion in result.findings().lesions}
    assert first.keys() == second.keys()
    for name, place in first.items():
        assert np.linalg.norm(np.subtract(place, second[name])) < 3, name


def test_segment_that_islands_made_counts_by_its_terminology(host: Any) -> None:
    import slicer
    from SlicerHost.hands import click

    volume, labels = two_masses()
    widget = segmented(host, volume, labels)
    result = widget.results.result
    segmentation = result.segmentationNode.GetSegmentation()
    original = segmentation.GetSegment("mass")
    piece = slicer.vtkSegment()
    piece.DeepCopyMetadata(original) if hasattr(piece, "DeepCopyMetadata") else piece.DeepCopy(original)
    piece.RemoveAllRepresentations() if hasattr(piece, "RemoveAllRepresentations") else None
    segmentation.AddSegment(piece, "Segment_1")
    upper, lower = labels == 3, labels == 3
    upper, lower = upper.copy(), lower.copy()
    upper[:18], lower[18:] = False, False
    write_segment(result, "mass", lower)
    write_segment(result, "Segment_1", upper)
    click(widget.ui.recomputeButton)
    assert [lesion.id for lesion in result.findings().lesions] == ["M1", "M2"]
    assert "corrected_by_reader" not in result.findings().provenance.settings, (
        "nothing changed but the segments' number"
    )


def test_edit_opens_segment_editor_on_this_result(host: Any) -> None:
    import slicer
    from SlicerHost.hands import click

    widget = segmented(host)
    result = widget.results.result
    click(widget.ui.editButton)
    editor = slicer.modules.segmenteditor.widgetRepresentation().self().editor
    assert editor.segmentationNode() is result.segmentationNode
    assert editor.sourceVolumeNode() is result.volume


def test_surfaces_on_demand(host: Any) -> None:
    from SlicerHost.hands import click

    widget = segmented(host)
    segmentation = widget.results.result.segmentationNode.GetSegmentation()
    assert not segmentation.ContainsRepresentation("Closed surface"), "making them takes time"
    click(widget.ui.show3DCheckBox)
    surface = segmentation.GetSegment("kidney_left").GetRepresentation("Closed surface")
    assert surface.GetNumberOfPoints() > 500
    click(widget.ui.show3DCheckBox)
    assert not segmentation.ContainsRepresentation("Closed surface")


def test_export_writes_what_is_seen(host: Any, tmp_path: Path) -> None:
    from SlicerHost.hands import click

    volume, labels = phantom(rotation=oblique())
    widget = segmented(host, volume, labels)
    mask = labels == 1
    mask[:18] = False
    write_segment(widget.results.result, "kidney_right", mask)
    widget.ui.exportSection.collapsed = False
    widget.ui.exportFolderButton.directory = str(tmp_path)
    host.app.processEvents()
    click(widget.ui.exportButton)
    folder = tmp_path / "KidneySeg_1"
    assert "KidneySeg_1" in host.dialogs.texts()[0]
    exported = read_image(folder / "labels.nii.gz")
    expected = labels.copy()
    expected[:18][labels[:18] == 1] = 0
    np.testing.assert_array_equal(exported.voxels, expected)
    np.testing.assert_allclose(exported.ijk_to_lps, volume.ijk_to_lps, atol=1e-3)
    findings = Findings.from_json((folder / "findings.json").read_text(encoding="utf-8"))
    right_ml = (expected == 1).sum() * volume.voxel_volume / 1000
    assert findings.kidneys[0].measures.volume_ml == pytest.approx(right_ml, abs=1e-3), "measured again before writing"
    assert findings == widget.results.result.findings()
    with (folder / "measurements.csv").open(encoding="utf-8") as file:
        written = [row["volume_ml"] for row in csv.DictReader(file)]
    shown = [row["volume_ml"] for row in table_rows(widget.results.result.table)]
    assert [float(value) for value in written if value] == [float(value) for value in shown if value]
    click(widget.ui.exportButton)
    assert (tmp_path / "KidneySeg_2" / "overview.png").is_file(), "nothing is overwritten"


def test_training_case_holds_image_and_labels_by_name_and_no_patient(host: Any, tmp_path: Path) -> None:
    from SlicerHost.hands import click

    volume, labels = phantom(rotation=oblique())
    widget = segmented(host, volume, labels)
    widget.results.result.volume.SetName("Doe^John")
    widget.results.result.volume.SetAttribute("DICOM.instanceUIDs", "1.2.3.4")
    widget.ui.exportSection.collapsed = False
    widget.ui.exportFolderButton.directory = str(tmp_path)
    host.app.processEvents()
    click(widget.ui.exportTrainingButton)
    assert "Nothing was corrected" in host.dialogs.texts()[0]
    assert list(tmp_path.iterdir()) == []
    mask = labels == 2
    mask[:18] = False
    write_segment(widget.results.result, "kidney_left", mask)
    click(widget.ui.exportTrainingButton)
    (case,) = tmp_path.iterdir()
    image, mask_file = read_image(case / "image.nii.gz"), read_image(case / "mask.nii.gz")
    np.testing.assert_array_equal(image.voxels, volume.voxels)
    np.testing.assert_allclose(mask_file.ijk_to_lps, image.ijk_to_lps, atol=1e-4)
    named = json.loads((case / "labels.json").read_text(encoding="utf-8"))
    np.testing.assert_array_equal(mask_file.voxels == named["labels"]["kidney_left"], mask)
    assert set(named["present"]) == {"kidney_right", "kidney_left", "mass", "stone"}
    assert set(named["corrected_by_reader"]) == {"kidney_left"}
    for path in (case, *case.iterdir()):
        content = path.read_bytes() if path.is_file() else b""
        assert b"Doe" not in content and "Doe" not in path.name and b"1.2.3.4" not in content


def test_pictures_of_views(host: Any, drawing: None, tmp_path: Path) -> None:
    import slicer
    from SlicerHost.hands import click
    from SlicerHost.pictures import slicePicture, threeDPicture

    widget = segmented(host)
    composite = slicer.app.layoutManager().sliceWidget("Red").mrmlSliceCompositeNode()
    composite.SetBackgroundVolumeID(widget.results.result.volume.GetID())
    click_row(widget, 2)
    folder = picture_folder(tmp_path)
    height = slicer.app.layoutManager().sliceWidget("Red").sliceLogic().GetSliceOffset()
    flat = slicePicture(folder / "slice.png", "Red", height).astype(int)
    yellow = (flat[..., 0] > 180) & (flat[..., 1] > 150) & (flat[..., 2] < 120)
    assert yellow.sum() > 15, "the diameter line is drawn"
    pink = (flat[..., 0] - flat[..., 1] > 20) & (flat[..., 2] - flat[..., 1] > 12)
    assert pink.sum() > 20, "the mass is drawn in its colour"
    reddish = ((flat[..., 0] - flat[..., 2] > 20) & (flat[..., 0] < 190)).nonzero()[1]  # not the yellow line
    greenish = (flat[..., 1] - flat[..., 0] > 10).nonzero()[1]
    assert reddish.size and greenish.size
    assert np.median(reddish) < np.median(greenish), "the patient's right is on the picture's left"
    click(widget.ui.show3DCheckBox)
    solid = threeDPicture(folder / "surfaces.png").astype(int)
    assert ((solid[..., 1] - solid[..., 0]) > 20).sum() > 500
