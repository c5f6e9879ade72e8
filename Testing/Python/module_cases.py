"""What the tests of the Slicer module share: a volume node, a runner without networks, and the panel."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from conftest import ROOT
from numpy.typing import NDArray
from reporting_cases import findings_of, phantom
from result_cases import result_of

from KidneySegLib.volume import Volume, read_image

MODULE = ROOT / "KidneySeg" / "KidneySeg.py"
RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


class FakeRunner:
    """Answers as the engine does, with a label map that the test gives; `step()` and `end()` are the passing of time.

    The image that the panel wrote is read back by the engine's own reader, so that its geometry is put to the test.
    """

    def __init__(self, labels: Callable[[Volume], NDArray[np.uint8]]) -> None:
        self.labels = labels
        self.findings: Callable[[Volume, NDArray[np.uint8]], Any] = findings_of
        self.result: Callable[[Volume, NDArray[np.uint8]], Any] = self._result
        self.jobs: list[Any] = []
        self.images: list[Volume] = []
        self.cancels = 0
        self.abandoned = 0
        self.automatic = True
        self._onLine: Any = None
        self._onEnd: Any = None

    def start(self, job: Any, onLine: Any, onEnd: Any) -> None:  # noqa: N803
        self.jobs.append(job)
        self.images.append(read_image(job.folder / job.image))
        self._onLine, self._onEnd = onLine, onEnd
        if self.automatic:
            import qt

            qt.QTimer.singleShot(0, self._run)

    def cancel(self) -> None:
        self.cancels += 1

    def abandon(self, wait: bool = True) -> None:
        self.abandoned += 1
        self._onEnd = None

    def isRunning(self) -> bool:  # noqa: N802
        return self._onEnd is not None

    def _result(self, image: Volume, labels: NDArray[np.uint8]) -> Any:
        return result_of(image, labels, self.findings(image, labels))

    def _run(self) -> None:
        if self._onEnd is not None:
            self.step(0.5, "Outlining the kidneys")
            self.end(0)

    def step(self, fraction: float, message: str) -> None:
        self._onLine(json.dumps({"stage": "kidneys", "fraction": fraction, "message": message}), False)

    def complain(self, text: str) -> None:
        self._onLine(text, True)

    def end(self, exitCode: int) -> None:  # noqa: N803
        if exitCode == 0:
            image = self.images[-1]
            labels = self.labels(image)
            self.result(image, labels).write(self.jobs[-1].folder / self.jobs[-1].output)
        tell, self._onEnd = self._onEnd, None
        tell(exitCode)


class MeasuringRunner:
    """Measures in this process, by the engine's own command, as soon as the application has nothing else to do."""

    def __init__(self) -> None:
        self.jobs: list[Any] = []
        self.delay_ms = 0
        self._onEnd: Any = None

    def start(self, job: Any, onLine: Any, onEnd: Any) -> None:  # noqa: N803
        import qt

        assert self._onEnd is None, "one at a time"
        self.jobs.append(job)
        self._onEnd = onEnd
        qt.QTimer.singleShot(self.delay_ms, lambda: self._run(job, onLine))

    def cancel(self) -> None:
        raise AssertionError("nobody waits for it")

    def abandon(self, wait: bool = True) -> None:
        self._onEnd = None

    def isRunning(self) -> bool:  # noqa: N802
        return self._onEnd is not None

    def _run(self, job: Any, onLine: Any) -> None:  # noqa: N803
        import contextlib

        from typer.testing import CliRunner

        from KidneySegLib.commands.app import app

        if self._onEnd is None or job is not self.jobs[-1]:
            return
        with contextlib.chdir(job.folder):
            done = CliRunner().invoke(app, job.arguments())
        if done.exception is not None:
            onLine(f"kidneyseg: {done.exception}", True)
        tell, self._onEnd = self._onEnd, None
        tell(1 if done.exception is not None else 0)


def add_volume(volume: Volume, name: str = "ct") -> Any:
    """Puts an engine's volume into the scene."""
    import slicer.util

    return slicer.util.addVolumeFromArray(
        np.ascontiguousarray(volume.voxels), ijkToRAS=RAS @ np.array(volume.ijk_to_lps), name=name
    )


def open_panel(host: Any, labels: NDArray[np.uint8] | None = None) -> tuple[Any, FakeRunner]:
    """Opens the module with a fake runner, whose label map is that of the phantom unless another is given."""
    wanted = phantom()[1] if labels is None else labels
    widget = host.openModule(MODULE)
    runner = FakeRunner(lambda _image: wanted)
    widget.useRunner(runner, MeasuringRunner())
    return widget, runner


def segmented(host: Any, volume: Volume | None = None, labels: NDArray[np.uint8] | None = None) -> Any:
    """Returns the panel after a click on Segment and a result of the fake runner."""
    from SlicerHost.hands import click, waitUntil

    add_volume(phantom()[0] if volume is None else volume)
    widget, _runner = open_panel(host, labels)
    click(widget.ui.segmentButton)
    waitUntil(lambda: widget.runs.queue.current is None)
    assert widget.results.result is not None, widget.ui.statusLabel.text
    return widget


def speak(language: str) -> None:
    """Sets Slicer's language, as its settings have it."""
    import slicer

    slicer.app.userSettings().setValue("language", language)
    slicer.app.userSettings().setValue("Internationalization/Enabled", True)


def segment_tag(segment: Any, name: str) -> str:
    """Returns a tag of a segment; empty if it has none."""
    import vtk

    value = vtk.reference("")
    return str(value.get()) if segment.GetTag(name, value) else ""


def table_rows(table: Any) -> list[dict[str, str]]:
    """Returns the rows of a table node by column names."""
    names = [table.GetColumnName(n) for n in range(table.GetNumberOfColumns())]
    return [{name: table.GetCellText(row, n) for n, name in enumerate(names)} for row in range(table.GetNumberOfRows())]


def picture_folder(tmp_path: Path) -> Path:
    """Where tests put pictures: the folder named by KIDNEYSEG_PICTURES, or a temporary one."""
    import os

    folder = Path(os.environ.get("KIDNEYSEG_PICTURES", tmp_path))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def click_row(widget: Any, row: int) -> None:
    """Clicks on a row of the table."""
    import qt
    from PySide6.QtTest import QTest

    view = widget.ui.tableView
    place = view.visualRect(view.model().index(row, 0)).center()
    QTest.mouseClick(view.viewport(), qt.Qt.LeftButton, qt.Qt.NoModifier, place)
    qt.QApplication.processEvents()


def measure_now(widget: Any) -> None:
    """Clicks on *Measure now* and waits for the table."""
    from SlicerHost.hands import click, waitUntil

    click(widget.ui.recomputeButton)
    waitUntil(lambda: not widget.correction.isStale, 30)


def write_segment(result: Any, identifier: str, mask: np.ndarray) -> None:
    """Replaces the voxels of a segment, as scripts do; for Segment Editor's own logic see test_module_editor."""
    import slicer.util

    slicer.util.updateSegmentBinaryLabelmapFromArray(
        mask.astype(np.uint8), result.segmentationNode, identifier, result.volume
    )
