"""An ultrasound image as the engine reads it. It shows a plane of its own, which has no place in the patient.

How large a pixel is stands in the image's DICOM file, not in a volume node. What does not come from DICOM is given to
the engine as a picture, and measured in pixels.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import slicer
import slicer.util

from KidneySegWidgets.engine.engineLocation import ensureEngine
from KidneySegWidgets.exam.dicomFiles import filesInDatabase, instanceUids, placeFile
from KidneySegWidgets.translation import tr as _

TASK = "ultrasound"
_DIMENSIONS = _RGB = 3
# RGB, and with opacity.
_CHANNELS = (3, 4)


@dataclass(frozen=True)
class ViewImage:
    """What the engine gets.

    Attributes:
        file: the DICOM file; None if the volume comes from elsewhere.
        pixels: grey values (j, i) or colours (j, i, RGB), uint8; None if there is a file.
    """

    file: Path | None
    pixels: np.ndarray | None

    @classmethod
    def of(cls, volume: Any) -> ViewImage:
        """Takes a volume node.

        Raises:
            RuntimeError: its file is gone, or its values are no picture.
        """
        if not instanceUids(volume):
            return cls(None, _pixels(volume))
        files = filesInDatabase(volume)
        if not files:
            sentence = _("The DICOM file of this image is no longer in Slicer's DICOM database. Import it there again.")
            raise RuntimeError(sentence)
        if len(files) > 1:
            raise RuntimeError(_("This volume has several files, but ultrasound is measured image by image."))
        return cls(files[0], None)

    def place(self, folder: Path) -> str:
        """Puts the image into a folder and returns its name there.

        Raises:
            OSError: it cannot be written.
        """
        if self.file is not None:
            placeFile(self.file, folder / "input.dcm")
            return "input.dcm"
        from PIL import Image

        Image.fromarray(self.pixels).save(folder / "input.png")
        return "input.png"

    def exam(self, findings: Any) -> Any:
        """Returns the engine's Exam, read as it was for findings of it; no node is touched here.

        Raises:
            KidneySegError: it cannot be read.
        """
        ensureEngine()
        from KidneySegLib.tasks.run import read_exam

        with tempfile.TemporaryDirectory(prefix="KidneySeg-", dir=slicer.app.temporaryPath) as folder:
            return read_exam(Path(folder) / self.place(Path(folder)), findings)


def gridOf(findings: Any) -> np.ndarray:
    """Returns the matrix (4, 4) from indices (i, j, k, 1) to mm LPS of the grid on which the engine measured.

    A volume node of an ultrasound image has another one: it does not know how large a pixel is.
    """
    record, matrix = findings.provenance.input, np.eye(4)
    matrix[:3, :3] = np.reshape(record.direction, (3, 3)) * record.spacing_mm
    matrix[:3, 3] = record.origin_lps_mm
    return matrix


def _pixels(volume: Any) -> np.ndarray:
    voxels = slicer.util.arrayFromVolume(volume)
    if voxels.shape[0] != 1:
        raise RuntimeError(
            _(
                "The frames of a loop are measured from its DICOM file. Import it into Slicer's DICOM database and "
                "load it from there; or choose a single image."
            )
        )
    if voxels.ndim > _DIMENSIONS and voxels.shape[-1] not in _CHANNELS:
        raise RuntimeError(_("The image is neither grey nor in colours. Load the ultrasound image as it was stored."))
    picture = voxels[0, ..., :_RGB] if voxels.ndim > _DIMENSIONS else voxels[0]
    if not (picture.min() >= 0 and picture.max() <= np.iinfo(np.uint8).max):  # nor is it "not a number"
        raise RuntimeError(_("The image has other values than 0 to 255. Load the ultrasound image as it was stored."))
    return np.ascontiguousarray(np.rint(picture).astype(np.uint8))
