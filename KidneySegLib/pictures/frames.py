"""A frame of an ultrasound exam as a view: as it is on the screen, with length and width drawn in."""

import numpy as np

from KidneySegLib.findings import Findings
from KidneySegLib.pictures.panels import Window
from KidneySegLib.pictures.views import View
from KidneySegLib.volume import Volume

GREY_LEVELS: Window = (0.0, 255.0)


def frame_view(volume: Volume, labels: np.ndarray, findings: Findings) -> View:
    """Returns the frame that was measured, the middle one where nothing was found.

    It has no letters, since the picture's directions are not the patient's, and no scale bar where the size of a pixel
    is not known.

    Args:
        volume: grey values, k counting the frames.
        labels: its label map, uint8 ``(k, j, i)``.
        findings: what was measured.
    """
    count, rows, columns = volume.voxels.shape
    k = findings.views[0].slice if findings.views else count // 2
    k = min(max(k, 0), count - 1)  # of findings that a file held
    lines = []
    for view in findings.views:
        if view.slice == k:
            of = view.measures
            pairs = ((of.length_start_px, of.length_end_px), (of.width_start_px, of.width_end_px))
            lines += [(start[1], start[0], end[1], end[0]) for start, end in pairs]
    x, y, _ = volume.spacing
    return View(
        "",
        volume.voxels[k].astype(np.float32),
        np.ascontiguousarray(labels[k]),
        (y, x),
        ("", "", "", ""),
        (0, rows - 1, 0, columns - 1),
        tuple(lines),
        k,
        scale_bar=findings.calibrated,
    )
