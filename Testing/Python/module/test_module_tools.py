"""Settings, installation, sample data, buttons; and the rules that the module's files keep."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import types
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from SlicerHost import availability

if availability.missing():
    pytest.skip(availability.missing(), allow_module_level=True)
pytest_plugins = ["SlicerHost.pytest_fixtures"]

from module_cases import MODULE, add_volume, open_panel, picture_folder  # noqa: E402
from reporting_cases import phantom  # noqa: E402

FILES = [MODULE, *sorted((MODULE.parent / "KidneySegWidgets").rglob("*.py"))]


@pytest.fixture
def settings_shown(host: Any) -> Any:
    """A panel whose section Settings is unfolded."""
    add_volume(phantom()[0])
    widget, _runner = open_panel(host)
    widget.ui.settingsSection.collapsed = False
    host.app.processEvents()
    return widget


def test_the_device_that_was_chosen_last_is_that_of_new_scenes(host: Any, settings_shown: Any) -> None:
    import slicer
    from SlicerHost.hands import choose

    assert settings_shown.ui.deviceComboBox.currentData == "auto"
    choose(settings_shown.ui.deviceComboBox, "CPU")
    assert slicer.app.userSettings().value("KidneySeg/device") == "cpu"
    slicer.mrmlScene.Clear(0)
    host.app.processEvents()
    assert settings_shown.ui.deviceComboBox.currentData == "cpu"


def test_models_folder_adds_its_bundles(host: Any, settings_shown: Any, tmp_path: Path) -> None:
    import shutil

    from SlicerHost.hands import choose, click

    from KidneySegLib.resources import resource_folder

    own = tmp_path / "my-kidney"
    shutil.copytree(resource_folder() / "Models" / "ct-kidney", own, ignore=shutil.ignore_patterns("*.safetensors"))
    manifest = own / "bundle.json"
    text = manifest.read_text(encoding="utf-8").replace('"ct-kidney"', '"my-kidney"').replace("Kidneys on CT", "Mine")
    manifest.write_text(text, encoding="utf-8")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "bundle.json").write_text("{}", encoding="utf-8")
    settings_shown.ui.modelsFolderEdit.currentPath = str(tmp_path)
    box = settings_shown.ui.bundleComboBox
    assert [box.itemData(n) for n in range(box.count)] == ["my-kidney", "ct-kidney"]
    choose(box, box.itemText(1))
    choose(box, box.itemText(0))
    runner = settings_shown.logic.runner
    runner.automatic = False
    click(settings_shown.ui.segmentButton)
    job = runner.jobs[0]
    assert job.bundle == "my-kidney" and job.environment()["KIDNEYSEG_MODELS"] == str(tmp_path)
    assert settings_shown.logic.getParameterNode().bundle == "my-kidney"


def test_card_tells_what_the_model_was_trained_on(host: Any, settings_shown: Any) -> None:
    from SlicerHost.hands import click

    click(settings_shown.ui.cardButton)
    shown = host.dialogs.shown[-1]
    assert "ct-kidney 1" in shown.text and "CC BY-NC" in shown.text
    assert "Not a medical device" in shown.detailedText


def test_dicom_button_opens_slicers_browser(host: Any, settings_shown: Any) -> None:
    from SlicerHost.hands import click

    click(settings_shown.ui.loadDicomButton)
    assert host.mainWindow.moduleSelector().selectedModule == "DICOM"


def test_complete_installation_is_told(host: Any, settings_shown: Any) -> None:
    import slicer.packaging
    from SlicerHost.hands import click

    click(settings_shown.ui.checkInstallationButton)
    assert host.dialogs.texts() == ["Everything that KidneySeg needs is installed."]
    assert slicer.packaging.installRequests == []


def test_nothing_is_installed_without_a_yes(host: Any, settings_shown: Any) -> None:
    import slicer.packaging
    from SlicerHost.hands import click

    slicer.packaging.pretendMissing("torch", "reportlab")
    host.dialogs.answer("No")
    click(settings_shown.ui.checkInstallationButton)
    assert "torch" in host.dialogs.texts()[0] and "reportlab" in host.dialogs.texts()[0]
    assert slicer.packaging.installRequests == []


class PyTorchExtension:
    """The logic of the PyTorch extension, as far as it is used."""

    asked: list[dict[str, Any]]

    def installTorch(self, **options: Any) -> object:  # noqa: N802
        import slicer.packaging

        self.asked.append(options)
        slicer.packaging._pretendedMissing.discard("torch")
        return object()


def test_first_use_is_one_click(host: Any, settings_shown: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Segment asks, installs and goes on; no version of torch is demanded, and nothing that is there may change."""
    import slicer.packaging
    from SlicerHost.hands import click, waitUntil

    slicer.packaging.pretendMissing("torch", "reportlab")
    monkeypatch.setattr(PyTorchExtension, "asked", [], raising=False)
    monkeypatch.setitem(sys.modules, "PyTorchUtils", types.SimpleNamespace(PyTorchUtilsLogic=PyTorchExtension))
    host.dialogs.answer("No")
    click(settings_shown.ui.segmentButton)
    assert settings_shown.runs.queue.current is None and "missing" in settings_shown.ui.statusLabel.text
    host.dialogs.answer("Yes")
    click(settings_shown.ui.segmentButton)
    waitUntil(lambda: settings_shown.runs.queue.current is None)
    assert settings_shown.results.result is not None, "and it went on"
    assert PyTorchExtension.asked == [{"askConfirmation": False}]
    assert slicer.packaging.installRequests == [["reportlab>=4.0"]]
    kept = slicer.packaging.installConstraints[0].splitlines()
    for name in ("torch", "numpy", "SimpleITK"):
        assert f"{name}=={metadata.version(name)}" in kept
    assert "reportlab" not in slicer.packaging.installConstraints[0]


