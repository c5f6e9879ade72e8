"""The worklist: from lesion to lesion, and what a reader makes of each; of one exam and of two."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from SlicerHost import availability

if availability.missing():
    pytest.skip(availability.missing(), allow_module_level=True)
pytest_plugins = ["SlicerHost.pytest_fixtures"]

from module_cases import segmented  # noqa: E402
from worklist_cases import drawn, exam, go_to, place_click, rows, settle, shown_in_views  # noqa: E402

from KidneySegLib.volume import Volume  # noqa: E402


@pytest.fixture
def widget(host: Any) -> Any:
    """The panel with a result, all selectors at their defaults."""
    volume, labels, _missed = exam()
    return segmented(host, volume, labels)


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
    from SlicerHost.hands import press, write

    widget.ui.segmentButton.setFocus()
    press(qt.Qt.Key_N)
    assert widget.results.current == "M1"
    press(qt.Qt.Key_C)
    assert rows(widget)["M1"]["state"] == "✓"
    write(widget.ui.lesionNameEdit, "nxc")
    QTest.keyClick(widget.ui.lesionNameEdit, qt.Qt.Key_Return)
    assert widget.results.current == "M1" and rows(widget)["M1"]["state"] == "✓"
    assert widget.results.result.findings().lesions[0].reading.reader_name == "nxc"
    slicer.util.selectModule("SegmentEditor")
    host.app.processEvents()
    press(qt.Qt.Key_N)
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


def test_queue_of_two_exams_each_with_its_rows_keys_and_views(host: Any) -> None:
    """All selectors at their defaults; the second exam has other lesions, and stands elsewhere."""
    import qt
    import slicer
    import slicer.util
    from module_cases import add_volume, open_panel
    from SlicerHost.hands import choose, click, press, waitUntil

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
    panel.ui.segmentButton.setFocus()

    def walk(key: Any, steps: int) -> list[str]:
        seen = []
        for _step in range(steps):
            press(key)
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
    press(qt.Qt.Key_X)
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


def test_another_kind_and_an_addition_are_listed_before_they_are_measured(widget: Any) -> None:
    from SlicerHost.hands import choose, click, waitUntil

    table, before = rows(widget), drawn(widget)
    widget.correction.remeasuring._runner.delay_ms = 60_000
    go_to(widget, "M1")
    choose(widget.ui.lesionKindComboBox, "Cyst")
    waitUntil(lambda: not widget.worklist.worklist.isAnswering)
    assert "M1" not in rows(widget) and widget.correction.isStale
    row = rows(widget)["C2"]
    assert (row["structure"], row["state"], row["volume_ml"]) == ("Cyst", "✎", "measuring…")
    assert row["side"] == table["M1"]["side"] and row["hu_mean"] == ""
    assert widget.results.current == "C2" and "2 cysts" in widget.ui.summaryLabel.text
    _volume, _labels, missed = exam()
    place_click(widget, (24, 35, 20), "Cyst")
    row = rows(widget)["C3"]
    assert (row["state"], row["side"], row["volume_ml"]) == ("+", "R", "measuring…")
    assert widget.results.current == "C3" and widget.ui.lesionLabel.text.startswith("C3"), "Reject means what was added"
    view = widget.ui.tableView
    line, column = list(rows(widget)).index("C3"), list(row).index("volume_ml")
    assert view.columnSpan(line, column) == view.model().columnCount() - column, "the word has room there"
    assert view.horizontalScrollBar().maximum == 0
    # both can be changed at once
    go_to(widget, "C2")
    click(widget.ui.rejectLesionButton)
    waitUntil(lambda: not widget.worklist.worklist.isAnswering)
    assert rows(widget)["M1"]["state"] == "✗"
    for _step in range(3):
        click(widget.ui.undoLesionButton)
        waitUntil(lambda: not widget.worklist.worklist.isAnswering)
    np.testing.assert_array_equal(drawn(widget), before)
    assert rows(widget) == table
    click_again = rows(widget)
    place_click(widget, (24, 35, 20), "Cyst")
    widget.correction.remeasuring._runner.delay_ms = 0
    click(widget.ui.recomputeButton)
    settle(widget)
    assert rows(widget).keys() - click_again.keys() == {"C2"}, "with the name that it had at once"
    assert float(rows(widget)["C2"]["volume_ml"]) > 1


def test_where_measuring_fails_nothing_says_that_it_goes_on(widget: Any) -> None:
    from SlicerHost.hands import choose, waitUntil

    runner = widget.correction.remeasuring._runner
    runner._run = lambda _job, tell: (tell("kidneyseg: broken", True), runner._onEnd(1))
    go_to(widget, "M1")
    choose(widget.ui.lesionKindComboBox, "Cyst")
    waitUntil(lambda: "broken" in widget.ui.correctionLabel.text)
    assert rows(widget)["C2"]["volume_ml"] == "not measured"


def test_text_of_the_findings_goes_into_the_clipboard(widget: Any) -> None:
    import qt
    from SlicerHost.hands import click

    click(widget.ui.copyTextButton)
    text = qt.QApplication.clipboard().text()
    assert "M2, Solid mass, left" in text and "C1, Cyst, right" in text
