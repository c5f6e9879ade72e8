"""The worklist: steps are undone, and states survive what happens around them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from SlicerHost import availability

if availability.missing():
    pytest.skip(availability.missing(), allow_module_level=True)
pytest_plugins = ["SlicerHost.pytest_fixtures"]

from module_cases import segmented  # noqa: E402
from worklist_cases import drawn, exam, go_to, matrix_of, place_click, rows, settle  # noqa: E402


@pytest.fixture
def widget(host: Any) -> Any:
    """The panel with a result, all selectors at their defaults."""
    volume, labels, _missed = exam()
    return segmented(host, volume, labels)


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


@pytest.mark.parametrize("name", ["M1", "C1", "S1"])
def test_made_kidney_it_is_kidney_of_its_side_and_listed_as_rejected_until_undo(widget: Any, name: str) -> None:
    from SlicerHost.hands import choose, click, waitUntil

    before, table = drawn(widget), rows(widget)
    label, kidney = {"M1": (3, 2), "C1": (4, 1), "S1": (5, 1)}[name]
    if name != "M1":
        lesion = (before == label) & (np.arange(before.shape[2]) < 45)  # a stone lies on either side
    else:
        lesion = (before == label) & (np.arange(before.shape[0])[:, None, None] >= 18)
    go_to(widget, name)
    choose(widget.ui.lesionKindComboBox, "Kidney")
    waitUntil(lambda: not widget.worklist.worklist.isAnswering)
    assert rows(widget)[name]["state"] == "✗", "at once"
    settle(widget)
    np.testing.assert_array_equal(drawn(widget), np.where(lesion, kidney, before))
    findings = widget.results.result.findings()
    (gone,) = findings.rejected
    assert (gone.finding.id, gone.became) == (name, {1: "kidney_right", 2: "kidney_left"}[kidney])
    assert name not in [each.id for each in (*findings.lesions, *findings.stones)]
    assert widget.ui.lesionLabel.text.startswith(f"{name}: rejected") and "kidney now" in widget.ui.lesionLabel.text
    assert name in widget.ui.flagsBrowser.plainText and rows(widget)[name]["volume_ml"] == ""
    click(widget.ui.undoLesionButton)
    settle(widget)
    np.testing.assert_array_equal(drawn(widget), before)
    assert rows(widget) == table and widget.results.result.findings().rejected == ()


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


def test_a_click_where_no_kidney_is_drawn_chooses_its_row_when_it_is_measured(host: Any) -> None:
    """Its side follows from the body's midline, which only measuring looks for, so no row is listed before."""
    volume, labels, missed = exam()
    widget = segmented(host, volume, np.zeros_like(labels))
    assert rows(widget) == {}
    place_click(widget, (24, 35, 20), "Cyst")
    settle(widget)
    assert list(rows(widget)) == ["C1"] and widget.results.current == "C1"
    assert "added by the reader" in widget.ui.lesionLabel.text and widget.ui.rejectLesionButton.enabled
    assert widget.ui.tableView.selectionModel().selectedRows()[0].row() == 0
    assert drawn(widget)[missed].any()


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


def test_undo_of_a_rejection_brings_confirmation_and_name_back(widget: Any) -> None:
    from SlicerHost.hands import click, write

    go_to(widget, "M2")
    click(widget.ui.confirmLesionButton)
    write(widget.ui.lesionNameEdit, "watch", enter=True)
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
    write(widget.ui.lesionNameEdit, "watch", enter=True)
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
