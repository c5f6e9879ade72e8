"""The panel itself: how wide it is, what its labels belong to, what it waits for, and the time that is left."""

from __future__ import annotations

import os
import signal
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from SlicerHost import availability

if availability.missing():
    pytest.skip(availability.missing(), allow_module_level=True)
pytest_plugins = ["SlicerHost.pytest_fixtures"]

from module_cases import MODULE, add_volume, open_panel, picture_folder, segmented, speak  # noqa: E402
from reporting_cases import phantom  # noqa: E402

UI = MODULE.parent / "Resources" / "UI" / "KidneySeg.ui"
# A dock of Slicer's main window at its narrowest; it has no horizontal scroll bar, and covers the views instead.
WIDEST = 400
SECTIONS = (
    "inputsSection",
    "resultSection",
    "candidatesSection",
    "correctionSection",
    "exportSection",
    "settingsSection",
)


def above(widget: Any) -> Iterator[Any]:
    """Yields what a widget lies in, the nearest first."""
    while (widget := widget.parentWidget()) is not None:
        yield widget


@pytest.mark.parametrize("language", ["en_US", "es_419", "tr_TR"])
def test_no_section_makes_the_panel_wider_than_a_narrow_dock(host: Any, language: str) -> None:
    import qt

    speak(language)
    widget = segmented(host)
    add_volume(phantom()[0], "12: Abdomen portal venous 1.0 B30f, a name such as scanners give " + "x" * 40)
    widget.ui.bundleComboBox.addItem(
        "A model of one's own, with a title that is longer than those that come with it", "own"
    )
    widget.ui.exportFolderButton.directory = "/a/folder/with/a/long/name/" + "x" * 80
    for name in ("progressWidget", "queueWidget", "logText", "candidatesSection"):
        getattr(widget.ui, name).setVisible(True)
    for name in SECTIONS:
        getattr(widget.ui, name).collapsed = False
    widget.ui.statusLabel.text = "A sentence that is as long as those of the engine are, with several words in it."
    host.mainWindow.resize(WIDEST, 900)
    host.app.processEvents()
    area = next(each for each in above(widget.ui.inputsSection) if isinstance(each, qt.QScrollArea))
    widths = {name: getattr(widget.ui, name).minimumSizeHint().width() for name in SECTIONS}
    bar = area.verticalScrollBar()
    assert bar.isVisible(), "the panel is higher than the window"
    assert area.widget().minimumSizeHint().width() + bar.width <= WIDEST, widths
    assert area.horizontalScrollBar().maximum == 0


def test_the_table_fits_a_narrow_dock_with_units_in_its_headings(host: Any, tmp_path: Path) -> None:
    import qt
    from SlicerHost.pictures import panelPicture

    widget = segmented(host)
    host.mainWindow.resize(WIDEST, 1250)
    host.app.processEvents()
    widget.results.update()
    host.app.processEvents()
    view = widget.ui.tableView
    titles = [view.model().headerData(column, qt.Qt.Horizontal) for column in range(view.model().columnCount())]
    assert {"Volume (ml)", "Axial Ø (mm)", "3D Ø (mm)", "HU"} <= set(titles)
    assert view.width <= WIDEST and view.horizontalScrollBar().maximum == 0, [view.columnWidth(n) for n in range(8)]
    assert view.verticalScrollBar().maximum == 0, "all rows are seen"
    panelPicture(picture_folder(tmp_path) / "panel_narrow.png")
    header, metrics = view.horizontalHeader(), qt.QFontMetrics(view.font)
    for column, title in enumerate(titles):
        words = title.split()
        fits = [
            max(metrics.horizontalAdvance(" ".join(part)) for part in (words[:cut], words[cut:]))
            for cut in range(1, len(words) + 1)
        ]
        assert min(fits) <= view.columnWidth(column), f"{title} takes more than two lines"
    assert header.height >= 2 * metrics.height()
    widths = [view.columnWidth(n) for n in range(len(titles) - 1)]  # the last one takes what is left
    widget.results.result.table.Modified()  # as when the scene is saved
    host.app.processEvents()
    assert [view.columnWidth(n) for n in range(len(widths))] == widths