def test_without_the_extension_torch_is_still_one_click(host: Any, settings_shown: Any) -> None:
    import slicer.packaging
    from SlicerHost.hands import click

    slicer.packaging.pretendMissing("torch")
    host.dialogs.answer("Yes")
    click(settings_shown.ui.checkInstallationButton)
    assert "the extension 'PyTorch' is not installed" in host.dialogs.texts()[0].replace("The", "the")
    assert slicer.packaging.installRequests == [["torch"]]
    assert host.dialogs.texts()[-1] == "Everything that KidneySeg needs is installed."


def test_a_torch_that_is_too_old_is_left_alone(host: Any, settings_shown: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import slicer.packaging
    from KidneySegWidgets.engine import installation
    from SlicerHost.hands import click

    monkeypatch.setattr(installation, "_TORCH", "torch>=99")
    click(settings_shown.ui.segmentButton)
    (told,) = host.dialogs.texts()
    assert metadata.version("torch") in told and "uninstall it" in told
    assert slicer.packaging.installRequests == [] and settings_shown.runs.queue.current is None


def test_sample_data_in_a_fresh_slicer_says_what_is_missing(host: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import slicer.packaging
    import slicer.util

    host.loadModule(MODULE)
    from KidneySegWidgets.exam import sampleData

    slicer.packaging.pretendMissing("torch", "scipy")
    host.dialogs.answer("No")
    with pytest.raises(RuntimeError, match="missing"):
        sampleData.loadSample()
    asked, told = host.dialogs.texts()
    assert "scipy" in asked and "torch" not in asked, "the sample does without"
    assert "needs the Python packages" in told
    slicer.packaging.reset()
    failed = subprocess.CompletedProcess([], 5, b"", b"kidneyseg: The disk is full.")
    monkeypatch.setattr(sampleData.subprocess, "run", lambda *_words, **_options: failed)
    with pytest.raises(RuntimeError, match="The disk is full"):
        sampleData.loadSample()
    assert host.dialogs.texts()[-1] == "The disk is full."


def test_an_older_slicer_gets_a_sentence(host: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import qt
    import slicer

    monkeypatch.setattr(type(slicer.app), "minorVersion", property(lambda _app: 10))
    monkeypatch.setattr(type(slicer.app), "applicationVersion", property(lambda _app: "5.10.0"))
    monkeypatch.delattr(slicer.packaging, "load_requirements")
    widget = host.openModule(MODULE)
    texts = [label.text for label in widget.parent.findChildren(qt.QLabel)]
    assert any("needs Slicer 5.12 or newer, and this is Slicer 5.10.0" in text for text in texts), texts
    widget.enter()
    widget.cleanup()


@pytest.mark.parametrize(
    ("lines", "word"),
    [
        (["PythonSlicer exit abnormally - Report the problem."], "memory"),
        (["terminate called after throwing an instance of 'std::bad_alloc'", "Fatal Python error: Aborted"], "memory"),
        (["Fatal Python error: Segmentation fault", "PythonSlicer exit abnormally - Report"], "crashed"),
        (["Windows fatal exception: access violation"], "crashed"),
        (["kidneyseg: Not enough memory. Choose a region.", "exit abnormally"], "Choose a region"),
        (["ModuleNotFoundError: No module named 'cc3d'"], "Check installation"),
        (["something"], "code 1"),
    ],
)
def test_why_a_run_failed_is_told_from_what_it_wrote(host: Any, lines: list[str], word: str) -> None:
    """Slicer's launcher ends with 1, whatever happened to the process that it started."""
    host.loadModule(MODULE)
    from KidneySegWidgets.engine.failure import failureMessage

    assert word in failureMessage(1, lines)


def test_requirements_are_those_of_the_engine() -> None:
    import tomllib

    from packaging.requirements import Requirement

    root = MODULE.parents[1]
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    engine = {Requirement(each).name: str(Requirement(each)) for each in project["dependencies"]}
    lines = (MODULE.parent / "Resources" / "requirements.txt").read_text(encoding="utf-8").splitlines()
    asked = {Requirement(line).name: str(Requirement(line)) for line in lines if line and not line.startswith("#")}
    ships_with_slicer = {"numpy", "SimpleITK"}  # its pydicom may be older than highdicom allows
    assert asked.keys() == engine.keys() - ships_with_slicer - {"torch"}
    assert all(engine[name] == text for name, text in asked.items())


# What the panel asks of the engine before anything was installed: tasks, models, terminologies, saved findings.
FRESH = """
import sys
allowed = {*sys.stdlib_module_names, "numpy", "pydicom", "KidneySegLib"}  # the two packages ship with Slicer
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] not in allowed:
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Missing())
from pathlib import Path
from KidneySegLib.bundles.header import read_header
from KidneySegLib.findings import Findings
from KidneySegLib.flags import Flag
from KidneySegLib.result_files.labels.terminology import structure_of_entry, terminology_entry, terminology_files
from KidneySegLib.languages.language import Language
from KidneySegLib.resources import resource_folder
from KidneySegLib.structures import STRUCTURES
from KidneySegLib.tasks.registry import all_tasks
assert all(path.is_file() for path in terminology_files())
assert [structure_of_entry(terminology_entry(each)) for each in STRUCTURES] == list(STRUCTURES)
assert Flag.of("noise", noise_hu=30).said(Language.of("es"))
assert [task.name for task in all_tasks()][:2] == ["ct", "ct-slice"]
print(read_header(resource_folder() / "Models" / "ct-kidney").title)
"""


def test_panel_opens_in_a_slicer_without_the_engines_packages() -> None:
    run = subprocess.run(
        [sys.executable, "-c", FRESH], cwd=MODULE.parents[1], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip() == "Kidneys on CT"


def test_sample_is_registered_once_slicer_has_started(host: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    class Logic:
        registered: list[dict[str, Any]] = []

        @classmethod
        def registerCustomSampleDataSource(cls, **options: Any) -> None:  # noqa: N802
            cls.registered.append(options)

    monkeypatch.setitem(sys.modules, "SampleData", types.SimpleNamespace(SampleDataLogic=Logic))
    host.loadModule(MODULE)
    assert Logic.registered == [], "no work at import"
    host.app.startupCompleted.emit()
    assert Logic.registered, "modules of earlier tests hear of the start, too"
    assert Logic.registered[0]["category"] == "KidneySeg" and callable(Logic.registered[0]["customDownloader"])
    assert Path(Logic.registered[0]["thumbnailFileName"]).is_file()


def test_module_describes_itself(host: Any) -> None:
    module = host.loadModule(MODULE)
    assert module.categories == ["Segmentation"]
    assert "Not a medical device" in module.helpText
    cmake = (MODULE.parents[1] / "CMakeLists.txt").read_text(encoding="utf-8")
    homepage = re.search(r'EXTENSION_REPOSITORY "(.+?)"', cmake)
    assert homepage and f'href="{homepage[1]}#in-3d-slicer"' in module.helpText
    assert "## In 3D Slicer\n" in (MODULE.parents[1] / "README.md").read_text(encoding="utf-8")
    assert module.acknowledgementText and not module.icon.isNull()


def test_module_file_is_thin() -> None:
    assert len(MODULE.read_text(encoding="utf-8").splitlines()) < 300
    for path in FILES:
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 300, path.name


def test_only_slicers_own_packages_at_file_scope() -> None:
    allowed = {
        *sys.stdlib_module_names,
        "numpy",
        "slicer",
        "vtk",
        "qt",
        "ctk",
        "KidneySegWidgets",
        "SegmentEditorEffects",
    }
    for path in FILES:
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert {name.partition(".")[0] for name in names} <= allowed, path.name


def test_built_extension_installs_every_file() -> None:
    cmake = (MODULE.parent / "CMakeLists.txt").read_text(encoding="utf-8")
    assert "GLOB_RECURSE" in cmake and "KidneySegWidgets/*.py" in cmake
    for path in (MODULE.parent / "Resources").rglob("*"):
        if path.is_file():
            name = path.relative_to(MODULE.parent).as_posix().replace("/KidneySeg.", "/${MODULE_NAME}.")
            assert name in cmake, f"{name} is not installed"
    root = (MODULE.parents[1] / "CMakeLists.txt").read_text(encoding="utf-8")
    assert "add_subdirectory(KidneySeg)" in root


def test_picture_of_all_sections(host: Any, settings_shown: Any, tmp_path: Path) -> None:
    from SlicerHost.pictures import panelPicture

    host.mainWindow.resize(520, 1250)
    path = picture_folder(tmp_path) / "panel_empty.png"
    panelPicture(path)
    assert path.stat().st_size > 20_000
