"""What is shipped: dependencies, wheel, licence, the Slicer extension's build file and the check script."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml

import KidneySegLib

ROOT = Path(__file__).resolve().parents[3]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
# distributions whose import name differs from their own
IMPORT_NAMES = {
    "connected-components-3d": "cc3d",
    "dicom-anonymizer": "dicomanonymizer",
    "dicomweb-client": "dicomweb_client",
    "pillow": "PIL",
    "scikit-image": "skimage",
}
# pydicom finds these by itself and decodes compressed pixels with them
PLUGINS = {"pylibjpeg", "python-gdcm"}


def distribution(requirement: str) -> str:
    match = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert match
    return match.group()


def imported_packages() -> set[str]:
    """Top-level names of all packages that the engine imports anywhere."""
    names: set[str] = set()
    for path in (ROOT / "KidneySegLib").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names.add(node.module.split(".")[0])
    return names - set(sys.stdlib_module_names) - {"KidneySegLib"}


def test_every_import_is_declared_and_every_dependency_is_used():
    declared = {distribution(r) for r in PROJECT["dependencies"]}
    for extra in ("train", "clicks", "deidentification", "dicom-network"):
        declared |= {distribution(r) for r in PROJECT["optional-dependencies"][extra]}
    assert imported_packages() == {IMPORT_NAMES.get(name, name) for name in declared - PLUGINS}


def test_metadata():
    assert PROJECT["scripts"] == {"kidneyseg": "KidneySegLib.commands.app:main"}
    extras = {"slicer", "train", "test", "clicks", "deidentification", "dicom-network", "docs", "judges", "tensorboard"}
    assert set(PROJECT["optional-dependencies"]) == extras
    assert re.fullmatch(r"\d+\.\d+\.\d+", KidneySegLib.__version__)


def test_citation_names_this_version_and_its_authors():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert (citation["version"], citation["license"]) == (KidneySegLib.__version__, PROJECT["license"])
    assert citation["authors"] == PROJECT["authors"]
    assert citation["title"] and citation["message"] and citation["cff-version"] == "1.2.0"


def test_every_page_and_workflow_installs_the_same_torch():
    """Torch is pinned by hand in several places, since it decides between a CPU and a GPU build."""
    (pinned,) = re.findall(r"^torch==(\S+)$", (ROOT / "Testing" / "constraints.txt").read_text(), re.M)
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / ".github" / "workflows").glob("*.yml")]
    found = {p.name: set(re.findall(r"torch==([\w.]+)", p.read_text(encoding="utf-8"))) - {pinned} for p in pages}
    assert {name: versions for name, versions in found.items() if versions} == {}


def test_workflows_and_issue_templates_are_whole():
    for path in (ROOT / ".github" / "workflows").glob("*.yml"):
        workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
        assert workflow["permissions"] == {"contents": "read"}
        assert all(job["steps"] and job["timeout-minutes"] for job in workflow["jobs"].values()), path.name
    for path in (ROOT / ".github" / "ISSUE_TEMPLATE").glob("*[a-z]_*.yml"):
        template = yaml.safe_load(path.read_text(encoding="utf-8"))
        assert template["name"] and template["description"]
        identifiers = [part["id"] for part in template["body"] if part["type"] != "markdown"]
        assert len(identifiers) == len(set(identifiers)) > 1


def test_licence_is_apache_2():
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert text.split()[:4] == ["Apache", "License", "Version", "2.0,"]
    assert [f"{n}. " in text for n in range(1, 10)] == [True] * 9
    assert "END OF TERMS AND CONDITIONS" in text


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built by the installed backend from a copy of the sources."""
    pytest.importorskip("hatchling", reason="hatchling builds the wheel and is not installed here")
    source = tmp_path_factory.mktemp("source")
    for name in ("KidneySegLib", "Resources"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel"], cwd=source, check=True, capture_output=True
    )
    (path,) = (source / "dist").glob("kidneyseg-*-py3-none-any.whl")
    return path


def test_wheel_holds_every_module_and_resource(wheel: Path):
    inside = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    modules = {str(p.relative_to(ROOT)) for p in (ROOT / "KidneySegLib").rglob("*.py")} | {"KidneySegLib/py.typed"}
    resources = {f"KidneySegLib/{p.relative_to(ROOT)}" for p in (ROOT / "Resources").rglob("*") if p.is_file()}
    assert inside == modules | resources


