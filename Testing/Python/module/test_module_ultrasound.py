"""An ultrasound image in the panel: outline, length, table, correction and DICOM, in millimetres or in pixels."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from SlicerHost import availability

if availability.missing():
    pytest.skip(availability.missing(), allow_module_level=True)
pytest_plugins = ["SlicerHost.pytest_fixtures"]

import pydicom  # noqa: E402
import ultrasound_cases as us  # noqa: E402
from module_cases import click_row, table_rows, write_segment  # noqa: E402
from module_ultrasound_cases import Database, load, opened, segment  # noqa: E402

from KidneySegLib.findings import Findings  # noqa: E402
from KidneySegLib.result_files.result import Result  # noqa: E402


@pytest.fixture
def imported(host: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Returns what puts an image into Slicer's DICOM database."""
    import slicer

    def put(pixels: np.ndarray, regions: Sequence[Any] | None = None, **attributes: Any) -> Database:
        database = Database(us.write(tmp_path, pixels, regions, **attributes))
        monkeypatch.setattr(slicer, "dicomDatabase", database, raising=False)
        return database

    return put


@pytest.fixture
def calibrated(host: Any, imported: Any) -> Any:
    """The panel with the result of an image that states its pixel size, all selectors at their defaults."""
    load(us.frame()[None], imported(us.frame(), [us.region()], Laterality="R"))
    return segment(opened(host))


def rows(widget: Any) -> list[dict[str, str]]:
    return table_rows(widget.results.result.table)


def test_it_is_measured_in_millimetres_as_its_file_says(calibrated: Any) -> None:
    import qt
    from KidneySegWidgets.result.correctedLabels import currentLabels
    from SlicerHost.hands import click

    ui, result = calibrated.ui, calibrated.results.result
    assert (calibrated.runs.queue._runner.jobs[0].task, ui.bundleComboBox.currentData) == ("ultrasound", "us-kidney")
    np.testing.assert_array_equal(currentLabels(result), us.ellipse()[None] * 1)
    (row,) = rows(calibrated)
    assert (row["id"], row["side"], row["structure"]) == ("R", "R", "Kidney")
    assert float(row["length_mm"]) == pytest.approx(us.LENGTH_MM, abs=2)
    assert float(row["width_mm"]) == pytest.approx(us.WIDTH_MM, abs=2) and "length_px" not in row
    titles = [ui.tableView.model().headerData(n, qt.Qt.Horizontal) for n in range(len(row))]
    assert "Length (mm)" in titles and "HU" not in titles
    assert ui.summaryLabel.text.startswith("Right kidney: length 9") and "mm" in ui.summaryLabel.text
    assert not ui.show3DButton.isVisible(), "a plane has no surface"
    assert not ui.phaseLabel.isVisible() and not ui.rejectLesionButton.isVisible(), "there are no lesions"
    click(ui.copyTextButton)
    assert "length 9" in qt.QApplication.clipboard().text()


def test_a_row_draws_the_length_with_the_number_of_the_table(calibrated: Any) -> None:
    """Slicer's own measure of the lines would take a pixel for a millimetre."""
    import slicer

    click_row(calibrated, 0)
    result, (row,) = calibrated.results.result, rows(calibrated)
    places = ([[100, 120, 0], [220, 120, 0]], [[160, 90, 0], [160, 150, 0]])
    for line, place, label in zip(result.lines, places, ("R {length_mm} mm", "{width_mm} mm"), strict=True):
        ends = np.array([line.GetNthControlPointPosition(n) for n in range(2)])
        placed = sorted(((ends - (30, -20, 5)) @ np.diag([-1.0, -1.0, 1.0])).tolist())
        np.testing.assert_allclose(placed, place, atol=2.5)
        assert line.GetNthControlPointLabel(0) == label.format(**row)
        display = line.GetDisplayNode()
        assert display.GetPointLabelsVisibility() and not display.GetPropertiesLabelVisibility()
    red = slicer.app.layoutManager().sliceWidget("Red").sliceLogic()
    assert red.GetSliceNode().GetSliceToRAS().GetElement(2, 3) == pytest.approx(5)
    volume = calibrated.results.result.volume
    assert red.GetSliceCompositeNode().GetBackgroundVolumeID() == volume.GetID()
    assert volume.GetAttribute("KidneySeg.WindowSet") is None, "a window in HU means nothing here"


