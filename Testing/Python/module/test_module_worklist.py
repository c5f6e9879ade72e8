"""The worklist: from lesion to lesion, and what a reader makes of each; saved, measured again, undone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from SlicerHost import availability

if availability.missing():
    pytest.skip(availability.missing(), allow_module_level=True)
pytest_plugins = ["SlicerHost.pytest_fixtures"]

from module_cases import click_row, segmented, table_rows  # noqa: E402
from reporting_cases import phantom  # noqa: E402

from KidneySegLib.volume import Volume  # noqa: E402

CYST_HU = 10


def exam() -> tuple[Volume, np.ndarray, np.ndarray]:
    """Image, what the network draws (masses M1 and M2 on the left, cyst C1, stones), and a cyst that it misses."""
    volume, labels = phantom()
    labels[labels == 3] = 2
    k, j, i = np.indices(labels.shape)
    for height in (10, 26):
        labels[(k - height) ** 2 + (j - 35) ** 2 + (i - 70) ** 2 <= 16] = 3
    labels[(k - 12) ** 2 + (j - 35) ** 2 + (i - 24) ** 2 <= 9] = 4
    missed = (k - 24) ** 2 + (j - 35) ** 2 + (i - 20) ** 2 <= 12
    voxels = np.where(missed | (labels == 4), CYST_HU, volume.voxels)
    noise = np.random.default_rng(0).normal(0, 6, voxels.shape)
    return volume.like(np.where(voxels > -900, voxels + noise, voxels).astype(np.int16)), labels, missed


@pytest.fixture
def widget(host: Any) -> Any:
    """The panel with a result, all selectors at their defaults."""
    volume, labels, _missed = exam()
    return segmented(host, volume, labels)


def rows(widget: Any) -> dict[str, dict[str, str]]:
    return {row["id"]: row for row in table_rows(widget.results.result.table)}


def drawn(widget: Any) -> np.ndarray:
    """The label map as the segments are now."""
    from KidneySegWidgets.result.correctedLabels import currentLabels

    return currentLabels(widget.results.result)


def settle(widget: Any) -> None:
    """Waits until the table is of what is drawn."""
    from SlicerHost.hands import waitUntil

    waitUntil(lambda: not widget.worklist.worklist.isAnswering and not widget.correction.isStale, 60)


def go_to(widget: Any, identifier: str) -> None:
    names = [row["id"] for row in table_rows(widget.results.result.table)]
    click_row(widget, names.index(identifier))


def test_next_and_previous_go_round_the_lesions_and_show_each(widget: Any) -> None:
    import slicer
    from SlicerHost.hands import click

    seen = []
    for _step in range(6):
        click(widget.ui.nextLesionButton)
        seen.append(widget.results.current)
    assert seen == ["M1", "M2", "C1", "S1", "M1", "M2"], "kidneys are no lesions"
    finding = widget.results.result.findings().lesions[1]
    line = widget.results.result.line
    assert line.GetName() == "M2" and line.GetDisplayVisibility()
    red = slicer.app.layoutManager().sliceWidget("Red").sliceLogic().GetSliceNode()
    assert red.GetSliceToRAS().GetElement(2, 3) == pytest.approx(finding.measures.axial_start_lps_mm[2], abs=0.1)
    assert "found by the network" in widget.ui.lesionLabel.text
    click(widget.ui.previousLesionButton)
    assert widget.results.current == "M1"


def test_keys_work_while_the_module_is_shown_and_not_while_a_name_is_typed(widget: Any, host: Any) -> None:
    import qt
    import slicer.util
    from PySide6.QtTest import QTest
    from SlicerHost.hands import write

    window = slicer.util.mainWindow()
    window.activateWindow()
    widget.ui.segmentButton.setFocus()
    QTest.keyClick(window, qt.Qt.Key_N)
    assert widget.results.current == "M1"
    QTest.keyClick(window, qt.Qt.Key_C)
    assert rows(widget)["M1"]["state"] == "✓"
    write(widget.ui.lesionNameEdit, "nxc")
    QTest.keyClick(widget.ui.lesionNameEdit, qt.Qt.Key_Return)
    assert widget.results.current == "M1" and rows(widget)["M1"]["state"] == "✓"
    assert widget.results.result.findings().lesions[0].reading.reader_name == "nxc"
    slicer.util.selectModule("SegmentEditor")
    host.app.processEvents()
    QTest.keyClick(window, qt.Qt.Key_N)
    assert widget.results.current == "M1"


def test_rejected_lesion_leaves_volumes_and_is_listed_and_comes_back(widget: Any) -> None:
    from SlicerHost.hands import click

    before, table = drawn(widget), rows(widget)
    go_to(widget, "M2")
    click(widget.ui.rejectLesionButton)
    settle(widget)
    gone = (before == 3) & (np.arange(36)[:, None, None] < 18)
    np.testing.assert_array_equal(drawn(widget)[~gone], before[~gone])
    assert set(np.unique(drawn(widget)[gone])) <= {0, 2}, "what lies nearest: kidney or background"
    now = rows(widget)
    assert now["M2"]["state"] == "✗" and now["M2"]["volume_ml"] == ""
    assert now["M1"] == table["M1"] and "1 solid mass" in widget.ui.summaryLabel.text
    assert "M2" in widget.ui.flagsBrowser.plainText, "it is told"
    assert widget.results.current == "M2" and widget.ui.rejectLesionButton.text == "Restore"
    assert widget.ui.lesionLabel.text.startswith("M2: rejected")
    click(widget.ui.rejectLesionButton)
    settle(widget)
    np.testing.assert_array_equal(drawn(widget), before)
    assert rows(widget) == table


def test_another_kind_and_back_by_undo(widget: Any) -> None:
    from SlicerHost.hands import choose, click

    before, table = drawn(widget), rows(widget)
    go_to(widget, "M1")
    click(widget.ui.confirmLesionButton)
    choose(widget.ui.lesionKindComboBox, "Cyst")
    settle(widget)
    findings = widget.results.result.findings()
    changed = next(lesion for lesion in findings.lesions if lesion.reading.state == "changed")
    assert changed.structure == "cyst" and changed.reading.was == "M1"
    assert widget.results.current == changed.id, "the row follows"
    click(widget.ui.undoLesionButton)
    settle(widget)
    np.testing.assert_array_equal(drawn(widget), before)
    assert rows(widget)["M1"]["state"] == "✓", "the step before it was the confirmation"
    click(widget.ui.undoLesionButton)
    assert rows(widget) == table and not widget.ui.undoLesionButton.enabled
    choose(widget.ui.lesionKindComboBox, "Kidney")
    settle(widget)
    (gone,) = widget.results.result.findings().rejected
    assert (gone.finding.id, gone.became) == ("M1", "kidney_left")


def test_add_by_click_finds_what_was_missed_and_undo_takes_it_back(widget: Any, host: Any) -> None:
    import slicer.util
    from SlicerHost.hands import choose, click, waitUntil

    _volume, labels, missed = exam()
    before = drawn(widget)
    choose(widget.ui.addKindComboBox, "Cyst")
    click(widget.ui.addLesionButton)
    assert widget.ui.lesionLabel.text.startswith("Click into the middle")
    node = slicer.util.getNode("KidneySeg click")
    volume = widget.results.result.volume
    ijk = np.array([20, 35, 24, 1.0])
    ras = slicer.util.arrayFromVTKMatrix(matrix_of(volume)) @ ijk
    node.AddControlPointWorld(*ras[:3])
    assert slicer.mrmlScene.GetFirstNodeByName("KidneySeg click") is None
    assert not widget.ui.addLesionButton.checked
    waitUntil(lambda: not widget.worklist.worklist.isAnswering, 30)
    settle(widget)
    mine = drawn(widget) == 4
    new = mine & (before != 4)
    dice = 2 * (new & missed).sum() / (new.sum() + missed.sum())
    assert dice > 0.85
    added = [lesion for lesion in widget.results.result.findings().lesions if lesion.reading.state == "added"]
    assert [lesion.structure for lesion in added] == ["cyst"] and added[0].side == "right"
    click(widget.ui.undoLesionButton)
    settle(widget)
    np.testing.assert_array_equal(drawn(widget), before)


def test_queue_of_two_exams_each_with_its_rows_keys_and_views(host: Any) -> None:
    """All selectors at their defaults; the second exam has other lesions, and stands elsewhere."""
    import qt
    import slicer
    import slicer.util
    from module_cases import add_volume, open_panel
    from PySide6.QtTest import QTest
    from SlicerHost.hands import choose, click, waitUntil

    volume, labels, _missed = exam()
    fewer = np.where(labels == 4, 1, labels)
    fewer[:18][labels[:18] == 3] = 2  # one mass, no cyst
    matrix = np.array(volume.ijk_to_lps)
    matrix[:3, 3] += (0, 0, 300)
    panel, runner = open_panel(host)
    runner.labels = lambda image: fewer if image.ijk_to_lps[2, 3] == matrix[2, 3] else labels
    runner.automatic = False
    add_volume(volume, "one")
    host.app.processEvents()
    click(panel.ui.segmentButton)
    add_volume(Volume(volume.voxels, matrix), "two")
    host.app.processEvents()
    click(panel.ui.segmentButton)
    assert [run.volumeName for run in panel.runs.queue.waiting] == ["two"]
    runner.automatic = True
    runner.end(0)
    waitUntil(lambda: panel.runs.queue.current is None)
    window = slicer.util.mainWindow()
    window.activateWindow()
    panel.ui.segmentButton.setFocus()

    def walk(key: Any, steps: int) -> list[str]:
        seen = []
        for _step in range(steps):
            QTest.keyClick(window, key)
            seen.append(panel.results.current)
            shown = slicer.app.layoutManager().sliceWidget("Red").sliceLogic()
            assert shown.GetSliceCompositeNode().GetBackgroundVolumeID() == panel.results.result.volume.GetID()
            bounds = np.zeros(6)
            panel.results.result.volume.GetRASBounds(bounds)
            assert bounds[4] <= shown.GetSliceNode().GetSliceToRAS().GetElement(2, 3) <= bounds[5]
        return seen

    assert panel.results.result.volume.GetName() == "two", "the one that ended last"
    assert walk(qt.Qt.Key_N, 3) == ["M1", "S1", "M1"]
    choose(panel.ui.resultSelector, "one KidneySeg")
    assert panel.results.current == "", "the row of the other exam means nothing here"
    assert walk(qt.Qt.Key_P, 5) == ["S1", "C1", "M2", "M1", "S1"]
    go_to(panel, "M2")
    QTest.keyClick(window, qt.Qt.Key_X)
    choose(panel.ui.resultSelector, "two KidneySeg")  # while it is being drawn or measured
    assert walk(qt.Qt.Key_N, 2) == ["M1", "S1"] and "M2" not in rows(panel)
    choose(panel.ui.resultSelector, "one KidneySeg")
    settle(panel)
    states = {name: row["state"] for name, row in rows(panel).items()}
    assert states["M1"] == "" and states["M2"] == "✗", "the key was not lost, and it is measured"
    assert not (drawn(panel) == 3)[:18].any()
    visible = [
        node.GetName() for node in slicer.util.getNodesByClass("vtkMRMLSegmentationNode") if shown_in_views(node)
    ]
    assert visible == ["one KidneySeg"]


def shown_in_views(node: Any) -> bool:
    return bool(node.GetDisplayVisibility())


def matrix_of(volume: Any) -> Any:
    import vtk

    matrix = vtk.vtkMatrix4x4()
    volume.GetIJKToRASMatrix(matrix)
    return matrix


def test_undo_leaves_what_was_drawn_since(widget: Any) -> None:
    from module_cases import write_segment
    from SlicerHost.hands import click

    before = drawn(widget)
    go_to(widget, "M2")
    click(widget.ui.rejectLesionButton)
    settle(widget)
    cyst = drawn(widget) == 4
    cyst[10, 35, 70] = True  # a voxel of what was M2
    write_segment(widget.results.result, "cyst", cyst)
    kidney = drawn(widget) == 2
    kidney[10, 35, 70] = False
    write_segment(widget.results.result, "kidney_left", kidney)
    settle(widget)
    click(widget.ui.undoLesionButton)
    settle(widget)
    after = before.copy()
    after[10, 35, 70] = 4
    np.testing.assert_array_equal(drawn(widget), after)


def test_row_says_at_once_what_is_rejected_and_a_quick_reader_is_not_overheard(widget: Any) -> None:
    """Measuring a large exam takes seconds; the row must not look unread for so long."""
    from SlicerHost.hands import click, waitUntil

    before, table = drawn(widget), rows(widget)
    widget.correction.remeasuring._runner.delay_ms = 60_000
    go_to(widget, "M2")
    click(widget.ui.rejectLesionButton)
    waitUntil(lambda: not widget.worklist.worklist.isAnswering)
    assert rows(widget)["M2"]["state"] == "✗" and rows(widget)["M1"] == table["M1"]
    assert widget.ui.rejectLesionButton.text == "Restore" and widget.correction.isStale
    widget.correction.remeasuring._runner.delay_ms = 0
    for _click in range(3):  # there and back and there
        click(widget.ui.rejectLesionButton)
    go_to(widget, "M1")
    click(widget.ui.rejectLesionButton)
    settle(widget)
    assert {name: row["state"] for name, row in rows(widget).items() if row["state"] == "✗"} == {"M1": "✗"}
    for _step in range(5):
        click(widget.ui.undoLesionButton)
    settle(widget)
    np.testing.assert_array_equal(drawn(widget), before)
    assert rows(widget) == table and not widget.ui.undoLesionButton.enabled


def test_undo_of_a_rejection_brings_confirmation_and_name_back(widget: Any) -> None:
    from SlicerHost.hands import click, write

    go_to(widget, "M2")
    click(widget.ui.confirmLesionButton)
    write(widget.ui.lesionNameEdit, "watch")
    widget.ui.lesionNameEdit.clearFocus()
    table = rows(widget)
    assert table["M2"]["state"] == "✓"
    click(widget.ui.rejectLesionButton)
    settle(widget)
    assert rows(widget)["M2"]["state"] == "✗"
    click(widget.ui.undoLesionButton)
    assert rows(widget) == table, "at once"
    settle(widget)
    assert rows(widget) == table, "and measured"
    assert widget.results.result.findings().lesions[1].reading.reader_name == "watch"


def test_own_addition_that_is_rejected_leaves_no_entry_and_undo_brings_it_back(widget: Any) -> None:
    """What nobody but the reader has claimed, and the reader takes back, is no finding of anybody's."""
    from module_cases import write_segment
    from SlicerHost.hands import click

    _volume, _labels, missed = exam()
    table = rows(widget)
    write_segment(widget.results.result, "cyst", (drawn(widget) == 4) | missed)
    settle(widget)
    (added,) = [name for name, row in rows(widget).items() if row["state"] == "+"]
    both, shown = drawn(widget), rows(widget)
    go_to(widget, added)
    click(widget.ui.rejectLesionButton)
    settle(widget)
    assert rows(widget).keys() == table.keys() and widget.results.result.findings().rejected == ()
    click(widget.ui.undoLesionButton)
    settle(widget)
    np.testing.assert_array_equal(drawn(widget), both)
    assert rows(widget) == shown and rows(widget)[added]["state"] == "+"


