"""Which exam the slice views show: always that of the chosen result, with its outlines and no others."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from SlicerHost import availability

if availability.missing():
    pytest.skip(availability.missing(), allow_module_level=True)
pytest_plugins = ["SlicerHost.pytest_fixtures"]

from module_cases import add_volume, click_row, open_panel, segmented  # noqa: E402
from reporting_cases import findings_of, phantom  # noqa: E402

from KidneySegLib.flags.flag import Flag  # noqa: E402
from KidneySegLib.volume import Volume  # noqa: E402


def two_exams(host: Any) -> Any:
    """Returns the panel with the results of two volumes, segmented one after the other with the selectors' defaults."""
    from SlicerHost.hands import click, waitUntil

    add_volume(phantom()[0], "one")
    widget, _runner = open_panel(host)
    click(widget.ui.segmentButton)
    add_volume(phantom()[0], "two")
    host.app.processEvents()
    click(widget.ui.segmentButton)
    waitUntil(lambda: widget.runs.queue.current is None)
    return widget


def backgrounds() -> set[Any]:
    """Returns the names of the volumes that the slice views show."""
    import slicer.util

    views = slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode")
    assert len(views) >= 3
    nodes = [slicer.mrmlScene.GetNodeByID(view.GetBackgroundVolumeID() or "") for view in views]
    return {node.GetName() if node is not None else None for node in nodes}


def drawn() -> list[str]:
    """Returns the names of the segmentations and lines that the views show."""
    import slicer.util

    kinds = ("vtkMRMLSegmentationNode", "vtkMRMLMarkupsLineNode")
    nodes = [node for kind in kinds for node in slicer.util.getNodesByClass(kind)]
    return [node.GetName() for node in nodes if node.GetDisplayVisibility()]


def field_of_view(name: str = "Red") -> float:
    import slicer

    return float(slicer.app.layoutManager().sliceWidget(name).mrmlSliceNode().GetFieldOfView()[0])


def test_views_follow_the_chosen_result(host: Any) -> None:
    from SlicerHost.hands import choose

    widget = two_exams(host)
    assert backgrounds() == {"two"} and drawn() == ["two KidneySeg"], "the result that came last is chosen"
    click_row(widget, 2)
    assert drawn() == ["two KidneySeg", "M1"]
    choose(widget.ui.resultSelector, "one KidneySeg")
    assert backgrounds() == {"one"} and drawn() == ["one KidneySeg"]
    choose(widget.ui.resultSelector, "two KidneySeg")
    assert backgrounds() == {"two"} and drawn() == ["two KidneySeg"]


def test_row_brings_its_own_exam_back(host: Any) -> None:
    import slicer.util

    widget = two_exams(host)
    slicer.util.getNode("one KidneySeg").SetDisplayVisibility(True)
    slicer.util.setSliceViewerLayers(background=slicer.util.getNode("one"))
    red = slicer.app.layoutManager().sliceWidget("Red").mrmlSliceCompositeNode()
    red.SetForegroundVolumeID(slicer.util.getNode("one").GetID())
    click_row(widget, 2)
    assert backgrounds() == {"two"} and drawn() == ["two KidneySeg", "M1"]
    assert not red.GetForegroundVolumeID(), "nothing of the other exam lies over it"


def test_views_are_fitted_once_and_keep_the_readers_zoom(host: Any) -> None:
    import slicer
    from SlicerHost.hands import choose

    widget = two_exams(host)
    fitted = field_of_view()
    slicer.app.layoutManager().sliceWidget("Red").mrmlSliceNode().SetFieldOfView(20, 20, 1)
    click_row(widget, 2)
    assert field_of_view() == 20
    choose(widget.ui.resultSelector, "one KidneySeg")
    assert field_of_view() == fitted


def test_window_suits_the_kidneys_until_the_reader_sets_one(host: Any) -> None:
    import slicer.util
    from SlicerHost.hands import choose

    widget = two_exams(host)
    one = slicer.util.getNode("one").GetDisplayNode()
    kidney = max(kidney.measures.hu_p50 for kidney in widget.results.result.findings().kidneys)
    assert one.GetWindowLevelMin() < kidney < one.GetWindowLevelMax()
    assert one.GetWindow() <= 400 and not one.GetAutoWindowLevel()
    one.SetWindowLevel(1500, 300)
    choose(widget.ui.resultSelector, "one KidneySeg")
    assert (one.GetWindow(), one.GetLevel()) == (1500, 300)
    one.SetAutoWindowLevel(True)
    click_row(widget, 0)
    assert one.GetAutoWindowLevel(), "the automatic one is a choice, too"


def test_window_of_the_file_stays(host: Any) -> None:
    from SlicerHost.hands import click, waitUntil

    display = add_volume(phantom()[0]).GetDisplayNode()
    display.SetAutoWindowLevel(False)
    display.SetWindowLevel(350, 50)
    widget, _runner = open_panel(host)
    click(widget.ui.segmentButton)
    waitUntil(lambda: widget.runs.queue.current is None)
    assert widget.results.result is not None
    assert (display.GetWindow(), display.GetLevel()) == (350, 50)