def test_without_a_pixel_size_all_is_in_pixels(host: Any, imported: Any) -> None:
    load(us.frame()[None], imported(us.frame()))
    widget = segment(opened(host))
    (row,) = rows(widget)
    assert row["id"] == "K" and float(row["length_px"]) == pytest.approx(120, abs=3) and "length_mm" not in row
    remarks = widget.ui.flagsBrowser.plainText
    assert "in pixels" in remarks and "mm" not in widget.ui.summaryLabel.text
    assert "'Pixel size' (above)" in remarks and "--" not in remarks, "no option of the command line"
    click_row(widget, 0)
    assert widget.results.result.line.GetNthControlPointLabel(0) == f"K {row['length_px']} pixels"


@pytest.mark.parametrize("coloured", [False, True])
def test_a_picture_is_measured_in_pixels(host: Any, coloured: bool) -> None:
    from SlicerHost.hands import choose

    picture = us.frame()[None]
    load(us.coloured(picture) if coloured else picture, name="picture")
    widget = opened(host)
    choose(widget.ui.inputSelector, "picture")
    choose(widget.ui.taskComboBox, "Ultrasound")
    segment(widget)
    assert widget.runs.queue._runner.jobs[0].image == "input.png"
    assert float(rows(widget)[0]["length_px"]) == pytest.approx(120, abs=3)


def test_a_pixel_size_that_the_reader_knows_counts_for_this_image_only(host: Any, imported: Any) -> None:
    from SlicerHost.hands import choose, waitUntil, write

    load(us.frame()[None], imported(us.frame()))
    other = load(us.frame(seed=1)[None], name="other")
    widget = opened(host)
    assert not widget.ui.pixelSizeSpinBox.isVisible(), "the other image may be a CT"
    choose(widget.ui.inputSelector, "us")
    write(widget.ui.pixelSizeSpinBox, "0.5", enter=True)
    segment(widget)
    assert widget.runs.queue._runner.jobs[0].arguments()[-2:] == ["--pixel-mm", "0.5"]
    assert float(rows(widget)[0]["length_mm"]) == pytest.approx(60, abs=2)
    half = us.ellipse()[None] & (np.indices((1, us.ROWS, us.COLUMNS))[2] < 160)
    write_segment(widget.results.result, "kidney", half)
    waitUntil(lambda: not widget.correction.isStale, 30)
    assert float(rows(widget)[0]["length_mm"]) == pytest.approx(0.5 * np.hypot(60, 30), abs=2)
    widget.logic.getParameterNode().inputVolume = other
    choose(widget.ui.taskComboBox, "Ultrasound")
    assert widget.ui.pixelSizeSpinBox.isVisible() and widget.ui.pixelSizeSpinBox.value == 0


def test_a_coloured_image_of_the_database_is_chosen_by_itself(host: Any, imported: Any) -> None:
    colours = us.coloured(us.frame())
    load(us.frame()[None], name="older")
    load(colours[None], imported(colours, [us.region()]), name="coloured")
    widget = opened(host)
    assert widget.ui.inputSelector.currentNode().GetName() == "coloured"
    assert float(rows(segment(widget))[0]["length_mm"]) == pytest.approx(us.LENGTH_MM, abs=2)


def test_a_corrected_outline_is_measured_again_and_reset(calibrated: Any, host: Any) -> None:
    from SlicerHost.hands import click, waitUntil

    half = us.ellipse()[None] & (np.indices((1, us.ROWS, us.COLUMNS))[2] < 160)
    write_segment(calibrated.results.result, "kidney_right", half)
    waitUntil(lambda: not calibrated.correction.isStale, 30)
    assert float(rows(calibrated)[0]["length_mm"]) == pytest.approx(0.8 * np.hypot(60, 30), abs=2)
    assert "Right kidney" in calibrated.ui.correctionLabel.text
    host.dialogs.answer("Yes")
    click(calibrated.ui.resetButton)
    assert float(rows(calibrated)[0]["length_mm"]) == pytest.approx(us.LENGTH_MM, abs=2)