def test_a_panel_that_nobody_touches_does_nothing(host: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fitting a table once asked for itself at each round of the event loop, and kept a processor busy for ever."""
    widget = segmented(host)
    from KidneySegWidgets.panels import fitting

    fits, really = [], fitting.fitTable
    monkeypatch.setattr(fitting, "fitTable", lambda view: (fits.append(view), really(view)))
    for _round in range(10):
        host.app.processEvents()
    settled = len(fits)
    for _round in range(20):
        host.app.processEvents()
    assert len(fits) == settled
    host.mainWindow.resize(host.mainWindow.width + 200, 1250)
    for _round in range(10):
        host.app.processEvents()
    wider = len(fits)
    assert widget.ui.tableView in fits[settled:], "a dock that is made wider has room for larger letters"
    for _round in range(20):
        host.app.processEvents()
    assert len(fits) == wider
    host.mainWindow.resize(WIDEST, 1250)
    for _round in range(10):
        host.app.processEvents()
    narrower, view = len(fits), widget.ui.tableView
    assert view.horizontalScrollBar().maximum == 0 and view.verticalScrollBar().maximum == 0, "made narrower by hand"
    for _round in range(20):
        host.app.processEvents()
    assert len(fits) == narrower


def test_every_label_of_a_form_belongs_to_what_stands_beside_it() -> None:
    tree = ET.parse(UI).getroot()
    names = {widget.get("name") for widget in tree.iter("widget")}
    labels = [w for w in tree.iter("widget") if (w.get("name") or "").startswith("formLabel")]
    assert len(labels) > 10
    for label in labels:
        buddy = label.find("property[@name='buddy']/cstring")
        assert buddy is not None and buddy.text in names, label.get("name")


def test_the_time_that_is_left_never_climbs(host: Any) -> None:
    """The first stages are fast; "about 7 s left" climbed to 44 s."""
    host.loadModule(MODULE)
    from KidneySegWidgets.run.progress import RemainingTime

    now = 0.0
    remaining = RemainingTime(lambda: now)
    said = []
    for step in range(1, 101):
        now += 0.05 if step < 40 else 1.0 if step < 70 else 0.02
        text = remaining.text(step / 100)
        if text:
            said.append(int(text.split()[1]))
    assert said and said == sorted(said, reverse=True)
    assert remaining.text(0.05) == "", "too early to tell"
    now = 0.0
    slow = RemainingTime(lambda: now)
    now = 600.0
    assert slow.text(0.5) == "about 10 min left"


@pytest.fixture
def fake_driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A program `nvidia-smi` that answers when a file appears."""
    if os.name != "posix":
        pytest.skip("a shell script")
    answer = tmp_path / "answer"
    program = tmp_path / "bin" / "nvidia-smi"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nwhile [ ! -f "{answer}" ]; do sleep 0.05; done\ncat "{answer}"\n', encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    yield answer
    answer.touch()


def test_graphics_cards_are_asked_for_without_waiting(host: Any, fake_driver: Path) -> None:
    from SlicerHost.hands import choose, waitUntil

    widget, _runner = open_panel(host)
    box = widget.ui.deviceComboBox
    assert [box.itemData(n) for n in range(box.count)] == ["auto", "cpu"], "the driver has not answered yet"
    choose(box, "CPU")
    fake_driver.write_text("GPU 0: one\nGPU 1: two\n", encoding="utf-8")
    waitUntil(lambda: box.count > 2)
    assert [box.itemData(n) for n in range(box.count)] == ["auto", "cpu", "cuda:0", "cuda:1"]
    assert box.currentData == "cpu" and widget.logic.getParameterNode().device == "cpu"


def test_a_driver_that_never_answers_is_not_waited_for(host: Any, fake_driver: Path) -> None:
    widget, _runner = open_panel(host)
    process = widget.inputs._cards._process
    assert process.poll() is None
    widget.cleanup()
    assert process.poll() is not None


@pytest.mark.skipif(os.name != "posix", reason="process groups")
@pytest.mark.parametrize("ended", [True, False])
def test_a_group_that_must_not_be_signalled_is_no_error(
    host: Any, ended: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """macOS says so of a group that holds nothing but an ended process."""
    host.loadModule(MODULE)
    from KidneySegWidgets.engine import processTree

    def refuse(_group: int, _signal: int) -> None:
        raise PermissionError

    monkeypatch.setattr(processTree.os, "killpg", refuse)
    process = subprocess.Popen(["sleep", "0" if ended else "60"], text=True)
    if ended:
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    processTree.endProcessTree(process)
    assert process.wait(5) == (0 if ended else -signal.SIGKILL)
