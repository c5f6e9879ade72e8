"""Where the engine (the Python package KidneySegLib) and the Python that runs it are."""

from __future__ import annotations

import importlib
import importlib.util
import os
import shutil
import sys
from pathlib import Path

import slicer

from KidneySegWidgets.translation import tr as _


def engineRoot() -> Path:
    """Returns the folder that holds KidneySegLib: beside the module in a built extension, one higher in a checkout.

    Raises:
        RuntimeError: KidneySegLib is in neither place.
    """
    moduleFolder = Path(__file__).resolve().parents[2]
    for folder in (moduleFolder, moduleFolder.parent):
        if (folder / "KidneySegLib" / "__init__.py").is_file():
            return folder
    raise RuntimeError(_("The engine of KidneySeg (KidneySegLib) is missing. Install the extension KidneySeg again."))


def ensureEngine() -> None:
    """Makes KidneySegLib importable in this process; the rest of the module imports it only where it is used."""
    if importlib.util.find_spec("KidneySegLib") is None:
        sys.path.append(str(engineRoot()))
        importlib.invalidate_caches()


def pythonExecutable() -> str:
    """Returns Slicer's own Python, with which the engine runs in a process of its own.

    Raises:
        RuntimeError: there is none.
    """
    found = shutil.which("PythonSlicer") or shutil.which(
        "PythonSlicer", path=os.path.join(slicer.app.slicerHome, "bin")
    )
    if not found:
        raise RuntimeError(_("Slicer's Python (PythonSlicer) was not found. Install Slicer again."))
    return found
