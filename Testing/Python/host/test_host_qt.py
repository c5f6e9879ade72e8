"""The stand-in `qt` and `ctk`: what PythonQt lets pass and what it refuses."""

from __future__ import annotations

import pytest
from SlicerHost import availability

if availability.missing():
    pytest.skip(availability.missing(), allow_module_level=True)
pytest_plugins = ["SlicerHost.pytest_fixtures"]
pytestmark = pytest.mark.usefixtures("host")


def test_properties_are_attributes() -> None:
    import qt

    box = qt.QCheckBox("Stones")
    assert box.text == "Stones"
    box.checked = True
    assert box.checked is True
    box.setChecked(False)
    assert box.checked is False
    combo = qt.QComboBox()
    combo.addItems(["a", "b"])
    combo.currentIndex = 1
    assert (combo.count, combo.currentText) == (2, "b")


@pytest.mark.parametrize("name", ["text", "toolTip", "enabled", "objectName"])
def test_a_property_cannot_be_called(name: str) -> None:
    import qt

    with pytest.raises(TypeError, match="not callable"):
        getattr(qt.QPushButton("Segment"), name)()


@pytest.mark.parametrize(
    ("name", "value"), [("txt", "a"), ("text", 3), ("text", None), ("checked", "yes"), ("setText", None), ("x", 3)]
)
def test_attributes_that_pythonqt_refuses(name: str, value: object) -> None:
    import qt

    button = qt.QPushButton("Segment")
    with pytest.raises(AttributeError):
        setattr(button, name, value)
    assert button.text == "Segment"


def test_stand_ins_are_as_closed_as_cpp_objects() -> None:
    import ctk
    import slicer

    with pytest.raises(AttributeError):
        ctk.ctkCollapsibleButton().colapsed = True
    with pytest.raises(AttributeError):
        ctk.ctkCollapsibleButton().collapsed = "yes"
    with pytest.raises(AttributeError):
        slicer.qMRMLNodeComboBox().noneEnabled = None
    with pytest.raises(AttributeError):
        slicer.app.busy = True


def test_python_subclasses_may_have_attributes() -> None:
    import qt

    class Panel(qt.QWidget):
        pass

    panel = Panel()
    panel.findings = [1]
    assert panel.findings == [1]
    with pytest.raises(AttributeError):
        panel.enabled = "no"


@pytest.mark.parametrize("signature", ["clicked", "clicked(int)", "clciked()", "valueChanged(int)"])
def test_unknown_signals_are_refused(signature: str) -> None:
    import qt

    with pytest.raises(ValueError, match="signal|signature"):
        qt.QPushButton().connect(signature, print)


def test_connect_hands_on_the_arguments_of_the_signature() -> None:
    import qt

    button = qt.QPushButton()
    heard: list[object] = []
    button.connect("clicked()", lambda *arguments: heard.append(arguments))
    button.connect("clicked(bool)", lambda *arguments: heard.append(arguments))
    button.connect("clicked(bool)", lambda: heard.append("none taken"))
    button.clicked.connect(lambda: heard.append("signal"))
    button.click()
    assert heard == [(), (False,), "none taken", "signal"]


def test_disconnect() -> None:
    import qt

    box = qt.QSpinBox()
    heard: list[int] = []
    box.connect("valueChanged(int)", heard.append)
    box.value = 3
    assert box.disconnect("valueChanged(int)", heard.append)
    assert not box.disconnect("valueChanged(int)", heard.append)
    box.value = 5
    assert heard == [3]


def test_settings_lie_in_the_hosts_folder(host) -> None:
    import qt
    import slicer.util

    slicer.app.userSettings().setValue("KidneySeg/Device", "cpu")
    assert slicer.util.settingsValue("KidneySeg/Device", "auto") == "cpu"
    assert qt.QSettings().fileName().startswith(str(host.folder))


def test_section_folds_on_a_click_on_its_header() -> None:
    import ctk
    import qt
    from SlicerHost.hands import CannotReach, click

    section = ctk.ctkCollapsibleButton("Advanced")
    button = qt.QPushButton("Inside")
    hidden = qt.QPushButton("Hidden for itself")
    layout = qt.QVBoxLayout(section)
    layout.addWidget(button)
    layout.addWidget(hidden)
    hidden.hide()
    section.show()
    folded: list[bool] = []
    section.connect("contentsCollapsed(bool)", folded.append)
    click(section)
    assert section.collapsed
    with pytest.raises(CannotReach):
        click(button)
    click(section)
    click(button)
    assert folded == [True, False]
    assert not hidden.isVisible()


def test_slider_keeps_its_limits() -> None:
    import ctk

    slider = ctk.ctkSliderWidget()
    slider.minimum, slider.maximum, slider.singleStep = -200.0, 300.0, 0.5
    heard: list[float] = []
    slider.connect("valueChanged(double)", heard.append)
    slider.value = 1000.0
    assert slider.value == 300.0
    slider.slider().setValue(0)
    assert (slider.value, heard) == (-200.0, [300.0, -200.0])