def test_source_distribution_holds_the_slicer_module(tmp_path: Path):
    """Nothing that the repository holds for a user is missing, and nothing that it does not hold is in it."""
    pytest.importorskip("hatchling", reason="hatchling builds the archive and is not installed here")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (path,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        inside = {name.partition("/")[2] for name in archive.getnames()}
    assert {"KidneySeg/KidneySeg.py", "KidneySeg/Resources/UI/KidneySeg.ui", "CMakeLists.txt"} <= inside
    assert not [name for name in inside if name.startswith(("runs/", "shared/"))]


def test_wheel_finds_its_resources_outside_the_checkout(wheel: Path, tmp_path: Path):
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    script = "from KidneySegLib.resources import resource_folder; print(resource_folder())"
    run = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path / "site")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert Path(run.stdout.strip()) == tmp_path / "site" / "KidneySegLib" / "Resources"


# What the build file needs of Slicer: variables, the macro that copies scripts, and the two files at its end.
SLICER_CONFIG = """
set(Slicer_USE_FILE "${CMAKE_CURRENT_LIST_DIR}/UseSlicer.cmake")
set(Slicer_EXTENSION_GENERATE_CONFIG "${CMAKE_CURRENT_LIST_DIR}/Empty.cmake")
set(Slicer_EXTENSION_CPACK "${CMAKE_CURRENT_LIST_DIR}/Metadata.cmake")
set(Slicer_QTSCRIPTEDMODULES_LIB_DIR "lib/qt-scripted-modules")
set(Slicer_INSTALL_QTSCRIPTEDMODULES_LIB_DIR "lib/qt-scripted-modules")
"""
USE_SLICER = """
macro(ctkMacroCompilePythonScript)
  cmake_parse_arguments(MY "NO_INSTALL_SUBDIR" "TARGET_NAME;DESTINATION_DIR;INSTALL_DIR" "SCRIPTS;RESOURCES" ${ARGN})
  foreach(file IN LISTS MY_SCRIPTS MY_RESOURCES)
    get_filename_component(folder "${file}" DIRECTORY)
    file(COPY "${CMAKE_CURRENT_SOURCE_DIR}/${file}" DESTINATION "${MY_DESTINATION_DIR}/${folder}")
  endforeach()
endmacro()
macro(slicerMacroBuildScriptedModule)
  cmake_parse_arguments(MODULE "WITH_GENERIC_TESTS" "NAME" "SCRIPTS;RESOURCES" ${ARGN})
  ctkMacroCompilePythonScript(
    TARGET_NAME ${MODULE_NAME} SCRIPTS ${MODULE_SCRIPTS} RESOURCES ${MODULE_RESOURCES}
    DESTINATION_DIR "${CMAKE_BINARY_DIR}/${Slicer_QTSCRIPTEDMODULES_LIB_DIR}"
    INSTALL_DIR "${Slicer_INSTALL_QTSCRIPTEDMODULES_LIB_DIR}"
    )
endmacro()
"""
METADATA = """
foreach(name HOMEPAGE CATEGORY CONTRIBUTORS DESCRIPTION ICONURL SCREENSHOTURLS DEPENDS)
  if("${EXTENSION_${name}}" STREQUAL "")
    message(FATAL_ERROR "EXTENSION_${name} is empty")
  endif()
  file(APPEND "${CMAKE_BINARY_DIR}/metadata.txt" "${name}=${EXTENSION_${name}}\\n")
endforeach()
"""


@pytest.mark.skipif(not (shutil.which("cmake") and shutil.which("c++")), reason="CMake or a compiler is not installed")
def test_extension_configures_and_puts_engine_and_resources_beside_the_module(tmp_path: Path):
    """Runs the extension's CMakeLists.txt against a stand-in for Slicer's CMake package."""
    slicer = tmp_path / "slicer"
    slicer.mkdir()
    for name, text in (
        ("SlicerConfig.cmake", SLICER_CONFIG),
        ("UseSlicer.cmake", USE_SLICER),
        ("Empty.cmake", ""),
        ("Metadata.cmake", METADATA),
    ):
        (slicer / name).write_text(text)
    build = tmp_path / "build"
    command = ["cmake", "-S", str(ROOT), "-B", str(build), f"-DSlicer_DIR={slicer}", "-Wno-dev"]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    metadata = dict(line.split("=", 1) for line in (build / "metadata.txt").read_text().splitlines())
    assert metadata["CATEGORY"] == "Segmentation"
    assert metadata["DEPENDS"] == "PyTorch"
    installed = build / "lib" / "qt-scripted-modules"
    copied = {str(p.relative_to(installed)) for p in installed.rglob("*") if p.is_file()}
    modules = {str(p.relative_to(ROOT)) for p in (ROOT / "KidneySegLib").rglob("*.py")}
    resources = {str(p.relative_to(ROOT)) for p in (ROOT / "Resources").rglob("*") if p.is_file()}
    module = {str(p.relative_to(ROOT / "KidneySeg")) for p in (ROOT / "KidneySeg").rglob("*") if p.is_file()}
    left_out = {"CMakeLists.txt", "ruff.toml"}
    caches = {name for name in module if "__pycache__" in name or name.startswith(".")}
    assert copied == modules | resources | (module - left_out - caches)
