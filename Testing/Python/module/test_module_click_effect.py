"""Segment Editor's effect *Kidney click*: click and Ctrl + click, scribbles, undo; never the main thread's work."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from SlicerHost import availability

if availability.missing():
    pytest.skip(availability.missing(), allow_module_level=True)
pytest_plugins = ["SlicerHost.pytest_fixtures"]

from module_cases import segmented  # noqa: E402
from worklist_cases import drawn, exam, matrix_of, settle  # noqa: E402


class Mouse:
    """Stands for the interactor of a slice view; the host has no screen to click on."""

    def __init__(self, effect: Any, view: Any, xy: tuple[float, float], control: bool = False) -> None:
        self._effect, self._view, self._xy, self._control = effect, view, xy, control

    def GetEventPosition(self) -> tuple[float, float]:  # noqa: N802
        return self._xy

    def GetControlKey(self) -> int:  # noqa: N802
        return int(self._control)

    def GetShiftKey(self) -> int:  # noqa: N802
        return 0

    def send(self, event: int) -> bool:
        return self._effect.processInteractionEvents(self, event, self._view)


class View:
    """A slice view whose pixels are millimetres of the axial plane through a point."""

    def __init__(self, height: float) -> None:
        import slicer
        import vtk

        self._matrix = vtk.vtkMatrix4x4()
        self._matrix.SetElement(2, 3, height)
        self._logic = slicer.app.layoutManager().sliceWidget("Red").sliceLogic()

    def className(self) -> str:  # noqa: N802
        return "qMRMLSliceWidget"

    def sliceLogic(self) -> Any:  # noqa: N802
        return self

    def GetSliceNode(self) -> Any:  # noqa: N802
        return self

    def GetXYToRAS(self) -> Any:  # noqa: N802
        return self._matrix


@pytest.fixture
def case(host: Any) -> tuple[Any, Any]:
    """The panel with a result, opened in Segment Editor, and the effect."""
    import slicer
    from SlicerHost.hands import click

    volume, labels, _missed = exam()
    widget = segmented(host, volume, labels)
    from KidneySegWidgets.worklist.clickEffect import registerClickEffect

    registerClickEffect()
    registerClickEffect()
    names = [effect.name for effect in slicer.qSlicerSegmentEditorEffectFactory.instance().registeredEffects()]
    assert names.count("KidneySeg click") == 1
    click(widget.ui.editButton)
    effect = slicer.qSlicerSegmentEditorEffectFactory.instance().registeredEffects()[-1].self().clone()
    effect.self().setupOptionsFrame()
    effect.self().activate()
    return widget, effect


def at(widget: Any, effect: Any, ijk: tuple[int, int, int], control: bool = False) -> Mouse:
    import slicer.util

    ras = slicer.util.arrayFromVTKMatrix(matrix_of(widget.results.result.volume)) @ np.array([*ijk, 1.0])
    return Mouse(effect, View(ras[2]), (ras[0], ras[1]), control)


def clicked(widget: Any, effect: Any, ijk: tuple[int, int, int], control: bool = False) -> None:
    import vtk
    from SlicerHost.hands import waitUntil

    mouse = at(widget, effect, ijk, control)
    assert mouse.send(vtk.vtkCommand.LeftButtonPressEvent) and mouse.send(vtk.vtkCommand.LeftButtonReleaseEvent)
    waitUntil(lambda: not effect.self()._answers.isWorking, 30)


def select(effect: Any, identifier: str) -> None:
    effect.parameterSetNode().SetSelectedSegmentID(identifier)


def test_click_adds_what_is_missing_and_undo_takes_it_back(case: tuple[Any, Any]) -> None:
    widget, effect = case
    _volume, _labels, missed = exam()
    before = drawn(widget)
    select(effect, "cyst")
    clicked(widget, effect, (20, 35, 24))
    new = (drawn(widget) == 4) & (before != 4)
    assert 2 * (new & missed).sum() / (new.sum() + missed.sum()) > 0.85
    settle(widget)
    states = [lesion.reading.state for lesion in widget.results.result.findings().lesions]
    assert sorted(states) == ["added", "found", "found", "found"], "it is measured, and the worklist has it"
    effect.undo()
    np.testing.assert_array_equal(drawn(widget), before)


def test_control_click_takes_away_what_is_too_much(case: tuple[Any, Any]) -> None:
    widget, effect = case
    before = drawn(widget)
    select(effect, "cyst")
    clicked(widget, effect, (24, 35, 12), control=True)
    after = drawn(widget)
    assert not (after == 4).any() and (after[before == 4] == 1).all(), "it was in the kidney"


def test_what_is_no_result_or_no_structure_is_told(case: tuple[Any, Any], host: Any) -> None:
    import slicer

    widget, effect = case
    (label,) = effect.optionsWidgets()
    node = host.scene.AddNewNodeByClass("vtkMRMLSegmentationNode")
    node.GetSegmentation().AddEmptySegment("liver", "liver")
    effect.parameterSetNode().SetAndObserveSegmentationNode(node)
    select(effect, "liver")
    clicked(widget, effect, (24, 35, 12))
    assert "KidneySeg has made" in label.text
    result = widget.results.result.segmentationNode
    result.GetSegmentation().AddEmptySegment("liver", "liver")
    effect.parameterSetNode().SetAndObserveSegmentationNode(result)
    select(effect, "liver")
    clicked(widget, effect, (24, 35, 12))
    assert "none of them" in label.text
    select(effect, "cyst")
    clicked(widget, effect, (200, 35, 12))
    assert "outside the image" in label.text
    assert slicer.mrmlScene.GetFirstNodeByName("KidneySeg click") is None
