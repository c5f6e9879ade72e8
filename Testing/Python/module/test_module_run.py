"""The straight way through the module's panel: choose a volume, click Segment, see segments and table."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from SlicerHost import availability

if availability.missing():
    pytest.skip(availability.missing(), allow_module_level=True)
pytest_plugins = ["SlicerHost.pytest_fixtures"]

from module_cases import RAS, add_volume, open_panel, picture_folder, segment_tag, segmented, table_rows  # noqa: E402
from reporting_cases import findings_of, oblique, phantom  # noqa: E402

from KidneySegLib.result_files.labels.terminology import OWN_CONTEXT  # noqa: E402
from KidneySegLib.volume import Volume  # noqa: E402


def test_nothing_can_start_without_a_volume_and_the_panel_says_so(host: Any) -> None:
    widget, _runner = open_panel(host)
    assert not widget.ui.segmentButton.enabled
    assert "Choose a volume" in widget.ui.statusLabel.text
    for name in ("tableView", "editButton", "exportSection", "progressBar", "queueList"):
        assert not getattr(widget.ui, name).isVisible(), f"{name} is of no use yet"
    add_volume(phantom()[0])
    host.app.processEvents()
    assert widget.ui.segmentButton.enabled, "the volume that comes is chosen"
    assert widget.ui.inputSelector.currentNode().GetName() == "ct"


def test_click_makes_segments_with_names_colours_and_terminology(host: Any) -> None:
    import slicer

    widget = segmented(host)
    node = widget.results.result.segmentationNode
    segmentation = node.GetSegmentation()
    assert list(segmentation.GetSegmentIDs()) == ["kidney_right", "kidney_left", "mass", "stone"]
    left = segmentation.GetSegment("kidney_left")
    assert left.GetName() == "Left kidney"
    assert left.GetColor() == pytest.approx((150 / 255, 214 / 255, 244 / 255), abs=1e-3)
    terminology = segment_tag(left, left.GetTerminologyEntryTagName())
    assert "SCT^64033007^Kidney~SCT^7771000^Left" in terminology
    assert segment_tag(left, "DICOM.SegmentAlgorithmType") == "AUTOMATIC"
    entry = slicer.vtkSlicerTerminologyEntry()
    assert slicer.modules.terminologies.logic().DeserializeTerminologyEntry(terminology, entry)
    assert entry.GetTypeModifierObject().GetCodeMeaning() == "Left"
    stone = segmentation.GetSegment("stone")
    assert "SCT^56381008^Calculus" in segment_tag(stone, stone.GetTerminologyEntryTagName())
    known = slicer.modules.terminologies.logic()
    assert known.IsTerminologyContextLoaded(OWN_CONTEXT), "a calculus can be chosen in Segment Editor, too"
    assert host.dialogs.texts() == []


@pytest.mark.parametrize("flip", ["none", "i", "j", "k", "oblique"])
def test_segments_lie_where_the_engine_drew_them(host: Any, flip: str) -> None:
    import slicer.util

    volume, labels = phantom(rotation=oblique() if flip == "oblique" else None)
    if flip in "ijk":
        axis = "kji".index(flip)
        start = np.zeros(3)
        start[axis] = volume.voxels.shape[axis] - 1
        matrix = np.array(volume.ijk_to_lps)
        matrix[:3, 3] = volume.to_lps(start)
        matrix[:3, 2 - axis] *= -1
        volume, labels = Volume(np.flip(volume.voxels, axis).copy(), matrix), np.flip(labels, axis).copy()
    widget = segmented(host, volume, labels)
    result = widget.results.result
    for identifier, label in (("kidney_right", 1), ("kidney_left", 2), ("mass", 3), ("stone", 5)):
        drawn = slicer.util.arrayFromSegmentBinaryLabelmap(result.segmentationNode, identifier, result.volume)
        np.testing.assert_array_equal(drawn > 0, labels == label, identifier)
        centre = np.array(result.segmentationNode.GetSegmentCenterRAS(identifier))
        truth = (RAS @ [*volume.to_lps(np.argwhere(labels == label)).mean(axis=0), 1])[:3]
        np.testing.assert_allclose(centre, truth, atol=4.1)
    right = result.segmentationNode.GetSegmentCenterRAS("kidney_right")
    left = result.segmentationNode.GetSegmentCenterRAS("kidney_left")
    assert right[0] > left[0], "R is positive in RAS"


def test_engine_gets_the_voxels_and_the_geometry_of_the_volume(host: Any) -> None:
    from SlicerHost.hands import click, waitUntil

    volume, labels = phantom(rotation=oblique())
    add_volume(volume, "Doe^John")
    widget, runner = open_panel(host, labels)
    click(widget.ui.segmentButton)
    waitUntil(lambda: widget.runs.queue.current is None)
    np.testing.assert_array_equal(runner.images[0].voxels, volume.voxels)
    np.testing.assert_allclose(runner.images[0].ijk_to_lps, volume.ijk_to_lps, atol=1e-6)
    assert "Doe" not in str(runner.jobs[0].folder / runner.jobs[0].image), "no name in file names"
    assert runner.jobs[0].arguments()[-2:] == ["--model", "ct-kidney"]
    assert not runner.jobs[0].folder.exists(), "the copy of the images is removed"


def test_table_has_the_values_of_findings(host: Any) -> None:
    widget = segmented(host)
    volume, labels = phantom()
    findings = findings_of(volume, labels)
    rows = table_rows(widget.results.result.table)
    expected = [each.to_dict() for each in (*findings.kidneys, *findings.lesions, *findings.stones)]
    assert [row["id"] for row in rows] == ["R", "L", "M1", "S1"]
    for row, values in zip(rows, expected, strict=True):
        assert row["side"] == {"right": "R", "left": "L"}[values["side"]]
        for name in ("volume_ml", "axial_diameter_mm", "length_mm", "hu_mean"):
            if values[name] is None:
                assert row[name] == "", "not measured"
            else:
                shown = {"axial_diameter_mm": 0.051, "length_mm": 0.051, "hu_mean": 0.51}  # half of the last digit
                digits = {"rel": 0.005, "abs": 0.0005} if name == "volume_ml" else {"abs": shown[name], "rel": 0}
                assert float(row[name]) == pytest.approx(values[name], **digits), (row["id"], name)
    assert widget.results.result.table.GetLocked()
    assert widget.ui.tableView.mrmlTableNode() is widget.results.result.table


def test_phase_summary_and_flags_are_in_words(host: Any) -> None:
    widget = segmented(host)
    findings = widget.results.result.findings()
    shown = widget.ui.flagsBrowser.plainText
    assert findings.flags
    for flag in findings.flags:
        assert flag.message in shown
    assert widget.ui.phaseLabel.text
    assert "1 solid mass" in widget.ui.summaryLabel.text


def test_remarks_are_in_slicers_language_where_the_engine_speaks_it(host: Any) -> None:
    import slicer

    slicer.app.userSettings().setValue("language", "es_419")
    slicer.app.userSettings().setValue("Internationalization/Enabled", True)
    widget = segmented(host)
    english = [flag.message for flag in widget.results.result.findings().flags]
    shown = widget.ui.flagsBrowser.plainText
    assert english and shown and not any(message in shown for message in english)
    for name, value in (("language", "fr_FR"), ("language", "es_419"), ("Internationalization/Enabled", False)):
        slicer.app.userSettings().setValue(name, value)
        widget.results.update()
        translated = (name, value) == ("language", "es_419")
        assert all((message in widget.ui.flagsBrowser.plainText) is not translated for message in english)


def test_result_joins_the_study_of_its_volume(host: Any) -> None:
    import slicer
    from SlicerHost.hands import click, waitUntil

    node = add_volume(phantom()[0])
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    patient = hierarchy.CreateSubjectItem(hierarchy.GetSceneItemID(), "patient")
    study = hierarchy.CreateStudyItem(patient, "study")
    hierarchy.SetItemParent(hierarchy.GetItemByDataNode(node), study)
    widget, _runner = open_panel(host)
    click(widget.ui.segmentButton)
    waitUntil(lambda: widget.runs.queue.current is None)
    result = widget.results.result
    for each in (result.segmentationNode, result.table):
        assert hierarchy.GetItemParent(hierarchy.GetItemByDataNode(each)) == study


def test_progress_shows_stage_and_remaining_time_then_goes(host: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from SlicerHost.hands import click

    add_volume(phantom()[0])
    widget, runner = open_panel(host)
    runner.automatic = False
    click(widget.ui.segmentButton)
    assert widget.ui.progressBar.isVisible() and widget.ui.cancelButton.isVisible()
    clock = widget.runs._remaining
    clock._start = clock._clock() - 10
    runner.step(0.5, "Outlining the kidneys")
    assert widget.ui.progressBar.value == 500
    assert "Outlining the kidneys" in widget.ui.statusLabel.text
    assert "about 10 s left" in widget.ui.statusLabel.text
    click(widget.ui.logCheckBox)
    assert widget.ui.logText.isVisible() and "Outlining the kidneys" in widget.ui.logText.plainText
    runner.end(0)
    assert not widget.ui.progressBar.isVisible()
    assert "done" in widget.ui.statusLabel.text


def test_cancel_leaves_no_result_and_the_next_run_works(host: Any) -> None:
    import slicer.util
    from SlicerHost.hands import click

    add_volume(phantom()[0])
    widget, runner = open_panel(host)
    runner.automatic = False
    click(widget.ui.segmentButton)
    click(widget.ui.cancelButton)
    assert runner.cancels == 1 and not widget.ui.cancelButton.enabled
    runner.end(143)
    assert "cancelled" in widget.ui.statusLabel.text
    assert slicer.util.getNodesByClass("vtkMRMLSegmentationNode") == []
    assert not runner.jobs[0].folder.exists()
    assert host.dialogs.texts() == [], "who cancels needs no message"
    click(widget.ui.segmentButton)
    runner.end(0)
    assert widget.results.result is not None


def test_failure_says_what_the_engine_said(host: Any) -> None:
    from SlicerHost.hands import click

    add_volume(phantom()[0])
    widget, runner = open_panel(host)
    runner.automatic = False
    click(widget.ui.segmentButton)
    runner.complain("some library: a warning")
    runner.complain("kidneyseg: The device has too little memory. Choose CPU.")
    runner.end(5)
    host.app.processEvents()
    assert host.dialogs.texts() == ["The device has too little memory. Choose CPU."]
    assert "a warning" in host.dialogs.shown[-1].detailedText
    assert "Choose CPU" in widget.ui.statusLabel.text
    assert widget.results.result is None and widget.ui.segmentButton.enabled


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        ("ModuleNotFoundError: No module named 'torch'", 1, "Check installation"),
        ("Killed", -9, "memory"),
        ("", 1, "code 1"),
    ],
)
def test_failure_without_a_sentence_gets_one(host: Any, line: str, code: int, words: str) -> None:
    from SlicerHost.hands import click

    add_volume(phantom()[0])
    widget, runner = open_panel(host)
    runner.automatic = False
    click(widget.ui.segmentButton)
    runner.complain(line)
    runner.end(code)
    host.app.processEvents()
    assert len(host.dialogs.texts()) == 1 and words in host.dialogs.texts()[0]
    assert widget.results.result is None


def test_label_map_of_another_place_is_refused(host: Any) -> None:
    import slicer.util
    from SlicerHost.hands import click

    volume, labels = phantom()
    add_volume(volume)
    widget, runner = open_panel(host, labels)
    runner.automatic = False
    click(widget.ui.segmentButton)
    moved = np.array(volume.ijk_to_lps)
    moved[0, 3] += 1.0
    runner.images[0] = Volume(volume.voxels, moved)
    runner.end(0)
    host.app.processEvents()
    assert "does not lie on the volume" in host.dialogs.texts()[0]
    assert slicer.util.getNodesByClass("vtkMRMLSegmentationNode") == []
    assert slicer.util.getNodesByClass("vtkMRMLLabelMapVolumeNode") == []


def test_no_kidney_is_a_result_too(host: Any) -> None:
    volume, labels = phantom()
    widget = segmented(host, volume, np.zeros_like(labels))
    assert widget.results.result.segmentationNode.GetSegmentation().GetNumberOfSegments() == 0
    assert widget.ui.summaryLabel.text == "No kidney was found"
    assert widget.results.result.table.GetNumberOfRows() == 0


def test_picture_of_the_panel(host: Any, tmp_path: Any) -> None:
    from SlicerHost.pictures import panelPicture

    widget = segmented(host)
    host.mainWindow.resize(520, 1280)
    path = picture_folder(tmp_path) / "panel_result.png"
    panelPicture(path)
    assert path.stat().st_size > 20_000
    assert widget.ui.tableView.isVisible()
