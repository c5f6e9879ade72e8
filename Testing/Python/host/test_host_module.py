"""A scripted module, as Slicer's template has it, is loaded unchanged and driven by clicks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from SlicerHost import availability

if availability.missing():
    pytest.skip(availability.missing(), allow_module_level=True)
pytest_plugins = ["SlicerHost.pytest_fixtures"]

from host_cases import FORM, HELPERS, MODULE  # noqa: E402


@pytest.fixture
def path(tmp_path) -> Path:
    folder = tmp_path / "Counter"
    (folder / "Resources" / "UI").mkdir(parents=True)
    (folder / "Counter.py").write_text(MODULE, encoding="utf-8")
    (folder / "CounterHelpers.py").write_text(HELPERS, encoding="utf-8")
    (folder / "Resources" / "UI" / "Counter.ui").write_text(FORM, encoding="utf-8")
    return folder / "Counter.py"


def add_volume(maximum: int = 150) -> Any:
    import numpy as np
    import slicer.util

    return slicer.util.addVolumeFromArray(np.linspace(0, maximum, 60).reshape(3, 4, 5), name="CT")


def test_module_is_described_and_found(host, path: Path) -> None:
    import slicer
    import slicer.util

    module = host.loadModule(path)
    assert (module.name, module.title, module.categories) == ("Counter", "Counter", ["Segmentation"])
    assert module.helpText.startswith("Counts voxels.")
    assert slicer.modules.counter is module
    assert slicer.util.modulePath("Counter") == str(path)
    assert "Counter" in slicer.util.moduleNames()
    assert isinstance(slicer.util.getModuleWidget("Counter"), __import__("Counter").CounterWidget)


@pytest.mark.parametrize(
    ("name", "value"), [("categories", "Segmentation"), ("icon", "icon.png"), ("hidden", "no"), ("category", ["a"])]
)
def test_a_wrong_description_is_refused(host, path: Path, name: str, value: object) -> None:
    module = host.loadModule(path)
    with pytest.raises(AttributeError):
        setattr(module, name, value)


def test_clicks_run_the_module(host, path: Path) -> None:
    from SlicerHost.hands import CannotReach, choose, click

    widget = host.openModule(path)
    with pytest.raises(CannotReach, match="disabled"):
        click(widget.ui.applyButton)
    add_volume()
    choose(widget.ui.inputSelector, "CT")
    click(widget.ui.applyButton)
    assert widget.ui.result.text == "20 voxels"
    click(widget.ui.invert)
    click(widget.ui.applyButton)
    assert widget.ui.result.text == "40 voxels"


def test_an_error_is_shown_and_can_be_read(host, path: Path) -> None:
    from SlicerHost.hands import click

    widget = host.openModule(path)
    widget._parameterNode.inputVolume = add_volume(0)
    click(widget.ui.applyButton)
    assert host.dialogs.texts() == ["Failed to compute results.\n\nthe volume is empty"]
    assert "ValueError: the volume is empty" in host.uncaught.pop()


def test_leaving_closing_and_coming_back(host, path: Path) -> None:
    import slicer.util

    widget = host.openModule(path)
    volume = add_volume()
    widget._parameterNode.inputVolume = volume
    assert slicer.util.selectedModule() == "Counter"
    assert widget.parent.isEntered
    slicer.util.selectModule("Volumes")
    assert not widget.parent.isEntered
    assert widget._parameterNodeGuiTag is None
    slicer.util.selectModule("Counter")
    assert widget.ui.applyButton.enabled
    slicer.mrmlScene.Clear(0)
    assert not widget.ui.applyButton.enabled
    assert widget._parameterNode.inputVolume is None


def test_parameters_come_back_with_the_scene(host, path: Path, tmp_path: Path) -> None:
    import slicer.util

    widget = host.openModule(path)
    widget._parameterNode.inputVolume = add_volume()
    widget.ui.threshold.value = 42.0
    widget.ui.invert.checked = True
    scene = tmp_path / "scene.mrb"
    assert slicer.util.saveScene(str(scene))
    slicer.mrmlScene.Clear(0)
    widget._parameterNode.threshold = 7.0
    slicer.util.loadScene(str(scene))
    assert widget._parameterNode.inputVolume.GetName() == "CT"
    assert widget._parameterNode.threshold == 42.0
    assert (widget.ui.threshold.value, widget.ui.invert.checked) == (42.0, True)


def test_reload_takes_the_changed_file(host, path: Path) -> None:
    import slicer

    widget = host.openModule(path)
    path.write_text(MODULE.replace('f"{count} voxels"', 'f"{count} points"'), encoding="utf-8")
    widget.onReload()
    again = slicer.modules.CounterWidget
    assert again is not widget
    again._parameterNode.inputVolume = add_volume()
    again.ui.applyButton.click()
    assert again.ui.result.text == "20 points"


def test_the_modules_own_test_runs(host, path: Path) -> None:
    import slicer

    host.loadModule(path)
    add_volume()
    slicer.modules.CounterInstance.runTest(msec=10)
    assert host.scene.GetNumberOfNodesByClass("vtkMRMLScalarVolumeNode") == 0


def test_unloading_leaves_nothing(host, path: Path) -> None:
    import sys

    import slicer

    host.openModule(path)
    host.reset()
    assert not hasattr(slicer.modules, "counter")
    assert not hasattr(slicer.modules, "CounterWidget")
    assert "Counter" not in sys.modules
    assert "CounterHelpers" not in sys.modules
    assert str(path.parent) not in sys.path


def test_there_is_no_such_module(host, tmp_path: Path) -> None:
    import slicer.util

    with pytest.raises(FileNotFoundError):
        host.loadModule(tmp_path / "Missing.py")
    with pytest.raises(RuntimeError, match="Could not find module"):
        slicer.util.getModule("Missing")


def test_the_panel_can_be_seen(host, path: Path, tmp_path: Path) -> None:
    from PIL import Image
    from SlicerHost.pictures import panelPicture

    host.openModule(path)
    host.mainWindow.resize(510, 910)  # one application for all tests: others leave it larger
    panelPicture(tmp_path / "panel.png")
    picture = Image.open(tmp_path / "panel.png")
    assert picture.size == (510, 910)
    assert len(picture.convert("RGB").getcolors(100_000)) > 10


def test_segment_editor_takes_over(host) -> None:
    import slicer.util

    volume = add_volume()
    segmentation = host.scene.AddNewNodeByClass("vtkMRMLSegmentationNode")
    segmentation.GetSegmentation().AddEmptySegment("left")
    slicer.util.selectModule("SegmentEditor")
    editor = slicer.modules.segmenteditor.widgetRepresentation().self().editor
    editor.setSegmentationNode(segmentation)
    editor.setSourceVolumeNode(volume)
    editor.setCurrentSegmentID("left")
    assert editor.segmentationNode() is segmentation
    assert editor.sourceVolumeNode() is volume
    assert editor.mrmlSegmentEditorNode().GetSelectedSegmentID() == "left"
    with pytest.raises(AttributeError):
        editor.segmentationNode = segmentation
