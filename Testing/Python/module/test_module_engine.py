"""The module with the real engine in a child process."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from SlicerHost import availability

if availability.missing():
    pytest.skip(availability.missing(), allow_module_level=True)
pytest.importorskip("torch", reason="the real engine needs torch")
pytest_plugins = ["SlicerHost.pytest_fixtures"]

from editor_cases import Editor, measured  # noqa: E402
from module_cases import MODULE, RAS, add_volume, picture_folder, segmented, table_rows, write_segment  # noqa: E402
from reporting_cases import phantom  # noqa: E402

from KidneySegLib.resources import resource_folder  # noqa: E402
from KidneySegLib.volume import read_image  # noqa: E402

if not (resource_folder() / "Models" / "ct-kidney" / "weights.safetensors").is_file():
    pytest.skip("the model bundle ct-kidney is not here", allow_module_level=True)

# How long a run may take before it is taken for one that hangs; other programs may need the processor, too.
SECONDS = 1200
pytestmark = pytest.mark.timeout(2 * SECONDS)


def is_running(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in ("Z", "X")


def test_real_exam_from_click_to_table(host: Any, shared_data: Path, tmp_path: Path) -> None:
    import slicer.util
    from SlicerHost.hands import click, waitUntil
    from SlicerHost.pictures import panelPicture

    exam = shared_data / "ct" / "validation" / "lits0"
    if not (exam / "image.nii.gz").is_file():
        pytest.skip("the exam lits0 is not here")
    slicer.util.loadVolume(str(exam / "image.nii.gz"))
    widget = host.openModule(MODULE)
    widget.logic.getParameterNode().device = "cpu"
    host.mainWindow.resize(520, 1250)
    messages: list[str] = []
    click(widget.ui.segmentButton)
    folder = widget.runs.queue.current.folder
    pictures = picture_folder(tmp_path)

    def finished() -> bool:
        text = widget.ui.statusLabel.text
        if text not in messages:
            messages.append(text)
            if len(messages) == 5:
                panelPicture(pictures / "panel_running.png")
        return widget.runs.queue.current is None

    waitUntil(finished, SECONDS)
    assert widget.results.result is not None, messages
    assert len({text.split(": ")[1].split(",")[0] for text in messages}) >= 4, f"stages are shown: {messages}"
    assert any("left" in text for text in messages), "and the time that is left"
    assert not folder.exists()
    result = widget.results.result
    truth = read_image(exam / "mask.nii.gz")
    for identifier, label in (("kidney_right", 1), ("kidney_left", 2)):
        drawn = slicer.util.arrayFromSegmentBinaryLabelmap(result.segmentationNode, identifier, result.volume) > 0
        points = np.argwhere(drawn)[:, ::-1]
        lps = points @ _to_lps(result.volume)[:3, :3].T + _to_lps(result.volume)[:3, 3]
        kji = truth.to_kji(lps).round().astype(int)
        inside = (truth.voxels[tuple(kji.T)] == label).mean()
        assert inside > 0.85, f"{identifier}: {inside:.2f} of the outline lies in the reference"
    findings = result.findings()
    rows = table_rows(result.table)
    volumes = [kidney.measures.volume_ml for kidney in findings.kidneys]
    assert [float(row["volume_ml"]) for row in rows[:2]] == pytest.approx(volumes, rel=0.005)
    assert findings.provenance.bundles[0].name == "ct-kidney"
    assert findings.provenance.device.startswith("cpu")
    assert host.dialogs.texts() == []
    panelPicture(pictures / "panel_real.png")
    if not availability.missingForPictures():
        _take_views(widget, pictures, "real")
    _correct_save_and_export(host, widget, tmp_path)


def _correct_save_and_export(host: Any, widget: Any, folder: Path) -> None:
    """What a reader does next with the real exam: corrects, saves the scene, opens it again, exports."""
    import slicer
    from SlicerHost.hands import click, waitUntil

    volume_ml = widget.results.result.findings().kidneys[1].measures.volume_ml
    labels = slicer.util.arrayFromVolume(widget.results.result.networkLabels)
    gone = labels == 2
    gone[: int(np.median(np.nonzero(gone)[0]))] = False
    voxel_ml = np.prod(widget.results.result.volume.GetSpacing()) / 1000
    Editor(host, widget).stroke("kidney_left", gone, "remove")
    rows = measured(widget)
    rest_ml = widget.results.result.findings().kidneys[1].measures.volume_ml
    assert rest_ml == pytest.approx(volume_ml - gone.sum() * voxel_ml, abs=0.01)
    assert float(rows[1]["volume_ml"]) == pytest.approx(rest_ml, rel=0.005)
    host.mainWindow.moduleSelector().selectModule("KidneySeg")
    assert slicer.util.saveScene(str(folder / "scene.mrb"))
    slicer.mrmlScene.Clear(0)
    slicer.util.loadScene(str(folder / "scene.mrb"))
    host.app.processEvents()
    assert table_rows(widget.ui.tableView.mrmlTableNode()) == rows
    assert "Left kidney" in widget.ui.correctionLabel.text
    widget.ui.exportSection.collapsed = False
    widget.ui.exportFolderButton.directory = str(folder)
    host.app.processEvents()
    click(widget.ui.exportButton)
    waitUntil(lambda: not widget.exports.isWriting, SECONDS)
    exported = read_image(folder / "KidneySeg_1" / "labels.nii.gz")
    node = widget.results.result.volume
    assert (exported.voxels == 2).sum() * voxel_ml == pytest.approx(rest_ml, abs=0.01)
    corner = [0, 0, 0, 1]
    np.testing.assert_allclose(exported.to_lps(np.zeros(3)), (_to_lps(node) @ corner)[:3], atol=0.05)
    assert (folder / "KidneySeg_1" / "report.pdf").is_file()


def _take_views(widget: Any, pictures: Path, name: str) -> None:
    """Writes pictures of the views, for the eye."""
    import slicer
    from SlicerHost.pictures import slicePicture, threeDPicture

    volume = widget.results.result.volume
    slicer.util.setSliceViewerLayers(background=volume)
    volume.GetDisplayNode().SetAutoWindowLevel(False)
    volume.GetDisplayNode().SetWindowLevel(400, 40)
    findings = widget.results.result.findings()
    widget.ui.tableView.selectRow(len(findings.kidneys) if findings.lesions else 0)
    for view in ("Red", "Green"):
        height = slicer.app.layoutManager().sliceWidget(view).sliceLogic().GetSliceOffset()
        assert slicePicture(pictures / f"{name}_{view}.png", view, height, (600, 600)).std() > 10
    widget.ui.show3DButton.checked = True
    assert threeDPicture(pictures / f"{name}_3D.png", size=(600, 450)).std() > 10


def _to_lps(node: Any) -> np.ndarray:
    import slicer.util
    import vtk

    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    return RAS @ slicer.util.arrayFromVTKMatrix(matrix)


def test_cancel_midway_ends_the_process_and_leaves_nothing(host: Any) -> None:
    import slicer.util
    from SlicerHost.hands import click, waitUntil

    add_volume(phantom(size=(120, 160, 160))[0])
    widget = host.openModule(MODULE)
    click(widget.ui.segmentButton)
    folder = widget.runs.queue.current.folder
    pid = widget.logic.runner.processIdentifier()
    waitUntil(lambda: widget.ui.progressBar.value > 0, SECONDS)
    assert is_running(pid)
    click(widget.ui.cancelButton)
    waitUntil(lambda: widget.runs.queue.current is None, 120)
    assert not is_running(pid)
    assert "cancelled" in widget.ui.statusLabel.text
    assert not folder.exists()
    assert slicer.util.getNodesByClass("vtkMRMLSegmentationNode") == []
    assert widget.ui.segmentButton.enabled and host.dialogs.texts() == []


@pytest.mark.parametrize(
    ("language", "sentence"),
    [("en_US", "All voxels of the image have the same value"), ("tr_TR", "Görüntünün tüm vokselleri aynı değerde")],
)
def test_unusable_volume_gets_the_engines_own_sentence(host: Any, language: str, sentence: str) -> None:
    import slicer
    from SlicerHost.hands import click, waitUntil

    from KidneySegLib.volume import Volume

    nonsense = Volume(np.full((20, 30, 30), 7, np.int16), np.diag([1.0, 1.0, 1.0, 1.0]))
    add_volume(nonsense)
    slicer.app.userSettings().setValue("language", language)
    slicer.app.userSettings().setValue("Internationalization/Enabled", True)
    widget = host.openModule(MODULE)
    click(widget.ui.segmentButton)
    waitUntil(lambda: widget.runs.queue.current is None, SECONDS)
    host.app.processEvents()
    assert widget.results.result is None
    assert len(host.dialogs.texts()) == 1
    assert sentence in host.dialogs.texts()[0]
    assert "kidneyseg:" not in host.dialogs.texts()[0] and "Traceback" not in host.dialogs.texts()[0]
    assert host.dialogs.texts()[0] in widget.ui.statusLabel.text


def test_a_correction_is_measured_in_a_process_of_its_own(
    host: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a folder whose name the user has chosen, and with another engine on the path."""
    import slicer
    from SlicerHost.hands import waitUntil

    home = tmp_path / "Ünsal İş"
    home.mkdir()
    (home / "KidneySegLib").mkdir()
    (home / "KidneySegLib" / "__main__.py").write_text("raise SystemExit(9)", encoding="utf-8")
    monkeypatch.setattr(type(slicer.app), "temporaryPath", property(lambda _app: str(home)))
    volume, labels = phantom()
    widget = segmented(host, volume, labels)
    from KidneySegWidgets.engine.processRunner import ChildProcessRunner

    runner = ChildProcessRunner()
    widget.correction.remeasuring.setRunner(runner)
    half = labels == 2
    half[:18] = False
    write_segment(widget.results.result, "kidney_left", half)
    folder = widget.correction.remeasuring._files.folder
    assert folder.parent == home
    waitUntil(lambda: not widget.correction.isStale, SECONDS)
    rest = half.sum() * volume.voxel_volume / 1000
    assert widget.results.result.findings().kidneys[1].measures.volume_ml == pytest.approx(rest, abs=1e-3)
    write_segment(widget.results.result, "kidney_left", labels == 2)
    waitUntil(lambda: runner.isRunning(), 120)
    pid = runner.processIdentifier()
    write_segment(widget.results.result, "kidney_left", half)
    assert not runner.isRunning()
    widget.correction.stop()
    assert not is_running(pid) and list(home.iterdir()) == [home / "KidneySegLib"]


