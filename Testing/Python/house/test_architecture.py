"""The plan of the house, checked: who may import whom, and what the door costs."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PACKAGE = ROOT / "KidneySegLib"

# Imported where they are used, so that Slicer's module and the command line start at once and can say what is missing.
HEAVY = {"torch", "monai", "skimage", "pydicom", "SimpleITK", "highdicom", "matplotlib", "PIL", "cc3d", "safetensors"}
HEAVY |= {"dicomweb_client", "pynetdicom", "requests", "reportlab", "jinja2"}
# Rooms that work with a library throughout: they are entered only when a network is about to run or to be trained, or
# when DICOM results are written.
OWN_LIBRARIES = {
    "KidneySegLib.networks": {"torch"},
    "KidneySegLib.inference": {"torch", "skimage"},
    "KidneySegLib.segmentation": {"torch", "cc3d", "skimage"},
    "KidneySegLib.training": {"torch", "monai"},
    "KidneySegLib.interchange": {"pydicom", "highdicom"},
}
MODULES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for path in PACKAGE.rglob("*.py")
)


def own_libraries(module: str) -> set[str]:
    return next((libraries for room, libraries in OWN_LIBRARIES.items() if module.startswith(room)), set())


def path_of(module: str) -> Path:
    path = ROOT.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def test_floors():
    """Runs the contracts of pyproject.toml: imports go down only, and Slicer, Qt and VTK stay outside."""
    run = subprocess.run(
        ["lint-imports", "--no-cache"], cwd=ROOT, capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "2 kept, 0 broken" in run.stdout


def test_a_broken_floor_is_noticed(tmp_path: Path):
    """The contract is not vacuous: with one import upward it fails."""
    import shutil

    shutil.copytree(PACKAGE, tmp_path / "KidneySegLib", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    volume = tmp_path / "KidneySegLib" / "volume.py"
    volume.write_text(volume.read_text() + "\nfrom KidneySegLib.commands import app\n")
    run = subprocess.run(
        [
            sys.executable,
            "-c",
            "from importlinter.cli import lint_imports_command; lint_imports_command()",
            "--no-cache",
        ],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path), "PATH": ""},
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    assert run.returncode == 1
    assert "1 broken" in run.stdout


def test_importing_pulls_no_heavy_package():
    modules = [module for module in MODULES if not own_libraries(module) and not module.endswith("__main__")]
    script = (
        "import importlib, json, sys\n"
        f"for name in {modules!r}:\n"
        "    importlib.import_module(name)\n"
        f"    found = sorted(set(sys.modules) & {HEAVY!r})\n"
        "    if found:\n"
        "        sys.exit(json.dumps([name, found]))\n"
    )
    run = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, f"imported at file scope: {run.stderr}"


def file_scope_imports(path: Path) -> set[str]:
    """Top-level names of the packages that a file imports outside functions and ``if TYPE_CHECKING``."""
    names: set[str] = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.split(".")[0])
    return names


@pytest.mark.parametrize("module", [module for module in MODULES if own_libraries(module)])
def test_such_rooms_import_only_their_own_libraries_at_file_scope(module: str):
    assert not (file_scope_imports(path_of(module)) & HEAVY) - own_libraries(module)


def test_a_network_runs_without_monai():
    script = (
        "import sys\n"
        "sys.modules['monai'] = None\n"  # an import of it now raises ImportError
        "import torch\n"
        "from KidneySegLib.bundles.catalogue import find_bundle\n"
        "from KidneySegLib.inference.device import choose_device\n"
        "from KidneySegLib.segmentation.load import load_predictors\n"
        "locator = load_predictors(find_bundle('ct-kidney', 'ct'), choose_device('cpu'), ['locator'])['locator']\n"
        "print(tuple(locator.probabilities(torch.zeros(16, 24, 24)).shape))\n"
    )
    run = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip() == "(1, 16, 24, 24)"


def test_engine_runs_without_slicer_qt_and_vtk():
    script = (
        "import sys\n"
        "for name in ('slicer', 'qt', 'ctk', 'PySide6', 'vtk'):\n"
        "    sys.modules[name] = None\n"  # an import of it now raises ImportError
        "import importlib, json\n"
        f"for name in {[m for m in MODULES if not m.endswith('__main__')]!r}:\n"
        "    importlib.import_module(name)\n"
        "print(json.dumps('done'))\n"
    )
    run = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout) == "done"
