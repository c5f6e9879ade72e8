"""Stand-ins of Slicer's widgets, from a `.ui` file as Designer writes it, driven by clicks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from SlicerHost import availability

if availability.missing():
    pytest.skip(availability.missing(), allow_module_level=True)
pytest_plugins = ["SlicerHost.pytest_fixtures"]

FORM = """<?xml version="1.0" encoding="UTF-8"?>
<ui version="4.0">
 <class>Panel</class>
 <widget class="qMRMLWidget" name="Panel">
  <layout class="QVBoxLayout" name="verticalLayout">
   <item>
    <widget class="ctkCollapsibleButton" name="inputs">
     <property name="text"><string>Inputs</string></property>
     <layout class="QFormLayout" name="formLayout">
      <item row="0" column="1">
       <widget class="qMRMLNodeComboBox" name="inputVolume">
        <property name="nodeTypes">
         <stringlist notr="true"><string>vtkMRMLScalarVolumeNode</string></stringlist>
        </property>
        <property name="showChildNodeTypes"><bool>false</bool></property>
        <property name="addEnabled"><bool>false</bool></property>
        <property name="noneEnabled"><bool>true</bool></property>
        <property name="SlicerParameterName" stdset="0"><string>inputVolume</string></property>
       </widget>
      </item>
     </layout>
    </widget>
   </item>
   <item>
    <widget class="QPushButton" name="segment">
     <property name="enabled"><bool>false</bool></property>
     <property name="text"><string>Segment</string></property>
    </widget>
   </item>
   <item><widget class="qMRMLSegmentsTableView" name="segments"/></item>
   <item><widget class="qMRMLTableView" name="table"/></item>
  </layout>
 </widget>
 <customwidgets>
  <customwidget><class>qMRMLWidget</class><extends>QWidget</extends><header>qMRMLWidget.h</header></customwidget>
  <customwidget><class>qMRMLNodeComboBox</class><extends>QWidget</extends><header>x.h</header></customwidget>
  <customwidget><class>qMRMLTableView</class><extends>QTableView</extends><header>x.h</header></customwidget>
  <customwidget><class>qMRMLSegmentsTableView</class><extends>QWidget</extends><header>x.h</header></customwidget>
  <customwidget><class>ctkCollapsibleButton</class><extends>QWidget</extends><header>x.h</header>
   <container>1</container></customwidget>
 </customwidgets>
 <connections>
  <connection>
   <sender>Panel</sender><signal>mrmlSceneChanged(vtkMRMLScene*)</signal>
   <receiver>inputVolume</receiver><slot>setMRMLScene(vtkMRMLScene*)</slot>
  </connection>
  <connection>
   <sender>inputVolume</sender><signal>currentNodeChanged(bool)</signal>
   <receiver>segment</receiver><slot>setEnabled(bool)</slot>
  </connection>
 </connections>