@pytest.mark.skipif(os.name != "posix", reason="process groups")
@pytest.mark.parametrize("obedient", [True, False])
def test_the_whole_tree_ends(host: Any, obedient: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A launcher with a child, as PythonSlicer is one; the second kind does not listen to SIGTERM."""
    from SlicerHost.hands import waitUntil

    host.loadModule(MODULE)
    from KidneySegWidgets.engine import processRunner

    ignore = "" if obedient else "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
    child = f"{ignore}import time; time.sleep(60)"
    script = tmp_path / "launcher.py"
    script.write_text(
        "import subprocess, sys, time\n"
        f"{ignore}\n"
        f"child = subprocess.Popen([sys.executable, '-c', {child!r}])\n"
        "time.sleep(0.5)\nprint(child.pid, flush=True)\nchild.wait()\n",
        encoding="utf-8",
    )
    monkeypatch.setattr(processRunner, "_PATIENCE_S", 1.0)
    monkeypatch.setattr(processRunner.EngineJob, "arguments", lambda _job: [])
    monkeypatch.setattr(
        processRunner, "startProcess", _starting([sys.executable, str(script)], processRunner.startProcess)
    )
    runner = processRunner.ChildProcessRunner()
    lines: list[str] = []
    ends: list[int] = []
    job = processRunner.EngineJob(tmp_path, "image.nrrd", "out", "ct", "cpu", "ct-kidney")
    runner.start(job, lambda text, _is_error: lines.append(text), ends.append)
    waitUntil(lambda: bool(lines), 120)
    launcher, grandchild = runner.processIdentifier(), int(lines[0])
    assert is_running(launcher) and is_running(grandchild)
    runner.cancel()
    waitUntil(lambda: bool(ends), 120)
    deadline = time.monotonic() + 5
    while is_running(grandchild) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_running(grandchild) and not is_running(launcher)
    assert ends == [-15 if obedient else -9] and not runner.isRunning()


@pytest.mark.skipif(os.name != "posix", reason="process groups")
def test_what_a_launcher_leaves_behind_ends_too(host: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from SlicerHost.hands import waitUntil

    host.loadModule(MODULE)
    from KidneySegWidgets.engine import processRunner

    script = (
        "import subprocess, sys; "
        "print(subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']).pid, flush=True)"
    )
    monkeypatch.setattr(
        processRunner, "startProcess", _starting([sys.executable, "-c", script], processRunner.startProcess)
    )
    runner = processRunner.ChildProcessRunner()
    lines: list[str] = []
    ends: list[int] = []
    job = processRunner.EngineJob(tmp_path, "image.nrrd", "out", "ct", "cpu", "ct-kidney")
    runner.start(job, lambda text, _is_error: lines.append(text), ends.append)
    waitUntil(lambda: bool(ends), 120)
    assert ends == [0]
    waitUntil(lambda: not is_running(int(lines[0])), 5)


def _starting(command: list[str], start: Any) -> Any:
    return lambda _arguments, folder, environment: start(command, folder, environment)


def test_module_runs_its_own_test(host: Any, tmp_path: Path) -> None:
    """KidneySegTest as Slicer runs it: makes the phantom, segments it by a click, checks the result."""
    import slicer
    from SlicerHost.pictures import panelPicture

    host.openModule(MODULE)
    slicer.modules.KidneySegInstance.runTest(msec=1)
    widget = slicer.modules.KidneySegWidget
    assert widget.results.result is not None
    pictures = picture_folder(tmp_path)
    host.mainWindow.resize(520, 1230)
    panelPicture(pictures / "sample_panel.png")
    if not availability.missingForPictures():
        _take_views(widget, pictures, "sample")


def test_a_single_slice_is_segmented_by_its_own_bundle(host: Any, shared_data: Path) -> None:
    """The task *Automatic* on one slice of a real exam."""
    from SlicerHost.hands import click, waitUntil

    exam = shared_data / "ct" / "validation" / "lits0"
    if not (exam / "image.nii.gz").is_file():
        pytest.skip("the exam lits0 is not here")
    volume, truth = read_image(exam / "image.nii.gz"), read_image(exam / "mask.nii.gz")
    order = volume.axis_order()
    grid, mask = volume.reordered(order), order.apply(truth.voxels)
    most = int(np.minimum(*((mask == label).sum(axis=(1, 2)) for label in (1, 2))).argmax())  # both kidneys are large
    one = (slice(most, most + 1), slice(None), slice(None))
    add_volume(grid.crop(one), "slice")
    widget = host.openModule(MODULE)
    widget.logic.getParameterNode().device = "cpu"
    click(widget.ui.segmentButton)
    waitUntil(lambda: widget.runs.queue.current is None, SECONDS)
    result = widget.results.result
    assert result is not None, widget.ui.statusLabel.text
    findings = result.findings()
    assert findings.provenance.bundles[0].name == "ct-slice" and findings.task == "ct-slice"
    assert {kidney.side.value for kidney in findings.kidneys} == {"right", "left"}
    import slicer.util

    labels = slicer.util.arrayFromVolume(result.networkLabels)
    for label in (1, 2):
        drawn, reference = labels == label, mask[one] == label
        assert 2 * (drawn & reference).sum() / (drawn.sum() + reference.sum()) > 0.85, label
