"""The stand-in parameterNodeWrapper: values in a node of the scene, in files, and in widgets.

No `from __future__ import annotations` here: types that are written as texts are looked up among the file's globals (in
Slicer, too), and slicer's are not there before the host runs.
"""

import enum
from pathlib import Path
from typing import Annotated

import numpy as np
import pytest
from SlicerHost import availability

if availability.missing():
    pytest.skip(availability.missing(), allow_module_level=True)
pytest_plugins = ["SlicerHost.pytest_fixtures"]
pytestmark = pytest.mark.usefixtures("host")


class Device(enum.Enum):
    AUTO = "auto"
    CPU = "cpu"

    def label(self) -> str:
        return {"auto": "Automatic", "cpu": "Processor"}[self.value]


@pytest.fixture
def kinds(host) -> dict[str, type]:
    """The wrapper and the pack under test; slicer exists only once the host runs."""
    import slicer
    from slicer.parameterNodeWrapper import Choice, Decimals, Default, WithinRange, parameterNodeWrapper, parameterPack

    @parameterPack
    class Window:
        low: Annotated[float, WithinRange(-1024, 3071)] = -160.0
        high: float = 240.0

    @parameterNodeWrapper
    class Parameters:
        inputVolume: slicer.vtkMRMLScalarVolumeNode  # noqa: N815
        output: slicer.vtkMRMLSegmentationNode | None
        model: Annotated[str, Choice(["ct-kidney", "ct-slice"])] = "ct-kidney"
        threshold: Annotated[float, WithinRange(0, 1), Decimals(2)] = 0.65
        tiles: Annotated[int, Default(4)]
        stones: bool = True
        device: Device
        folder: Path
        names: list[str] = ["right"]
        volumes: dict[str, float]
        extent: tuple[int, int]
        note: str | None
        window: Window

    return {"Parameters": Parameters, "Window": Window}


@pytest.fixture
def node(host):
    from slicer.ScriptedLoadableModule import ScriptedLoadableModuleLogic

    class ParametersTestLogic(ScriptedLoadableModuleLogic):
        pass

    return ParametersTestLogic().getParameterNode()


def test_defaults(kinds, node) -> None:
    parameters = kinds["Parameters"](node)
    assert parameters.inputVolume is None
    assert (parameters.model, parameters.threshold, parameters.tiles, parameters.stones) == ("ct-kidney", 0.65, 4, True)
    assert (parameters.device, parameters.folder) == (Device.AUTO, Path())
    assert (parameters.names, parameters.volumes, parameters.extent) == (["right"], {}, (0, 0))
    assert parameters.note is None
    assert parameters.window == kinds["Window"](-160.0, 240.0)
    assert parameters.default("tiles").value == 4


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("threshold", 1.5),
        ("threshold", "half"),
        ("tiles", 2.5),
        ("tiles", True),
        ("stones", "no"),
        ("model", "unknown"),
        ("device", "cpu"),
        ("names", ["left", 3]),
        ("extent", (1, 2, 3)),
        ("window", (0, 1)),
    ],
)
def test_wrong_values_are_refused(kinds, node, name: str, value: object) -> None:
    parameters = kinds["Parameters"](node)
    before = getattr(parameters, name)
    with pytest.raises((TypeError, ValueError)):
        setattr(parameters, name, value)
    assert getattr(parameters, name) == before


def test_a_misspelt_parameter_is_refused(kinds, node) -> None:
    with pytest.raises(AttributeError):
        kinds["Parameters"](node).inputVolum = None


def test_nodes_of_other_classes_are_refused(host, kinds, node) -> None:
    parameters = kinds["Parameters"](node)
    with pytest.raises(TypeError, match="vtkMRMLTableNode"):
        parameters.inputVolume = host.scene.AddNewNodeByClass("vtkMRMLTableNode")
    volume = host.scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode")
    parameters.inputVolume = volume
    assert parameters.inputVolume is volume
    host.scene.RemoveNode(volume)
    assert parameters.inputVolume is None


def test_two_wrappers_of_a_node_share_values(kinds, node) -> None:
    one, other = kinds["Parameters"](node), kinds["Parameters"](node)
    one.names = ["left", "right"]
    one.window.low = -100.0
    assert other.names == ["left", "right"]
    assert other.window.low == -100.0
    other.setValue("window.high", 300)
    assert one.getValue("window.high") == 300.0
    with pytest.raises(ValueError, match="within range"):
        one.window.low = -5000.0


def test_observers_hear_changes(kinds, node) -> None:
    import vtk

    parameters = kinds["Parameters"](node)
    heard: list[int] = []
    tag = parameters.AddObserver(vtk.vtkCommand.ModifiedEvent, lambda *_: heard.append(parameters.tiles))
    parameters.tiles = 8
    parameters.RemoveObserver(tag)
    parameters.tiles = 9
    assert heard == [8]