def test_reset_cannot_be_undone_step_by_step(widget: Any, host: Any) -> None:
    from SlicerHost.hands import click

    before = drawn(widget)
    go_to(widget, "M2")
    click(widget.ui.rejectLesionButton)
    settle(widget)
    host.dialogs.answer("Yes")
    click(widget.ui.resetButton)
    settle(widget)
    np.testing.assert_array_equal(drawn(widget), before)
    assert not widget.ui.undoLesionButton.enabled


def test_state_survives_the_scene(widget: Any, host: Any, tmp_path: Any) -> None:
    import slicer
    import slicer.util
    from SlicerHost.hands import click, write

    go_to(widget, "M1")
    click(widget.ui.confirmLesionButton)
    write(widget.ui.lesionNameEdit, "watch")
    go_to(widget, "C1")
    click(widget.ui.rejectLesionButton)
    settle(widget)
    table = rows(widget)
    assert slicer.util.saveScene(str(tmp_path / "scene.mrb"))
    host.clearScene()
    slicer.util.loadScene(str(tmp_path / "scene.mrb"))
    host.app.processEvents()
    assert rows(widget) == table
    assert table["M1"]["state"] == "✓" and table["C1"]["state"] == "✗"
    assert widget.results.result.findings().lesions[0].reading.reader_name == "watch"
    go_to(widget, "C1")
    click(widget.ui.rejectLesionButton)
    settle(widget)
    assert rows(widget)["C1"]["state"] == "" and rows(widget)["M1"]["state"] == "✓"


