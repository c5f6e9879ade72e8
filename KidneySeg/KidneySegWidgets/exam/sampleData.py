"""Registers the synthetic abdomen in Slicer's Sample Data module; it is made on this computer, not downloaded."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path
from typing import Any

import slicer
import slicer.util

from KidneySegWidgets.complaints import reasonOf
from KidneySegWidgets.engine.engineLocation import ensureEngine
from KidneySegWidgets.engine.failure import failureMessage
from KidneySegWidgets.engine.installation import ensureInstalled, tooOldSlicer
from KidneySegWidgets.engine.processRunner import engineCommand, engineEnvironment
from KidneySegWidgets.engine.processTree import withoutWindow
from KidneySegWidgets.exam.inputVolume import RAS_TO_LPS
from KidneySegWidgets.translation import tr as _

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
    """Makes the phantom as a DICOM series in a temporary folder and loads it; returns the volume node.

    Raises:
        RuntimeError: it cannot be made. Sample Data only logs that, so that the reason is also shown.
    """
    try:
        return [_makeSample()]
    except Exception as error:
        slicer.util.errorDisplay(reasonOf(error), windowTitle="KidneySeg")
        raise RuntimeError(reasonOf(error)) from error


def _makeSample() -> Any:
    reason = tooOldSlicer()
    if not reason and not ensureInstalled(withTorch=False):
        reason = _("The sample is made on this computer, and needs the Python packages that are missing.")
    if reason:
        raise RuntimeError(reason)
    with tempfile.TemporaryDirectory(prefix="KidneySeg-", dir=slicer.app.temporaryPath) as folder:
        command, environment = engineCommand("sample", "sample"), engineEnvironment()
        with slicer.util.WaitCursor():
            made = subprocess.run(
                command, cwd=folder, env=environment, capture_output=True, check=False, **withoutWindow()
            )
        if made.returncode:
            lines = made.stderr.decode("utf-8", "replace").splitlines()
            raise RuntimeError(failureMessage(made.returncode, lines))
        return loadSeries(Path(folder) / "sample" / "series")


def loadSeries(folder: Path) -> Any:
    """Loads a DICOM series by the engine's reader, which orders slices by their position."""
    ensureEngine()
    from KidneySegLib.readers.input import read_input

    volume = read_input(folder).stored
    matrix = RAS_TO_LPS @ volume.ijk_to_lps
    return slicer.util.addVolumeFromArray(volume.voxels, ijkToRAS=matrix, name=NODE_NAME)
