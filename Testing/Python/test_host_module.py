"""A scripted module, as Slicer's template has it, is loaded unchanged and driven by clicks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from SlicerHost import availability

if availability.missing():
    pytest.skip(availability.missing(), allow_module_level=True)
pytest_plugins = ["SlicerHost.pytest_fixtures"]

MODULE = """
import logging
from typing import Annotated

import vtk
import qt
import slicer
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.ScriptedLoadableModule import *
from slicer.util import VTKObservationMixin
from slicer.parameterNodeWrapper import parameterNodeWrapper, WithinRange
from slicer import vtkMRMLScalarVolumeNode, vtkMRMLSegmentationNode

import CounterHelpers


class Counter(ScriptedLoadableModule):
    def __init__(self, parent):
        ScriptedLoadableModule.__init__(self, parent)
        self.parent.title = _("Counter")
        self.parent.categories = [translate("qSlicerAbstractCoreModule", "Segmentation")]
        self.parent.dependencies = ["Segmentations"]
        self.parent.contributors = ["Nobody"]
        self.parent.helpText = _("Counts voxels.")
        self.parent.helpText += self.getDefaultModuleDocumentationLink()
        slicer.app.connect("startupCompleted()", lambda: None)


@parameterNodeWrapper
class CounterParameterNode:
    inputVolume: vtkMRMLScalarVolumeNode
    threshold: Annotated[float, WithinRange(-100, 200)] = 100
    invert: bool = False


class CounterWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    def __init__(self, parent=None):
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.logic = None
        self._parameterNode = None
        self._parameterNodeGuiTag = None

    def setup(self):
        ScriptedLoadableModuleWidget.setup(self)
        uiWidget = slicer.util.loadUI(self.resourcePath("UI/Counter.ui"))
        self.layout.addWidget(uiWidget)
        self.ui = slicer.util.childWidgetVariables(uiWidget)
        uiWidget.setMRMLScene(slicer.mrmlScene)
        self.logic = CounterLogic()
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.StartCloseEvent, self.onSceneStartClose)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.EndCloseEvent, self.onSceneEndClose)
        self.ui.applyButton.connect("clicked(bool)", self.onApplyButton)
        self.initializeParameterNode()

    def cleanup(self):
        self.removeObservers()

    def enter(self):
        self.initializeParameterNode()

    def exit(self):
        if self._parameterNode:
            self._parameterNode.disconnectGui(self._parameterNodeGuiTag)
            self._parameterNodeGuiTag = None
            self.removeObserver(self._parameterNode, vtk.vtkCommand.ModifiedEvent, self._checkCanApply)

    def onSceneStartClose(self, caller, event):
        self.setParameterNode(None)

    def onSceneEndClose(self, caller, event):
        if self.parent.isEntered:
            self.initializeParameterNode()

    def initializeParameterNode(self):
        self.setParameterNode(self.logic.getParameterNode())
        if not self._parameterNode.inputVolume:
            first = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLScalarVolumeNode")
            if first:
                self._parameterNode.inputVolume = first

    def setParameterNode(self, inputParameterNode):
        if self._parameterNode:
            self._parameterNode.disconnectGui(self._parameterNodeGuiTag)
            self.removeObserver(self._parameterNode, vtk.vtkCommand.ModifiedEvent, self._checkCanApply)
        self._parameterNode = inputParameterNode
        if self._parameterNode:
            self._parameterNodeGuiTag = self._parameterNode.connectGui(self.ui)
            self.addObserver(self._parameterNode, vtk.vtkCommand.ModifiedEvent, self._checkCanApply)
            self._checkCanApply()

    def _checkCanApply(self, caller=None, event=None):
        self.ui.applyButton.enabled = bool(self._parameterNode and self._parameterNode.inputVolume)

    def onApplyButton(self):
        with slicer.util.tryWithErrorDisplay(_("Failed to compute results."), waitCursor=True):
            p = self._parameterNode
            count = self.logic.process(p.inputVolume, p.threshold, p.invert)
            self.ui.result.text = f"{count} voxels"


class CounterLogic(ScriptedLoadableModuleLogic):
    def getParameterNode(self):
        return CounterParameterNode(super().getParameterNode())

    def process(self, inputVolume, threshold, invert):
        return CounterHelpers.count(slicer.util.arrayFromVolume(inputVolume), threshold, invert)


class CounterTest(ScriptedLoadableModuleTest):
    def setUp(self):
        slicer.mrmlScene.Clear()

    def runTest(self):
        self.setUp()
        self.delayDisplay("Starting", 10)
        self.assertEqual(slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLScalarVolumeNode"), 0)
"""

HELPERS = """
def count(array, threshold, invert):
    if array.max() == 0:
        raise ValueError("the volume is empty")
    return int(((array > threshold) != invert).sum())
"""

FORM = """<?xml version="1.0" encoding="UTF-8"?>
<ui version="4.0">
 <class>Counter</class>
 <widget class="qMRMLWidget" name="Counter">
  <layout class="QVBoxLayout" name="layout1">
   <item>
    <widget class="qMRMLNodeComboBox" name="inputSelector">
     <property name="nodeTypes"><stringlist><string>vtkMRMLScalarVolumeNode</string></stringlist></property>
     <property name="noneEnabled"><bool>true</bool></property>
     <property name="SlicerParameterName" stdset="0"><string>inputVolume</string></property>
    </widget>
   </item>
   <item>
    <widget class="ctkSliderWidget" name="threshold">
     <property name="SlicerParameterName" stdset="0"><string>threshold</string></property>
    </widget>
   </item>
   <item>
    <widget class="QCheckBox" name="invert">
     <property name="text"><string>Invert</string></property>
     <property name="SlicerParameterName" stdset="0"><string>invert</string></property>
    </widget>
   </item>
   <item><widget class="QPushButton" name="applyButton"><property name="text"><string>Apply</string></property></widget></item>
   <item><widget class="QLabel" name="result"/></item>
  </layout>
 </widget>
 <customwidgets>
  <customwidget><class>qMRMLWidget</class><extends>QWidget</extends><header>x.h</header></customwidget>
  <customwidget><class>qMRMLNodeComboBox</class><extends>QWidget</extends><header>x.h</header></customwidget>
  <customwidget><class>ctkSliderWidget</class><extends>QWidget</extends><header>x.h</header></customwidget>
 </customwidgets>
 <connections>
  <connection>
   <sender>Counter</sender><signal>mrmlSceneChanged(vtkMRMLScene*)</signal>
   <receiver>inputSelector</receiver><slot>setMRMLScene(vtkMRMLScene*)</slot>
  </connection>
 </connections>
</ui>
"""  # noqa: E501


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
    panelPicture(tmp_path / "panel.png")
    picture = Image.open(tmp_path / "panel.png")
    assert picture.size == (500, 900)
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