def test_scene_that_was_saved_before_it_was_measured_is_measured_when_it_is_back(
    widget: Any, host: Any, tmp_path: Any
) -> None:
    import slicer.util
    from module_cases import write_segment

    half = (drawn(widget) == 2) & (np.arange(36)[:, None, None] > 15)
    write_segment(widget.results.result, "kidney_left", half)
    assert widget.correction.isStale
    assert slicer.util.saveScene(str(tmp_path / "scene.mrb"))
    host.clearScene()
    slicer.util.loadScene(str(tmp_path / "scene.mrb"))
    host.app.processEvents()
    assert widget.correction.isStale and "of before" in widget.ui.correctionLabel.text
    settle(widget)
    assert widget.results.result.findings().kidneys[1].measures.voxels == half.sum()


def test_marks_that_are_set_while_it_is_measured_stay(widget: Any) -> None:
    from SlicerHost.hands import click, waitUntil

    go_to(widget, "C1")
    click(widget.ui.rejectLesionButton)
    waitUntil(lambda: widget.correction.isStale)
    go_to(widget, "M1")
    click(widget.ui.confirmLesionButton)
    settle(widget)
    assert rows(widget)["M1"]["state"] == "✓" and rows(widget)["C1"]["state"] == "✗"


def test_text_of_the_findings_goes_into_the_clipboard(widget: Any) -> None:
    import qt
    from SlicerHost.hands import click

    click(widget.ui.copyTextButton)
    text = qt.QApplication.clipboard().text()
    assert "M2, Solid mass, left" in text and "C1, Cyst, right" in text


def test_two_exams_each_have_their_own_list_and_undo(host: Any) -> None:
    from module_cases import add_volume, open_panel
    from SlicerHost.hands import choose, click, waitUntil

    volume, labels, _missed = exam()
    add_volume(volume, "one")
    panel, _runner = open_panel(host, labels)
    click(panel.ui.segmentButton)
    add_volume(volume, "two")
    host.app.processEvents()
    click(panel.ui.segmentButton)
    waitUntil(lambda: panel.runs.queue.current is None)
    go_to(panel, "M1")
    click(panel.ui.confirmLesionButton)
    choose(panel.ui.resultSelector, "one KidneySeg")
    assert rows(panel)["M1"]["state"] == "" and not panel.ui.undoLesionButton.enabled
    choose(panel.ui.resultSelector, "two KidneySeg")
    assert rows(panel)["M1"]["state"] == "✓" and panel.ui.undoLesionButton.enabled