def test_file_dialogs_are_answered_by_the_test(host, tmp_path) -> None:
    import ctk
    import qt

    line = ctk.ctkPathLineEdit()
    line.filters = ctk.ctkPathLineEdit.Dirs
    host.dialogs.answerPath(tmp_path)
    line.browse()
    assert line.currentPath == str(tmp_path)
    assert host.dialogs.shown[-1].kind == "file"
    with pytest.raises(AssertionError, match="nobody answered"):
        qt.QFileDialog.getOpenFileName(None, "Open", "")


def test_message_boxes_are_recorded_and_answered(host) -> None:
    import slicer.util

    slicer.util.errorDisplay("No kidney", detailedText="why")
    error = host.dialogs.shown[-1]
    assert (error.text, error.icon, error.detailedText) == ("No kidney", "Critical", "why")
    host.dialogs.answer("Yes", "No")
    assert slicer.util.confirmYesNoDisplay("Overwrite?") is True
    assert slicer.util.confirmYesNoDisplay("Overwrite?") is False
    with pytest.raises(AssertionError, match="nobody answered"):
        slicer.util.confirmOkCancelDisplay("Install?")


def test_after_a_message_the_main_window_is_in_front_again_and_the_message_is_gone(host) -> None:
    import qt
    import slicer.util

    host.dialogs.answer("Yes")
    assert slicer.util.confirmYesNoDisplay("Overwrite?")
    host.app.processEvents()
    assert qt.QApplication.activeWindow() is host.mainWindow
    host.deleteDoomed()
    assert host.mainWindow.findChildren(qt.QMessageBox) == []


def test_buttons_of_ones_own_are_clicked_by_their_text(host) -> None:
    import qt

    box = qt.QMessageBox()
    box.text = "torch is missing"
    install = box.addButton("&Install", qt.QMessageBox.AcceptRole)
    box.addButton("Not now", qt.QMessageBox.RejectRole)
    pressed: list[str] = []
    install.connect("clicked()", lambda: pressed.append("install"))
    host.dialogs.answer("Install")
    box.exec_()
    assert box.clickedButton() == install
    assert pressed == ["install"]
    assert host.dialogs.shown[-1].buttons == ("Install", "Not now")
    host.dialogs.answer("Later")
    with pytest.raises(AssertionError, match="no 'Later'"):
        box.exec_()


def test_own_dialogs_are_handled_by_the_test(host) -> None:
    import qt
    from SlicerHost.hands import write

    dialog = qt.QDialog()
    dialog.windowTitle = "Names"
    line = qt.QLineEdit(dialog)

    def answer(shown) -> None:
        write(line, "left")
        shown.accept()

    host.dialogs.handleNext(answer)
    assert dialog.exec_() == qt.QDialog.Accepted
    assert line.text == "left"


def test_try_with_error_display_shows_and_raises(host) -> None:
    import slicer.util

    with (
        pytest.raises(RuntimeError),
        slicer.util.tryWithErrorDisplay("It failed.", waitCursor=True),
    ):
        raise RuntimeError("no memory")
    assert host.dialogs.texts() == ["It failed.\n\nno memory"]


def test_names_of_pyside_are_not_there() -> None:
    import qt

    assert not hasattr(qt, "Signal")
    assert issubclass(qt.QCheckBox, qt.QAbstractButton)


def test_child_processes_tell_when_they_are_done() -> None:
    import qt
    from SlicerHost.hands import waitUntil

    process = qt.QProcess()
    done: list[int] = []
    process.connect("finished(int,QProcess::ExitStatus)", lambda code, _status: done.append(code))
    process.start("PythonSlicer", ["-c", "import numpy; print('ready'); raise SystemExit(3)"])
    waitUntil(lambda: bool(done), 60)
    assert done == [3]
    assert bytes(process.readAllStandardOutput().data()).strip() == b"ready"


def test_what_would_open_in_a_browser_is_recorded(host) -> None:
    import qt

    assert qt.QDesktopServices.openUrl(qt.QUrl("file:///report.pdf"))
    assert host.dialogs.shown[-1].text == "file:///report.pdf"


def test_errors_in_slots_are_kept(host) -> None:
    import qt

    def fail() -> None:
        raise RuntimeError("in a slot")

    button = qt.QPushButton()
    button.connect("clicked()", fail)
    button.click()
    assert "RuntimeError: in a slot" in host.uncaught.pop()


def test_errors_in_observers_are_kept(host) -> None:
    def fail(_caller: object, _event: str) -> None:
        raise RuntimeError("in an observer")

    tag = host.scene.AddObserver(host.scene.NodeAddedEvent, fail)
    host.scene.AddNewNodeByClass("vtkMRMLTextNode")
    host.scene.RemoveObserver(tag)
    assert "RuntimeError: in an observer" in host.uncaught.pop()
