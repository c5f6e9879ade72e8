"""The worklist: a kidney's row is made a mass, cyst or stone, because what the network outlined is a tumour."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from SlicerHost import availability

if availability.missing():
    pytest.skip(availability.missing(), allow_module_level=True)
pytest_plugins = ["SlicerHost.pytest_fixtures"]

from module_cases import segmented  # noqa: E402
from worklist_cases import drawn, exam, go_to, rows, settle  # noqa: E402


@pytest.fixture
def widget(host: Any) -> Any:
    """The panel with a result, all selectors at their defaults."""
    volume, labels, _missed = exam()
    return segmented(host, volume, labels)


def test_row_becomes_a_mass_at_once_and_undo_brings_the_kidney_back(widget: Any) -> None:
    from SlicerHost.hands import choose, click, waitUntil

    before, table = drawn(widget), rows(widget)
    segments = list(widget.results.result.segmentationNode.GetSegmentation().GetSegmentIDs())
    go_to(widget, "R")
    assert widget.ui.lesionKindComboBox.enabled and widget.ui.lesionKindComboBox.currentData == "kidney"
    assert not widget.ui.confirmLesionButton.enabled and not widget.ui.rejectLesionButton.enabled
    assert "choose another kind" in widget.ui.lesionLabel.text
    choose(widget.ui.lesionKindComboBox, "Solid mass")
    waitUntil(lambda: not widget.worklist.worklist.isAnswering)
    assert "R" not in rows(widget) and widget.results.current == "M3", "the row follows"
    assert (rows(widget)["M3"]["state"], rows(widget)["M3"]["volume_ml"]) == ("✎", "measuring…")
    settle(widget)
    np.testing.assert_array_equal(drawn(widget), np.where(before == 1, 3, before), "nothing else was touched")
    now = rows(widget)
    assert (now["M3"]["side"], now["M3"]["volume_ml"]) == ("R", table["R"]["volume_ml"])
    assert {name: now[name] for name in ("M1", "M2", "C1", "S1")} == {
        name: table[name] for name in ("M1", "M2", "C1", "S1")
    }
    assert "it was kidney R" in widget.ui.lesionLabel.text
    assert "changed into a solid mass by the reader" in widget.ui.flagsBrowser.plainText
    assert "kidney_right" not in widget.results.result.segmentationNode.GetSegmentation().GetSegmentIDs()
    click(widget.ui.undoLesionButton)
    settle(widget)
    np.testing.assert_array_equal(drawn(widget), before)
    assert rows(widget) == table and widget.results.current == "R"
    assert list(widget.results.result.segmentationNode.GetSegmentation().GetSegmentIDs()) == segments


def test_rejecting_the_mass_gives_the_kidney_back(widget: Any) -> None:
    from SlicerHost.hands import choose, click

    before, table = drawn(widget), rows(widget)
    go_to(widget, "L")
    choose(widget.ui.lesionKindComboBox, "Cyst")
    settle(widget)
    assert rows(widget)["C2"]["side"] == "L" and "L" not in rows(widget)
    click(widget.ui.rejectLesionButton)
    settle(widget)
    np.testing.assert_array_equal(drawn(widget), before)
    assert rows(widget) == table, "a kidney is no rejected lesion"


def test_row_follows_where_it_grows_together_with_a_lesion_of_its_kind(widget: Any) -> None:
    from SlicerHost.hands import choose, click

    before, table = drawn(widget), rows(widget)
    go_to(widget, "R")
    choose(widget.ui.lesionKindComboBox, "Cyst")
    settle(widget)
    assert widget.results.current == "C1" and rows(widget)["C1"]["state"] == "✎"
    assert "it was kidney R" in widget.ui.lesionLabel.text
    click(widget.ui.undoLesionButton)
    settle(widget)
    np.testing.assert_array_equal(drawn(widget), before)
    assert rows(widget) == table


def test_a_kidney_in_pieces_says_that_it_became_several_masses(host: Any) -> None:
    """Else the diameter of a piece would be read as that of the tumour; filling the gap makes one of them."""
    from editor_cases import Editor
    from SlicerHost.hands import choose

    volume, labels, _missed = exam()
    gap = np.zeros(labels.shape, bool)
    middle = int(np.median(np.nonzero(labels == 1)[0]))
    gap[middle : middle + 2] = labels[middle : middle + 2] == 1
    widget = segmented(host, volume, np.where(gap, np.uint8(0), labels))
    table = rows(widget)
    go_to(widget, "R")
    choose(widget.ui.lesionKindComboBox, "Solid mass")
    settle(widget)
    pieces = [name for name, row in rows(widget).items() if row["side"] == "R" and row["structure"] == "Mass"]
    assert len(pieces) == 2 and widget.results.current in pieces
    sentence = f"What was the right kidney is several findings now ({', '.join(pieces)})"
    assert sentence in widget.ui.lesionLabel.text and sentence in widget.ui.flagsBrowser.plainText
    Editor(host, widget).stroke("mass", gap, "add")
    settle(widget)
    assert "several findings" not in widget.ui.flagsBrowser.plainText
    assert [row["structure"] for row in rows(widget).values() if row["side"] == "R"].count("Mass") == 1
    assert rows(widget)["L"] == table["L"]


def test_a_soft_kidney_is_no_stone(host: Any) -> None:
    from SlicerHost.hands import choose, waitUntil

    volume, labels, _missed = exam()
    soft = volume.like(np.where(volume.voxels > 100, 40, volume.voxels).astype(np.int16))
    widget = segmented(host, soft, labels)
    before, table = drawn(widget), rows(widget)
    go_to(widget, "L")
    choose(widget.ui.lesionKindComboBox, "Stone")
    waitUntil(lambda: not widget.worklist.worklist.isAnswering)
    assert "40 HU on average" in widget.ui.lesionLabel.text
    assert widget.ui.lesionKindComboBox.currentData == "kidney", "it says what it still is"
    np.testing.assert_array_equal(drawn(widget), before)
    assert rows(widget) == table and not widget.ui.undoLesionButton.enabled and not widget.correction.isStale


def test_it_is_saved_and_exported(widget: Any, host: Any, tmp_path: Any) -> None:
    import slicer.util
    from KidneySegWidgets.export.trainingCase import exportTrainingCase
    from KidneySegWidgets.panels.findingsText import copyText
    from SlicerHost.hands import choose

    go_to(widget, "R")
    choose(widget.ui.lesionKindComboBox, "Solid mass")
    settle(widget)
    table = rows(widget)
    written = exportTrainingCase(widget.results.result, tmp_path / "cases")()
    content = json.loads((written.folder / "labels.json").read_text(encoding="utf-8"))
    assert {"id": "M3", "structure": "mass", "state": "changed", "was": "kidney_right"} in content["findings"]
    assert "kidney_right" not in content["present"] and content["corrected_by_reader"]["kidney_right"] == 0
    assert "Right kidney: changed into M3 by the reader." in copyText(widget.results.result.findings())
    assert slicer.util.saveScene(str(tmp_path / "scene.mrb"))
    host.clearScene()
    slicer.util.loadScene(str(tmp_path / "scene.mrb"))
    host.app.processEvents()
    assert rows(widget) == table