def test_an_mrb_brings_the_parameters_back(host, kinds, node, tmp_path) -> None:
    import slicer.util

    parameters = kinds["Parameters"](node)
    volume = slicer.util.addVolumeFromArray(np.zeros((2, 3, 4), np.int16), name="CT")
    parameters.inputVolume = volume
    parameters.model, parameters.threshold, parameters.stones = "ct-slice", 0.25, False
    parameters.device, parameters.folder = Device.CPU, Path("/data/exams")
    parameters.names, parameters.volumes, parameters.extent = ["ä", "b"], {"right": 151.5}, (3, 9)
    parameters.note = "checked"
    parameters.window = kinds["Window"](-50.0, 150.0)
    path = tmp_path / "scene.mrb"
    assert slicer.util.saveScene(str(path))
    host.clearScene()
    assert slicer.mrmlScene.GetSingletonNode("ParametersTest", "vtkMRMLScriptedModuleNode") is None
    slicer.util.loadScene(str(path))
    restored = kinds["Parameters"](slicer.mrmlScene.GetSingletonNode("ParametersTest", "vtkMRMLScriptedModuleNode"))
    assert restored.inputVolume.GetName() == "CT"
    assert (restored.model, restored.threshold, restored.stones) == ("ct-slice", 0.25, False)
    assert (restored.device, restored.folder) == (Device.CPU, Path("/data/exams"))
    assert (restored.names, restored.volumes, restored.extent) == (["ä", "b"], {"right": 151.5}, (3, 9))
    assert restored.note == "checked"
    assert restored.window == kinds["Window"](-50.0, 150.0)


def test_widgets_follow_the_parameters_and_set_them(host, kinds, node) -> None:
    import ctk
    import qt
    import slicer
    from SlicerHost.hands import choose, click, write

    made = {
        "stones": qt.QCheckBox("Stones"),
        "device": qt.QComboBox(),
        "model": qt.QComboBox(),
        "threshold": ctk.ctkSliderWidget(),
        "tiles": qt.QSpinBox(),
        "folder": ctk.ctkPathLineEdit(),
        "inputVolume": slicer.qMRMLNodeComboBox(),
        "window.high": qt.QDoubleSpinBox(),
    }
    panel = qt.QWidget()
    layout = qt.QVBoxLayout(panel)
    for name, widget in made.items():
        widget.setProperty("SlicerParameterName", name)
        layout.addWidget(widget)
    made["inputVolume"].nodeTypes = ["vtkMRMLScalarVolumeNode"]
    made["inputVolume"].noneEnabled = True
    made["inputVolume"].setMRMLScene(host.scene)
    volume = host.scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "CT")
    panel.show()

    parameters = kinds["Parameters"](node)
    assert parameters.connectGui(panel) is None
    assert made["stones"].checked
    assert made["device"].currentText == "Automatic"
    assert (made["threshold"].minimum, made["threshold"].maximum, made["threshold"].value) == (0.0, 1.0, 0.65)
    parameters.folder = Path("/data")
    assert made["folder"].currentPath == "/data"

    click(made["stones"])
    choose(made["device"], "Processor")
    choose(made["model"], "ct-slice")
    choose(made["inputVolume"], "CT")
    write(made["tiles"], "12")
    made["window.high"].value = 99.0
    assert (parameters.stones, parameters.device, parameters.model) == (False, Device.CPU, "ct-slice")
    assert parameters.inputVolume is volume
    assert (parameters.tiles, parameters.window.high) == (12, 99.0)

    parameters.disconnectGui(None)
    click(made["stones"])
    assert parameters.stones is True, "Slicer's connectGui gives no tag, so nothing was disconnected"


def test_widgets_connected_by_name_can_be_disconnected(kinds, node) -> None:
    import qt
    from SlicerHost.hands import click

    stones, tiles = qt.QCheckBox("Stones"), qt.QSpinBox()
    stones.show()
    parameters = kinds["Parameters"](node)
    tag = parameters.connectParametersToGui({"stones": stones, "tiles": tiles})
    click(stones)
    assert parameters.stones is False
    parameters.disconnectGui(tag)
    click(stones)
    parameters.tiles = 3
    assert parameters.stones is False
    assert tiles.value != 3


def test_a_combo_box_needs_choices(kinds, node) -> None:
    import qt

    with pytest.raises(RuntimeError):
        kinds["Parameters"](node).connectParametersToGui({"note": qt.QComboBox()})
    with pytest.raises(ValueError, match="Cannot find"):
        kinds["Parameters"](node).connectParametersToGui({"unknown": qt.QCheckBox()})


def test_reserved_names_and_unknown_types_are_refused() -> None:
    from slicer.parameterNodeWrapper import NotSupported, parameterNodeWrapper

    with pytest.raises(ValueError, match="reserved"):
        parameterNodeWrapper(type("P", (), {"__annotations__": {"connectGui": int}}))
    with pytest.raises(NotSupported):
        parameterNodeWrapper(type("P", (), {"__annotations__": {"value": complex}}))


def test_validators_and_connectors_without_their_methods_are_refused(host) -> None:
    import qt
    from slicer.parameterNodeWrapper import GuiConnector, Validator

    with pytest.raises(TypeError, match="validate"):
        type("Forgetful", (Validator,), {})()
    with pytest.raises(TypeError, match="canRepresent"):
        type("Forgetful", (GuiConnector,), {})(qt.QLabel(), str)
