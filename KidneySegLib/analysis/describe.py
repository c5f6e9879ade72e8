"""From an image and its label map to findings."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from KidneySegLib.analysis.measurements import bounding_boxes, measure_label
from KidneySegLib.analysis.quality import check_image, check_kidneys, cut_at
from KidneySegLib.errors import GeometryError
from KidneySegLib.findings import Findings, KidneyFinding, Provenance
from KidneySegLib.flags import Flag
from KidneySegLib.structures import KIDNEYS, Side
from KidneySegLib.volume import Volume


def describe(volume: Volume, labels: np.ndarray, *, flags: Sequence[Flag], provenance: Provenance) -> Findings:
    """Measures the kidneys of a label map and checks image and result.

    Args:
        volume: the image in HU.
        labels: label map, uint8 ``(k, j, i)`` on the volume's grid, values of ``structures``.
        flags: remarks from before (reading, segmentation); they come first in the findings.
        provenance: how the label map came about.

    Raises:
        GeometryError: the label map does not lie on the volume's grid.
        InputError: the image has no valid values inside a kidney.
    """
    if labels.shape != volume.voxels.shape:
        raise GeometryError(f"The label map of shape {labels.shape} does not fit the image of {volume.voxels.shape}.")
    boxes = bounding_boxes(labels)
    kidneys = []
    for side in (Side.RIGHT, Side.LEFT):
        label = KIDNEYS[side].label
        if label in boxes:
            measures = measure_label(volume, labels, label, boxes[label])
            organ = measures.volume_ml, measures.length_mm  # lesions follow
            kidneys.append(KidneyFinding(side, measures, *organ, cut_at(volume, boxes[label])))
    return Findings(
        kidneys=tuple(kidneys),
        flags=(*flags, *check_image(volume), *check_kidneys(kidneys)),
        provenance=provenance,
    )
