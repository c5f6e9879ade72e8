"""The built extension: CMake puts every file of the module beside the engine, and the module works from there."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT
from SlicerHost import availability

if not (shutil.which("cmake") and shutil.which("c++")):
    pytest.skip("CMake or a compiler is not installed", allow_module_level=True)
pytest_plugins = ["SlicerHost.pytest_fixtures"]

from test_packaging import METADATA, SLICER_CONFIG, USE_SLICER  # noqa: E402

# As Slicer's macro: scripts and resources go to the folder of scripted modules, with their folders.


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of scripted modules of a configured extension."""
    folder = tmp_path_factory.mktemp("extension")
    for name, text in (
        ("SlicerConfig.cmake", SLICER_CONFIG),
        ("UseSlicer.cmake", USE_SLICER),
        ("Empty.cmake", ""),
        ("Metadata.cmake", METADATA),
    ):
        (folder / name).write_text(text, encoding="utf-8")
    build = folder / "build"
    command = ["cmake", "-S", str(ROOT), "-B", str(build), f"-DSlicer_DIR={folder}", "-Wno-dev"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return build / "lib" / "qt-scripted-modules"


def test_every_file_of_the_module_is_installed(built: Path) -> None:
    source = ROOT / "KidneySeg"
    left_out = {"CMakeLists.txt", "ruff.toml"}
    files = {path.relative_to(source) for path in source.rglob("*") if path.is_file() and path.suffix != ".pyc"}
    wanted = {path for path in files if not path.parts[0].startswith(".")}  # caches of tools
    missing = [str(path) for path in wanted if path.name not in left_out and not (built / path).is_file()]
    assert missing == []


@pytest.mark.skipif(bool(availability.missing()), reason=availability.missing())
def test_module_works_where_it_is_installed(host: Any, built: Path) -> None:
    from module_cases import FakeRunner, MeasuringRunner, add_volume
    from reporting_cases import phantom
    from SlicerHost.hands import click, waitUntil

    volume, labels = phantom()
    add_volume(volume)
    widget = host.openModule(built / "KidneySeg.py")
    from KidneySegWidgets.engine.engineLocation import engineRoot
    from KidneySegWidgets.engine.installation import missingPackages

    assert engineRoot() == built, "the engine that was installed with the module, not another one"
    assert missingPackages() == []
    widget.useRunner(FakeRunner(lambda _image: labels), MeasuringRunner())
    click(widget.ui.segmentButton)
    waitUntil(lambda: widget.runs.queue.current is None)
    assert widget.results.result.segmentationNode.GetSegmentation().GetNumberOfSegments() == 4
