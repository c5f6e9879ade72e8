"""What DICOM results need of a result folder that was written earlier."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from KidneySegLib.errors import InputError
from KidneySegLib.findings import Findings
from KidneySegLib.volume import Volume, read_image

FINDINGS, LABELS = "findings.json", "labels.nii.gz"


def read_result(folder: Path) -> tuple[Volume, Findings]:
    """Reads label map and findings of a result folder.

    Returns:
        The label map, uint8 ``(k, j, i)`` on the grid of the image that was segmented, and the findings.

    Raises:
        InputError: it is no complete result folder, or a file in it is damaged.
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
    return labels, findings