def test_export_holds_segmentation_and_report_of_the_image(calibrated: Any, tmp_path: Path) -> None:
    from SlicerHost.hands import click, waitUntil

    ui = calibrated.ui
    ui.exportSection.collapsed = False
    ui.exportFolderButton.directory = str(tmp_path / "exports")
    for box in (ui.exportReportCheckBox, ui.exportDicomCheckBox):
        box.checked = True
    (tmp_path / "exports").mkdir()
    click(ui.exportButton)
    waitUntil(lambda: not calibrated.exports.isWriting, 120)
    (folder,) = (tmp_path / "exports").iterdir()
    segmentation, report = (pydicom.dcmread(folder / name) for name in ("segmentation.seg.dcm", "measurements.sr.dcm"))
    image = pydicom.dcmread(tmp_path / "image.dcm")
    (series,) = segmentation.ReferencedSeriesSequence
    assert series.SeriesInstanceUID == image.SeriesInstanceUID
    assert [item.ReferencedSOPInstanceUID for item in series.ReferencedInstanceSequence] == [image.SOPInstanceUID]
    frame = segmentation.pixel_array.reshape(us.ROWS, us.COLUMNS)
    np.testing.assert_array_equal(frame > 0, us.ellipse())
    read = Result.read(folder)
    length = read.findings.views[0].measures.length_mm
    assert length == pytest.approx(us.LENGTH_MM, abs=2)
    assert f"{length:.2f}" in str(report) or f"{length:.1f}" in str(report)
    assert "report.pdf" in {path.name for path in folder.iterdir()}


def test_no_case_for_training_is_made_of_it(calibrated: Any, host: Any) -> None:
    from SlicerHost.hands import click

    calibrated.ui.exportSection.collapsed = False
    host.app.processEvents()
    click(calibrated.ui.exportTrainingButton)
    assert "made of CT" in host.dialogs.texts()[-1]


def test_it_comes_back_with_the_scene(calibrated: Any, host: Any, tmp_path: Path) -> None:
    import slicer.util
    from SlicerHost.hands import waitUntil

    table = rows(calibrated)
    assert slicer.util.saveScene(str(tmp_path / "scene.mrb"))
    host.clearScene()
    slicer.util.loadScene(str(tmp_path / "scene.mrb"))
    host.app.processEvents()
    assert rows(calibrated) == table and not calibrated.ui.phaseLabel.isVisible()
    half = us.ellipse()[None] & (np.indices((1, us.ROWS, us.COLUMNS))[2] < 160)
    write_segment(calibrated.results.result, "kidney_right", half)
    waitUntil(lambda: not calibrated.correction.isStale, 30)
    assert float(rows(calibrated)[0]["length_mm"]) < us.LENGTH_MM - 20


def test_a_volume_that_is_not_its_image_any_more_is_told(host: Any, imported: Any) -> None:
    from SlicerHost.hands import waitUntil

    load(us.frame()[None][:, 10:], imported(us.frame(), [us.region()]))
    widget = segment(opened(host))
    assert widget.results.result is None
    waitUntil(lambda: host.dialogs.texts() != [])
    assert "cropped" in host.dialogs.texts()[-1]


def test_a_file_that_is_gone_is_told(host: Any, imported: Any) -> None:
    from SlicerHost.hands import waitUntil

    database = imported(us.frame(), [us.region()])
    load(us.frame()[None], database)
    widget = opened(host)
    database.file.unlink()
    segment(widget)
    waitUntil(lambda: host.dialogs.texts() != [])
    assert widget.results.result is None and "no longer in Slicer's DICOM database" in host.dialogs.texts()[-1]


def test_a_loop_that_is_a_volume_of_frames_shows_the_frame_that_was_measured(host: Any, imported: Any) -> None:
    import slicer

    lengths = (40, 55, 60, 50)
    loop = np.stack([us.frame(us.ellipse(radii=(24, length)), seed=n) for n, length in enumerate(lengths)])
    load(loop, imported(loop, [us.region()]))
    widget = segment(opened(host))
    (row,) = rows(widget)
    assert row["frame"] == "3" and float(row["length_mm"]) == pytest.approx(96, abs=2)
    click_row(widget, 0)
    red = slicer.app.layoutManager().sliceWidget("Red").sliceLogic().GetSliceNode()
    assert red.GetSliceToRAS().GetElement(2, 3) == pytest.approx(5 + 2)
    assert len(Findings.from_json(widget.results.result.findingsText).views[0].frames) == 4


