"""An ultrasound image: its database, how it is loaded, an engine that outlines by brightness."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import ultrasound_cases as us
from module_cases import MODULE, FakeRunner, MeasuringRunner


class Engine(FakeRunner):
    """Reads what it is given as the engine does, and outlines what is bright."""

    def __init__(self) -> None:
        super().__init__(lambda image: image)

    def start(self, job: Any, onLine: Any, onEnd: Any) -> None:  # noqa: N803
        import qt

        self.jobs.append(job)
        self._onLine, self._onEnd = onLine, onEnd
        qt.QTimer.singleShot(0, self._run)

    def end(self, exitCode: int) -> None:  # noqa: N803
        job = self.jobs[-1]
        us.result_of(job.folder / job.image, pixel_mm=job.pixelMm or None).write(job.folder / job.output)
        tell, self._onEnd = self._onEnd, None
        tell(exitCode)


class Database:
    """Stands for Slicer's DICOM database with one image."""

    def __init__(self, file: Path) -> None:
        self.file, self._header = file, pydicom.dcmread(file, stop_before_pixels=True)
        self.uid = str(self._header.SOPInstanceUID)

    def fileForInstance(self, uid: str) -> str:  # noqa: N802
        return str(self.file) if uid == self.uid else ""

    def instanceValue(self, uid: str, tag: str) -> str:  # noqa: N802
        if uid != self.uid:
            return ""
        element = self._header.get(int(tag.replace(",", ""), 16))
        return "" if element is None else str(element.value)


class Databases:
    """Stands for Slicer's DICOM database with several images."""

    def __init__(self, *images: Database) -> None:
        self._images = images

    def fileForInstance(self, uid: str) -> str:  # noqa: N802
        return next((file for image in self._images if (file := image.fileForInstance(uid))), "")

    def instanceValue(self, uid: str, tag: str) -> str:  # noqa: N802
        return next((value for image in self._images if (value := image.instanceValue(uid, tag))), "")


def load(pixels: np.ndarray, database: Database | None = None, name: str = "us") -> Any:
    """Loads an image (k, j, i) or (k, j, i, RGB) as Slicer does, which knows no pixel size."""
    import slicer.util

    kind = "vtkMRMLScalarVolumeNode" if pixels.ndim == 3 else "vtkMRMLVectorVolumeNode"
    matrix = np.diag([-1.0, -1.0, 1.0, 1.0])
    matrix[:3, 3] = (30, -20, 5)
    node = slicer.util.addVolumeFromArray(pixels, ijkToRAS=matrix, name=name, nodeClassName=kind)
    if database is not None:
        node.SetAttribute("DICOM.instanceUIDs", database.uid)
    return node


def opened(host: Any) -> Any:
    widget = host.openModule(MODULE)
    widget.useRunner(Engine(), MeasuringRunner())
    return widget


def segment(widget: Any) -> Any:
    from SlicerHost.hands import click, waitUntil

    click(widget.ui.segmentButton)
    waitUntil(lambda: widget.runs.queue.current is None)
    return widget
