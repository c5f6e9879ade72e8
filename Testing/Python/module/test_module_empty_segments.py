"""A segment of which nothing is left is nowhere shown, and comes back with what is drawn again."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from SlicerHost import availability

if availability.missing():
    pytest.skip(availability.missing(), allow_module_level=True)
pytest_plugins = ["SlicerHost.pytest_fixtures"]

from module_cases import segmented, write_segment  # noqa: E402
from worklist_cases import drawn, exam, go_to, place_click, rows, settle  # noqa: E402

ALL = ["kidney_right", "kidney_left", "mass", "cyst", "stone"]


@pytest.fixture
def widget(host: Any) -> Any:
    """The panel with a result: two masses, one cyst, and stones."""
    volume, labels, _missed = exam()
    return segmented(host, volume, labels)


def listed(widget: Any) -> list[str]:
    """What the list of segments shows."""
    return list(widget.ui.segmentsView.displayedSegmentIDs())


def kept(widget: Any) -> list[str]:
    """What the segmentation has: other modules show and write all of it."""
    return list(widget.results.result.segmentationNode.GetSegmentation().GetSegmentIDs())


def remarks(widget: Any) -> str:
    return str(widget.ui.flagsBrowser.plainText)


@pytest.mark.parametrize("surfaces", [False, True])
def test_addition_that_is_undone_leaves_no_segment_and_no_remark(host: Any, surfaces: bool) -> None:
    from SlicerHost.hands import click

    volume, labels, _missed = exam()
    widget = segmented(host, volume, np.where(labels == 4, 1, labels))
    if surfaces:
        widget.results.result.segmentationNode.CreateClosedSurfaceRepresentation()
    before, told, said = drawn(widget), remarks(widget), widget.ui.correctionLabel.text
    without = [key for key in ALL if key != "cyst"]
    assert listed(widget) == kept(widget) == without
    place_click(widget, (24, 35, 20), "Cyst")
    settle(widget)
    assert listed(widget) == kept(widget) == ALL, "in the order of structures"
    assert "Cyst: drawn by the reader; the network drew none." in remarks(widget)
    click(widget.ui.undoLesionButton)
    settle(widget)
    np.testing.assert_array_equal(drawn(widget), before)
    assert listed(widget) == kept(widget) == without
    assert remarks(widget) == told and widget.ui.correctionLabel.text == said


@pytest.mark.parametrize("kind", ["reject", "Solid mass", "Kidney"])
def test_last_of_its_kind_takes_its_segment_with_it_and_undo_brings_it_back(widget: Any, kind: str) -> None:
    from SlicerHost.hands import choose, click

    before, told = drawn(widget), remarks(widget)
    go_to(widget, "C1")
    if kind == "reject":
        click(widget.ui.rejectLesionButton)
    else:
        choose(widget.ui.lesionKindComboBox, kind)
    settle(widget)
    assert listed(widget) == kept(widget) == [key for key in ALL if key != "cyst"]
    assert "Cyst: removed by the reader." in remarks(widget) and "0.000" not in remarks(widget)
    click(widget.ui.undoLesionButton)
    settle(widget)
    assert listed(widget) == kept(widget) == ALL and remarks(widget) == told
    np.testing.assert_array_equal(drawn(widget), before)
    segment = widget.results.result.segmentationNode.GetSegmentation().GetSegment("cyst")
    assert segment.GetName() == "Cyst" and segment.GetColor() != (0.5, 0.5, 0.5)


def test_rejected_one_that_is_restored_has_its_segment_again(widget: Any) -> None:
    from SlicerHost.hands import click

    before, table = drawn(widget), rows(widget)
    go_to(widget, "C1")
    for expected in ([key for key in ALL if key != "cyst"], ALL):
        click(widget.ui.rejectLesionButton)
        settle(widget)
        assert listed(widget) == kept(widget) == expected
    assert rows(widget) == table
    np.testing.assert_array_equal(drawn(widget), before)


def test_what_was_emptied_by_hand_is_not_listed_but_can_be_drawn_again(widget: Any) -> None:
    cyst = drawn(widget) == 4
    write_segment(widget.results.result, "cyst", np.zeros_like(cyst))
    settle(widget)
    assert listed(widget) == [key for key in ALL if key != "cyst"]
    assert kept(widget) == ALL, "Segment Editor still has it, to draw in it again"
    assert "Cyst: removed by the reader." in remarks(widget)
    write_segment(widget.results.result, "cyst", cyst)
    settle(widget)
    assert listed(widget) == ALL and "Cyst: removed" not in remarks(widget)


def test_empty_segment_that_the_reader_made_stays_when_the_worklist_works(widget: Any) -> None:
    """It will be drawn in: only segments that were made here are taken away."""
    import slicer
    from SlicerHost.hands import click

    segmentation = widget.results.result.segmentationNode.GetSegmentation()
    own = slicer.vtkSegment()
    own.SetName("Cyst")
    segmentation.AddSegment(own, "mine")
    settle(widget)
    go_to(widget, "C1")
    click(widget.ui.rejectLesionButton)
    settle(widget)
    assert kept(widget) == ["kidney_right", "kidney_left", "mass", "stone", "mine"]
    assert listed(widget) == ["kidney_right", "kidney_left", "mass", "stone"]


def test_segments_of_which_only_surfaces_are_kept_are_not_taken_for_empty(widget: Any) -> None:
    segmentation = widget.results.result.segmentationNode.GetSegmentation()
    widget.results.result.segmentationNode.CreateClosedSurfaceRepresentation()
    segmentation.SetSourceRepresentationName("Closed surface")
    segmentation.RemoveRepresentation("Binary labelmap")
    widget.results.update()
    assert listed(widget) == ALL
