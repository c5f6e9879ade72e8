"""Registers the synthetic abdomen in Slicer's Sample Data module; it is made on this computer, not downloaded."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path
from typing import Any

import slicer
import slicer.util
from slicer.i18n import tr as _

from KidneySegWidgets.engine.engineLocation import engineRoot, ensureEngine, pythonExecutable
from KidneySegWidgets.engine.processTree import withoutWindow
from KidneySegWidgets.exam.inputVolume import RAS_TO_LPS

NODE_NAME = "KidneySegPhantom"


def registerSampleData() -> None:
    """Adds the sample; does nothing where Slicer runs without the Sample Data module."""
    try:
        import SampleData
    except ModuleNotFoundError:
        return
    SampleData.SampleDataLogic.registerCustomSampleDataSource(
        category="KidneySeg",
        sampleName=NODE_NAME,
        uris="",
        fileNames="",
        nodeNames=NODE_NAME,
        customDownloader=loadSample,
        thumbnailFileName=str(Path(__file__).resolve().parents[2] / "Resources" / "Icons" / "KidneySeg.png"),
    )


def loadSample(_source: Any = None) -> list[Any]:
    """Makes the phantom as a DICOM series in a temporary folder and loads it; returns the volume node."""
    with tempfile.TemporaryDirectory(prefix="KidneySeg-", dir=slicer.app.temporaryPath) as folder:
        command = [pythonExecutable(), "-m", "KidneySegLib", "sample", folder]
        with slicer.util.WaitCursor():
            made = subprocess.run(command, cwd=engineRoot(), capture_output=True, check=False, **withoutWindow())
        if made.returncode:
            raise RuntimeError(_("The sample could not be made. Click 'Check installation' in the KidneySeg module."))
        return [loadSeries(Path(folder) / "series")]


def loadSeries(folder: Path) -> Any:
    """Loads a DICOM series by the engine's reader, which orders slices by their position."""
    ensureEngine()
    from KidneySegLib.readers.input import read_input

    volume = read_input(folder).stored
    matrix = RAS_TO_LPS @ volume.ijk_to_lps
    return slicer.util.addVolumeFromArray(volume.voxels, ijkToRAS=matrix, name=NODE_NAME)
