"""Candidates: listed apart, taken over or dismissed by the reader, and in no number until then."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from SlicerHost import availability

if availability.missing():
    pytest.skip(availability.missing(), allow_module_level=True)
pytest_plugins = ["SlicerHost.pytest_fixtures"]

from module_cases import add_volume, open_panel, table_rows  # noqa: E402
from reporting_cases import findings_of  # noqa: E402
from worklist_cases import drawn, exam, go_to, rows, settle  # noqa: E402

from KidneySegLib.exam import Exam  # noqa: E402
from KidneySegLib.measuring.describe import describe  # noqa: E402
from KidneySegLib.measuring.instances import LesionCandidate, Segmentation  # noqa: E402
from KidneySegLib.result_files.result import Result  # noqa: E402
from KidneySegLib.volume import Volume  # noqa: E402

KIDNEY_OF = {"M2": 2, "C1": 1}


def with_candidates(image: Volume, labels: np.ndarray) -> Result:
    """What the engine writes where it is not sure of the mass M2 and of the cyst."""
    seen = Exam(image)
    whole = Segmentation.of(seen.volume, seen.order.apply(labels))
    masses, cysts = ([each for each in whole.instances if each.structure.key == key] for key in ("mass", "cyst"))
    doubtful, sure = (masses[-1], cysts[0]), whole.labels.copy()
    for instance, kidney in zip(doubtful, KIDNEY_OF.values(), strict=True):
        sure[instance.body.box][instance.body.mask] = kidney
    candidates = tuple(LesionCandidate(instance, 0.4) for instance in doubtful)
    segmentation = replace(Segmentation.of(seen.volume, sure), candidates=candidates)
    provenance = findings_of(image, labels).provenance
    return Result(seen, segmentation, describe(seen, segmentation, provenance=provenance))


def open_result(host: Any, region: Any = None) -> Any:
    from SlicerHost.hands import click, waitUntil

    volume, labels, _missed = exam()
    add_volume(volume)
    panel, runner = open_panel(host)
    part = tuple(slice(*ends) for ends in (region or ((0, None),) * 3))
    runner.labels = lambda _image: np.ascontiguousarray(labels[part])
    runner.result = with_candidates
    if region:
        choose_region(panel, volume, region)
    click(panel.ui.segmentButton)
    waitUntil(lambda: panel.runs.queue.current is None)
    assert panel.results.result is not None, panel.ui.statusLabel.text
    return panel


def choose_region(panel: Any, volume: Volume, region: Any) -> None:
    """Chooses the region of interest around a box of voxels (k, j, i)."""
    import slicer

    low, high = (np.array([ends[n] - n for ends in region], float) for n in (0, 1))
    corners = volume.to_lps(np.array([low, high])) * (-1, -1, 1)
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsROINode", "Region")
    node.SetCenter(*corners.mean(axis=0))
    node.SetSize(*(np.abs(corners[1] - corners[0]) - 0.5))
    panel.logic.getParameterNode().region = node


@pytest.fixture
def widget(host: Any) -> Any:
    """The panel with a result that has two candidates, all selectors at their defaults."""
    return open_result(host)


def listed(widget: Any) -> dict[str, dict[str, str]]:
    return {row["id"]: row for row in table_rows(widget.results.result.candidateTable)}


def click_candidate(widget: Any, identifier: str) -> None:
    import qt
    from PySide6.QtTest import QTest
    from SlicerHost.hands import click

    if widget.ui.candidatesSection.collapsed:
        click(widget.ui.candidatesSection)
    view = widget.ui.candidatesView
    place = view.visualRect(view.model().index(list(listed(widget)).index(identifier), 0)).center()
    QTest.mouseClick(view.viewport(), qt.Qt.LeftButton, qt.Qt.NoModifier, place)
    qt.QApplication.processEvents()


def test_they_are_listed_apart_and_a_click_shows_each(widget: Any) -> None:
    import slicer
    from SlicerHost.hands import click

    ui = widget.ui
    assert ui.candidatesSection.text == "Candidates (2)" and ui.candidatesSection.collapsed
    assert {name: row["structure"] for name, row in listed(widget).items()} == {"P1": "Mass", "P2": "Cyst"}
    assert listed(widget)["P1"]["state"] == "40 %" and float(listed(widget)["P1"]["volume_ml"]) > 5
    assert not {"P1", "P2"} & set(rows(widget)) and "1 solid mass" in ui.summaryLabel.text
    assert "cyst" not in ui.summaryLabel.text and "2 candidates" in ui.flagsBrowser.plainText
    click(ui.nextLesionButton)
    click_candidate(widget, "P1")
    candidate = widget.results.result.findings().candidates[0]
    red = slicer.app.layoutManager().sliceWidget("Red").sliceLogic().GetSliceNode()
    assert red.GetSliceToRAS().GetElement(2, 3) == pytest.approx(candidate.measures.axial_start_lps_mm[2], abs=0.1)
    line = widget.results.result.line
    assert line.GetName() == "P1" and line.GetDisplayVisibility()
    assert not ui.tableView.selectionModel().selectedRows() and not ui.rejectLesionButton.enabled
    slicer.modules.markups.logic().JumpSlicesToLocation(0, 0, 0, True)
    click_candidate(widget, "P1")
    assert red.GetSliceToRAS().GetElement(2, 3) == pytest.approx(candidate.measures.axial_start_lps_mm[2], abs=0.1)
    go_to(widget, "M1")
    assert not ui.candidatesView.selectionModel().selectedRows() and not ui.takeOverButton.enabled
    before = drawn(widget)
    assert (before == 3).sum() == widget.results.result.findings().lesions[0].measures.voxels


def test_one_that_is_taken_over_is_drawn_and_counted_and_undo_takes_it_back(widget: Any) -> None:
    from SlicerHost.hands import click

    before, table, apart = drawn(widget), rows(widget), listed(widget)
    _volume, labels, _missed = exam()
    click_candidate(widget, "P2")
    click(widget.ui.takeOverButton)
    settle(widget)
    np.testing.assert_array_equal(drawn(widget), np.where(labels == 4, 4, before))
    findings = widget.results.result.findings()
    (cyst,) = [lesion for lesion in findings.lesions if lesion.structure == "cyst"]
    assert (cyst.reading.state, cyst.reading.was) == ("added", "P2")
    assert rows(widget)[cyst.id]["state"] == "+" and widget.results.current == cyst.id, "the row follows"
    assert "(it was P2)" in widget.ui.lesionLabel.text and "1 cyst" in widget.ui.summaryLabel.text
    assert list(listed(widget)) == ["P1"] and widget.ui.candidatesSection.text == "Candidates (1)"
    click(widget.ui.undoLesionButton)
    settle(widget)
    np.testing.assert_array_equal(drawn(widget), before)
    assert (rows(widget), listed(widget)) == (table, apart) and widget.results.current == "P2"
    # the other way back: it is rejected, and a candidate again
    click(widget.ui.takeOverButton)
    settle(widget)
    click(widget.ui.rejectLesionButton)
    settle(widget)
    assert (rows(widget), listed(widget)) == (table, apart)


def test_dismissed_is_marked_and_counted_nowhere_and_undo_takes_it_back(widget: Any, host: Any) -> None:
    import qt
    from SlicerHost.hands import click, press

    before, table, apart = drawn(widget), rows(widget), listed(widget)
    click_candidate(widget, "P1")
    click(widget.ui.dismissButton)
    assert listed(widget)["P1"]["state"] == "✗" and widget.ui.dismissButton.text == "Bring back"
    assert "1 candidate" in widget.ui.flagsBrowser.plainText, "the other one"
    np.testing.assert_array_equal(drawn(widget), before)
    assert rows(widget) == table and not widget.correction.isStale
    click_candidate(widget, "P2")
    press(qt.Qt.Key_X)
    assert listed(widget)["P2"]["state"] == "✗" and "candidate" not in widget.ui.flagsBrowser.plainText
    go_to(widget, "M1")
    click(widget.ui.rejectLesionButton)
    settle(widget)
    assert {row["state"] for row in listed(widget).values()} == {"✗"}, "what is measured anew stays as it was read"
    for _step in range(3):
        click(widget.ui.undoLesionButton)
        settle(widget)
    assert (rows(widget), listed(widget)) == (table, apart) and not widget.ui.undoLesionButton.enabled


def test_without_candidates_there_is_no_section(host: Any) -> None:
    from module_cases import segmented

    widget = segmented(host)
    assert not widget.ui.candidatesSection.isVisible()
    assert not widget.results.result.hasCandidateTable and widget.results.result.networkCandidates is None


def test_in_a_region_they_lie_where_they_were_and_come_back_with_the_scene(host: Any, tmp_path: Path) -> None:
    import slicer.util
    from SlicerHost.hands import click

    panel = open_result(host, region=((2, 34), (4, 58), (6, 88)))
    findings = panel.results.result.findings()
    assert [each.id for each in findings.candidates] == ["P1", "P2"]
    assert findings.candidates[0].measures.axial_slice == 10, "counted in the whole volume"
    click_candidate(panel, "P1")
    click(panel.ui.dismissButton)
    assert slicer.util.saveScene(str(tmp_path / "scene.mrb"))
    host.clearScene()
    slicer.util.loadScene(str(tmp_path / "scene.mrb"))
    host.app.processEvents()
    assert {name: row["state"] for name, row in listed(panel).items()} == {"P1": "✗", "P2": "40 %"}
    _volume, labels, _missed = exam()
    before = drawn(panel)
    click_candidate(panel, "P2")
    click(panel.ui.takeOverButton)
    settle(panel)
    np.testing.assert_array_equal(drawn(panel), np.where(labels == 4, 4, before))
    assert [each.reading.state for each in panel.results.result.findings().candidates] == ["dismissed"]
    node = panel.results.result.segmentationNode
    parts = [part.GetID() for part in panel.results.result.parts()]
    slicer.mrmlScene.RemoveNode(node)
    assert not any(slicer.mrmlScene.GetNodeByID(part) for part in parts), "nothing stays behind"


def test_an_export_writes_what_is_left_of_them(widget: Any, tmp_path: Path) -> None:
    from SlicerHost.hands import click, waitUntil

    click_candidate(widget, "P2")
    click(widget.ui.takeOverButton)
    settle(widget)
    click(widget.ui.exportSection)
    widget.ui.exportFolderButton.directory = str(tmp_path)
    widget.ui.exportReportCheckBox.checked = False
    widget.ui.exportDicomCheckBox.checked = False
    click(widget.ui.exportButton)
    waitUntil(lambda: not widget.exports.isWriting, 60)
    (folder,) = tmp_path.iterdir()
    read = Result.read(folder)
    assert [each.id for each in read.findings.candidates] == ["P1"]
    (candidate,) = read.segmentation.candidates
    assert candidate.instance.body.mask.sum() == read.findings.candidates[0].measures.voxels
