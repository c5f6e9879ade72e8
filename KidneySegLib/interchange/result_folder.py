"""What DICOM results need of a result folder that was written earlier."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from KidneySegLib.errors import GeometryError, InputError
from KidneySegLib.findings import Findings, InputRecord
from KidneySegLib.result_files.names import FINDINGS, LABELS
from KidneySegLib.volume import Volume, read_image


def read_result(folder: Path) -> tuple[Volume, Findings]:
    """Reads label map and findings of a result folder.

    The grid is the findings' own: a NIfTI file read by ITK has lost what little its axes deviate from right angles.

    Returns:
        The label map, uint8 ``(k, j, i)`` on the grid of the image that was segmented, and the findings.

    Raises:
        InputError: it is no complete result folder, or a file in it is damaged.
        GeometryError: the label map lies on another grid than the image that was segmented.
    """
    if not (folder / FINDINGS).is_file() or not (folder / LABELS).is_file():
        raise InputError(
            f"This is not a complete result: {FINDINGS} and {LABELS} must lie in one folder. Give the folder that "
            "'kidneyseg segment' wrote."
        )
    findings = Findings.from_json((folder / FINDINGS).read_text(encoding="utf-8"))
    labels = read_image(folder / LABELS)
    if labels.voxels.dtype != np.uint8:
        raise InputError("The label map was written by another program. Measure it with 'kidneyseg measure' first.")
    return Volume(labels.voxels, _grid(findings.provenance.input, labels)), findings


def _grid(record: InputRecord, labels: Volume) -> np.ndarray:
    """Returns the 4x4 matrix of the image that was segmented, checked to be that of the label map."""
    matrix = np.eye(4)
    matrix[:3, :3] = np.reshape(record.direction, (3, 3)) * record.spacing_mm
    matrix[:3, 3] = record.origin_lps_mm
    same_size = tuple(record.size) == labels.voxels.shape[::-1]
    far = np.array([*record.size, 1]) - (1, 1, 1, 0)
    apart = max(np.abs((matrix - labels.ijk_to_lps) @ corner).max() for corner in (far, (0, 0, 0, 1)))
    if not same_size or apart > min(record.spacing_mm) / 2:
        raise GeometryError(
            "The label map does not lie on the grid of the image that was segmented. Measure it first, with "
            "'kidneyseg measure'."
        )
    return matrix