</ui>
"""


def load(folder: Path, form: str = FORM) -> Any:
    import slicer.util

    path = folder / "Panel.ui"
    path.write_text(form, encoding="utf-8")
    return slicer.util.loadUI(str(path))


def segmentation(host: Any) -> Any:
    import slicer.util

    volume = slicer.util.addVolumeFromArray(np.zeros((4, 5, 6), np.int16), name="CT")
    node = host.scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Kidneys")
    node.CreateDefaultDisplayNodes()
    node.SetReferenceImageGeometryParameterFromVolumeNode(volume)
    for name in ("right", "left"):
        node.GetSegmentation().AddEmptySegment(name, f"{name} kidney", [1.0, 0.5, 0.0])
    return node


def test_form_loads_and_clicks_drive_it(host, tmp_path) -> None:
    import slicer.util
    from SlicerHost.hands import CannotReach, choose, click

    panel = load(tmp_path)
    ui = slicer.util.childWidgetVariables(panel)
    panel.setMRMLScene(slicer.mrmlScene)
    host.scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "CT")
    host.scene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode", "labels")
    panel.show()
    pressed: list[str] = []
    ui.segment.connect("clicked()", lambda: pressed.append(ui.inputVolume.currentNode().GetName()))
    assert ui.inputVolume.property("SlicerParameterName") == "inputVolume"
    assert ui.inputVolume.nodeCount() == 1  # a label map is a child type
    with pytest.raises(CannotReach, match="disabled"):
        click(ui.segment)
    choose(ui.inputVolume, "CT")
    click(ui.segment)
    assert pressed == ["CT"]
    click(ui.inputs)
    with pytest.raises(CannotReach, match="not visible"):
        choose(ui.inputVolume, "None")


def test_a_section_that_a_form_folds_is_folded(host, tmp_path) -> None:
    import slicer.util
    from SlicerHost.hands import click

    title = '<property name="text"><string>Inputs</string></property>'
    folded = f'{title}<property name="collapsed"><bool>true</bool></property>'
    panel = load(tmp_path, FORM.replace(title, folded))
    ui = slicer.util.childWidgetVariables(panel)
    panel.show()
    host.app.processEvents()
    assert ui.inputs.collapsed
    assert not ui.inputVolume.isVisible()
    click(ui.inputs)
    assert ui.inputVolume.isVisible()


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('class="QPushButton"', 'class="qMRMLUnknownWidget"', "no stand-in"),
        ('<property name="noneEnabled">', '<property name="noneEnable">', "no property 'noneEnable'"),
        ("<slot>setEnabled(bool)</slot>", "<slot>setEnable(bool)</slot>", "cannot connect"),
        ("currentNodeChanged(bool)", "currentNodeChanged(int)", "no signal"),
        ("<class>qMRMLTableView</class>", "<class>qMRMLSliderWidget</class>", "not declared"),
    ],
)
def test_forms_that_slicer_would_not_show_are_refused(host, tmp_path, old: str, new: str, words: str) -> None:
    assert old in FORM
    with pytest.raises((RuntimeError, ValueError), match=words):
        load(tmp_path, FORM.replace(old, new))


def test_node_combo_box_follows_the_scene(host) -> None:
    import slicer

    box = slicer.qMRMLNodeComboBox()
    box.nodeTypes = ["vtkMRMLScalarVolumeNode"]
    chosen: list[str | None] = []
    box.connect("currentNodeChanged(vtkMRMLNode*)", lambda node: chosen.append(node and node.GetName()))
    box.setMRMLScene(host.scene)
    first = host.scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "one")
    second = host.scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "two")
    box.setCurrentNode(second)
    second.SetName("renamed")
    assert box.comboBox().currentText == "renamed"
    host.scene.RemoveNode(second)
    assert box.currentNode() is first
    first.SetHideFromEditors(True)
    third = host.scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "three")
    assert box.currentNodeID == third.GetID()
    box.setCurrentNode(host.scene.AddNewNodeByClass("vtkMRMLTableNode"))
    assert box.currentNode() is None
    assert chosen == ["one", "two", "one", "three", None]


def test_node_combo_box_makes_and_deletes_nodes(host) -> None:
    import slicer
    from SlicerHost.hands import choose

    box = slicer.qMRMLNodeComboBox()
    box.nodeTypes = ["vtkMRMLSegmentationNode"]
    box.baseName = "Kidneys"
    box.noneEnabled = True
    box.setMRMLScene(host.scene)
    box.show()
    choose(box, "Create new Segmentation")
    assert box.currentNode().GetName() == "Kidneys"
    choose(box, "Delete current Segmentation")
    assert box.currentNode() is None
    assert host.scene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode") == 0


def test_a_dropped_widget_hears_no_more(host) -> None:
    import slicer

    box = slicer.qMRMLNodeComboBox()
    box.nodeTypes = ["vtkMRMLScalarVolumeNode"]
    box.setMRMLScene(host.scene)
    box.deleteLater()
    host.deleteDoomed()
    with pytest.raises(RuntimeError, match="already deleted"):
        box.comboBox().clear()
    host.scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode")
    assert host.uncaught == []


def test_table_view_shows_a_table_and_selects(host) -> None:
    import qt
    import slicer
    import slicer.util
    from PySide6.QtTest import QTest

    table = host.scene.AddNewNodeByClass("vtkMRMLTableNode")
    slicer.util.updateTableFromArray(table, [np.array([1, 2]), np.array([151.5, 160.25])], ["label", "volume_ml"])
    table.SetLocked(True)
    view = slicer.qMRMLTableView()
    view.setMRMLTableNode(table)
    view.setSelectionBehavior(qt.QAbstractItemView.SelectRows)
    view.show()
    model = view.model()
    assert (model.rowCount(), model.columnCount()) == (2, 2)
    assert model.headerData(1, qt.Qt.Horizontal) == "volume_ml"
    clicked: list[int] = []
    view.connect("clicked(QModelIndex)", lambda index: clicked.append(index.row()))
    host.app.processEvents()
    place = view.visualRect(model.index(1, 0)).center()
    QTest.mouseClick(view.viewport(), qt.Qt.LeftButton, qt.Qt.NoModifier, place)
    assert clicked == [1]
    assert {index.row() for index in view.selectedIndexes()} == {1}
    slicer.util.updateTableFromArray(table, [np.array([5])], ["label"])
    assert (model.rowCount(), model.columnCount()) == (1, 1)
    host.scene.StartState(host.scene.BatchProcessState)
    host.scene.EndState(host.scene.BatchProcessState)
    assert view.mrmlTableNode() is table, "a view without a scene does not care"
    assert not model.item(0, 0).isEditable()
    table.SetLocked(False)
    view.transposed = True
    assert (model.rowCount(), model.columnCount()) == (table.GetNumberOfColumns(), table.GetNumberOfRows())
    assert model.verticalHeaderItem(0).text() == "label"
    model.item(0, 0).setText("7")
    assert table.GetCellText(0, 0) == "7"
    with pytest.raises(TypeError):
        view.setMRMLTableNode(host.scene.AddNewNodeByClass("vtkMRMLTextNode"))
    view.setMRMLScene(host.scene)
    assert view.mrmlTableNode() is table
    host.scene.StartState(host.scene.BatchProcessState)
    host.scene.EndState(host.scene.BatchProcessState)
    assert view.mrmlTableNode() is None, "with one it shows the table of its view node, and there is none"


def test_segments_table_lists_selects_and_hides(host) -> None:
    import qt
    import slicer

    node = segmentation(host)
    view = slicer.qMRMLSegmentsTableView()
    view.setMRMLScene(host.scene)
    view.setSegmentationNode(node)
    view.show()
    assert view.segmentCount() == 2
    view.setSelectedSegmentIDs(["left"])
    assert view.selectedSegmentIDs() == ["left"]
    view.tableWidget().item(1, 0).setCheckState(qt.Qt.Unchecked)
    assert not node.GetDisplayNode().GetSegmentVisibility("left")
    node.GetSegmentation().GetSegment("right").SetName("Right")
    assert view.tableWidget().item(0, 2).text() == "Right"
    node.GetSegmentation().RemoveSegment("right")
    assert view.segmentCount() == 1
    assert view.selectedSegmentIDs() == ["left"]