def test_window_fits_values_stored_without_their_intercept(host: Any) -> None:
    """The engine took 1024 off to get Hounsfield units; the volume node still holds the stored values."""
    from SlicerHost.hands import click, waitUntil

    image, _labels = phantom()
    display = add_volume(Volume(image.voxels + 1024, image.ijk_to_lps)).GetDisplayNode()
    widget, runner = open_panel(host)

    def findings(stored: Volume, labels: Any) -> Any:
        found = findings_of(Volume(stored.voxels - 1024, stored.ijk_to_lps), labels)
        return replace(found, flags=(*found.flags, Flag.of("rescale_assumed", intercept_hu=-1024)))

    runner.findings = findings
    click(widget.ui.segmentButton)
    waitUntil(lambda: widget.runs.queue.current is None)
    kidney = max(kidney.measures.hu_p50 for kidney in widget.results.result.findings().kidneys)
    assert not display.GetAutoWindowLevel()
    assert display.GetWindowLevelMin() < kidney + 1024 < display.GetWindowLevelMax()


def test_result_that_comes_while_another_module_is_open_waits(host: Any) -> None:
    import slicer.util
    from SlicerHost.hands import choose, click

    widget = two_exams(host)
    choose(widget.ui.resultSelector, "one KidneySeg")
    widget.logic.runner.automatic = False
    choose(widget.ui.inputSelector, "two")
    click(widget.ui.segmentButton)
    host.mainWindow.moduleSelector().selectModule("")
    widget.logic.runner.end(0)
    assert backgrounds() == {"one"} and drawn() == ["one KidneySeg"], "the reader may be correcting it"
    slicer.util.selectModule("KidneySeg")
    shown = widget.results.result.segmentationNode
    assert widget.results.result.volume.GetName() == "two" and shown.GetDisplayVisibility()
    assert backgrounds() == {"two"} and drawn() == [shown.GetName()]


def test_result_without_its_volume_is_drawn_on_no_other(host: Any) -> None:
    import slicer.util

    widget = segmented(host)
    slicer.mrmlScene.RemoveNode(widget.results.result.volume)
    slicer.util.setSliceViewerLayers(background=add_volume(phantom()[0], "other"))
    host.app.processEvents()
    click_row(widget, 2)
    assert backgrounds() == {None}


def visible_in(view: str, node: Any) -> bool:
    """Whether a slice view shows a node."""
    import slicer

    display = node.GetDisplayNode()
    slice_node = slicer.app.layoutManager().sliceWidget(view).mrmlSliceNode()
    return bool(
        display.GetVisibility() and display.GetVisibility2D() and display.IsDisplayableInView(slice_node.GetID())
    )


def test_a_volume_put_behind_by_hand_gets_no_outlines_of_another_exam(host: Any) -> None:
    import slicer.util

    widget = two_exams(host)
    click_row(widget, 2)
    result = widget.results.result
    red, green = (slicer.app.layoutManager().sliceWidget(name).mrmlSliceCompositeNode() for name in ("Red", "Green"))
    nodes = (result.segmentationNode, result.line)
    assert all(visible_in(view, node) for view in ("Red", "Green") for node in nodes)
    red.SetBackgroundVolumeID(slicer.util.getNode("one").GetID())
    assert not any(visible_in("Red", node) for node in nodes)
    assert all(visible_in("Green", node) for node in nodes), "that view shows the exam"
    slicer.util.setSliceViewerLayers(background=slicer.util.getNode("one"))
    assert not any(visible_in(view, node) for view in ("Red", "Green", "Yellow") for node in nodes)
    assert result.segmentationNode.GetDisplayNode().GetVisibility3D(), "surfaces lie on no image"
    green.SetBackgroundVolumeID(result.volume.GetID())
    assert visible_in("Green", nodes[0]) and not visible_in("Red", nodes[0])
    click_row(widget, 1)
    assert all(visible_in(view, nodes[0]) for view in ("Red", "Green", "Yellow"))
    assert list(result.segmentationNode.GetDisplayNode().GetViewNodeIDs()) == []


def test_another_phase_of_the_same_study_keeps_the_outlines(host: Any) -> None:
    import slicer.util

    widget = two_exams(host)
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    study = hierarchy.CreateStudyItem(hierarchy.GetSceneItemID(), "CT abdomen")
    for name in ("one", "two"):
        node = slicer.util.getNode(name)
        item = hierarchy.GetItemByDataNode(node) or hierarchy.CreateItem(study, node)
        hierarchy.SetItemParent(item, study)
    slicer.util.setSliceViewerLayers(background=slicer.util.getNode("one"))
    assert visible_in("Red", widget.results.result.segmentationNode)


def test_a_result_that_comes_while_another_is_corrected_does_not_take_its_place(host: Any) -> None:
    """Its corrections are still followed and measured."""
    import numpy as np
    import slicer.util
    from module_cases import write_segment
    from SlicerHost.hands import choose, click, waitUntil

    widget = two_exams(host)
    choose(widget.ui.resultSelector, "one KidneySeg")
    widget.logic.runner.automatic = False
    choose(widget.ui.inputSelector, "two")
    click(widget.ui.segmentButton)
    click(widget.ui.editButton)
    edited = widget.results.result
    before = edited.findings().kidneys[0].measures.volume_ml
    _volume, labels = phantom()
    write_segment(edited, "kidney_right", (labels == 1) & (np.arange(36)[:, None, None] > 17))
    widget.logic.runner.end(0)
    assert widget.results.result.segmentationNode is edited.segmentationNode
    assert drawn() == ["one KidneySeg"] and backgrounds() == {"one"}
    assert "is being corrected" in widget.ui.statusLabel.text
    waitUntil(lambda: not widget.correction.isStale, 20)
    assert edited.findings().kidneys[0].measures.volume_ml < before
    slicer.util.selectModule("KidneySeg")
    assert widget.results.result.segmentationNode is edited.segmentationNode
