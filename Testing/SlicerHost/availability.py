"""What is missing for the host to run here, in words; imports nothing that may be missing."""

from __future__ import annotations

import ctypes
import importlib.util
import os
import sys
from pathlib import Path

# VTK tries X first and crashes where there is none: the class must be named
_WINDOWS = {
    "libEGL.so.1": "vtkEGLRenderWindow",
    "libOSMesa.so.8": "vtkOSOpenGLRenderWindow",
    "libOSMesa.so": "vtkOSOpenGLRenderWindow",
}


def missing() -> str:
    """Returns why the host cannot start here; empty if it can."""
    if importlib.util.find_spec("slicer_core") is None:
        return "slicer-core is not installed (pip install -e '.[slicer]')"
    package = importlib.util.find_spec("slicer")
    if package is None or package.origin is None or not Path(package.origin).with_name("slicer_core.py").is_file():
        return "another package named `slicer` lies where slicer-core's should be (uninstall both, install slicer-core)"
    if importlib.util.find_spec("PySide6") is None:
        return "PySide6 is not installed (pip install -e '.[slicer]')"
    return ""


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def windowClass() -> str:
    """Returns the class of VTK's window to draw with where there is no screen; empty if VTK chooses well itself."""
    if sys.platform != "linux" or os.environ.get("DISPLAY"):
        return ""
    return next((kind for library, kind in _WINDOWS.items() if _loads(library)), "")


def missingForPictures() -> str:
    """Returns why VTK cannot draw here without a screen; empty if it can."""
    if sys.platform != "linux" or os.environ.get("DISPLAY") or windowClass():
        return ""
    return "there is neither EGL nor OSMesa to draw without a screen (Debian: libegl1, libgl1-mesa-dri)"