def test_a_loop_that_slicer_plays_as_a_sequence_is_measured_in_a_volume_of_its_frames(host: Any, imported: Any) -> None:
    import slicer
    import slicer.util
    from SlicerHost.hands import choose

    loop = np.stack([us.frame(us.ellipse(radii=(24, length)), seed=n) for n, length in enumerate((40, 60, 50))])
    load(us.coloured(loop)[:1], imported(us.coloured(loop), [us.region()]), name="loop")
    widget = segment(opened(host))
    volume = widget.results.result.volume
    np.testing.assert_array_equal(slicer.util.arrayFromVolume(volume), loop)
    assert volume.GetName() == "loop frames" and widget.ui.inputSelector.currentNode() is volume
    (row,) = rows(widget)
    assert row["frame"] == "2" and float(row["length_mm"]) == pytest.approx(96, abs=2)
    click_row(widget, 0)
    red = slicer.app.layoutManager().sliceWidget("Red").sliceLogic()
    assert red.GetSliceNode().GetSliceToRAS().GetElement(2, 3) == pytest.approx(1)
    assert red.GetSliceCompositeNode().GetBackgroundVolumeID() == volume.GetID()
    choose(widget.ui.inputSelector, "loop")
    segment(widget)
    assert widget.results.result.volume is volume, "there is one already"


def test_its_outline_does_not_lie_on_another_image_of_the_same_study(calibrated: Any) -> None:
    """Another phase of a CT lies where the first lies; another ultrasound image shows another plane."""
    import slicer
    import slicer.util

    result = calibrated.results.result
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    study = hierarchy.CreateStudyItem(hierarchy.GetSceneItemID(), "ultrasound")
    other = load(us.frame(seed=1)[None], name="other")
    for node in (other, result.volume):
        item = hierarchy.GetItemByDataNode(node) or hierarchy.CreateItem(study, node)
        hierarchy.SetItemParent(item, study)
    click_row(calibrated, 0)
    displays = [node.GetDisplayNode() for node in (result.segmentationNode, *result.lines)]
    assert all(display.GetVisibility2D() for display in displays)
    slicer.util.setSliceViewerLayers(background=other)
    assert not any(display.GetVisibility2D() for display in displays)
    click_row(calibrated, 0)
    assert all(display.GetVisibility2D() for display in displays)


def test_what_does_not_fit_says_so_before_a_run(host: Any, imported: Any) -> None:
    import slicer
    from SlicerHost.hands import choose

    node = load(us.frame()[None], imported(us.frame(), [us.region()]))
    widget = opened(host)
    assert widget.ui.segmentButton.enabled
    choose(widget.ui.taskComboBox, "CT, single slice")
    assert not widget.ui.segmentButton.enabled and "Choose the task Ultrasound" in widget.ui.statusLabel.text
    choose(widget.ui.taskComboBox, "Ultrasound")
    region = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsROINode")
    widget.logic.getParameterNode().region = region
    assert not widget.ui.segmentButton.enabled and "Choose no region" in widget.ui.statusLabel.text
    widget.logic.getParameterNode().region = None
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    hierarchy.SetItemAttribute(hierarchy.GetItemByDataNode(node), "DICOM.Modality", "MR")
    widget._update()
    assert not widget.ui.segmentButton.enabled and "MR" in widget.ui.statusLabel.text


def test_clicks_are_not_answered_on_it(calibrated: Any) -> None:
    from SlicerHost.hands import press

    press("a")
    assert not calibrated.ui.addLesionButton.checked, "nothing can be added by a click"
    from KidneySegWidgets.worklist.readerClick import ReaderClick, clickQuestion

    with pytest.raises(Exception, match="on CT only"):
        clickQuestion(ReaderClick(np.zeros((1, 3)), "kidney_right", True))(calibrated.results.result)
