"""The host says in words why it cannot run; these tests need neither slicer-core nor PySide6."""

from __future__ import annotations

import importlib.util
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest
from SlicerHost import availability


def pretend(monkeypatch: pytest.MonkeyPatch, **origins: Path) -> None:
    """Makes the import system know these packages only."""

    def find(name: str) -> ModuleSpec | None:
        return ModuleSpec(name, None, origin=str(origins[name])) if name in origins else None

    monkeypatch.setattr(importlib.util, "find_spec", find)


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    here = tmp_path / "__init__.py"
    pretend(monkeypatch, PySide6=here)
    assert availability.missing().startswith("slicer-core is not installed")
    pretend(monkeypatch, PySide6=here, slicer=here, slicer_core=here)
    assert "another package named `slicer`" in availability.missing()
    (tmp_path / "slicer_core.py").touch()
    assert availability.missing() == ""
    pretend(monkeypatch, slicer=here, slicer_core=here)
    assert availability.missing().startswith("PySide6 is not installed")


def test_pictures_need_a_library_where_there_is_no_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(library: str) -> None:
        raise OSError(library)

    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.setattr(availability.ctypes, "CDLL", refuse)
    assert "neither EGL nor OSMesa" in availability.missingForPictures()
    monkeypatch.setattr(availability.ctypes, "CDLL", lambda library: library)
    assert availability.missingForPictures() == ""
    assert availability.windowClass() == "vtkEGLRenderWindow"
    monkeypatch.setenv("DISPLAY", ":0")
    assert availability.windowClass() == ""
