"""The result folder: written as a whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from KidneySegLib import __version__
from KidneySegLib.errors import GeometryError
from KidneySegLib.findings import Findings
from KidneySegLib.publishing import complaints, partial_folder
from KidneySegLib.reporting.label_files import write_nifti, write_segmentation
from KidneySegLib.reporting.overview import draw_overview
from KidneySegLib.reporting.tables import write_measurements
from KidneySegLib.volume import Volume

# findings.json comes last: where it lies, the result is complete.
FILES = ("labels.nii.gz", "segmentation.seg.nrrd", "measurements.csv", "overview.png", "findings.json")


def write_results(folder: Path, volume: Volume, labels: np.ndarray, findings: Findings) -> list[Path]:
    """Writes label maps, table, picture and findings into a folder.

    Everything is first written into a hidden partial folder and moved to its place at the end. Files of an earlier
    result are replaced, other files in the folder stay; after a failure or an interruption nothing half-written is
    left.

    Args:
        folder: the result folder; made if it does not exist.
        volume: the image in HU.
        labels: its label map, uint8 ``(k, j, i)``, values of ``structures``.
        findings: what ``analysis.describe`` found.

    Returns:
        The files, in the order of ``FILES``.

    Raises:
        GeometryError: the label map is not uint8 or not on the volume's grid, or the grid is sheared.
        OutputError: the files cannot be written.
    """
    if labels.dtype != np.uint8 or labels.shape != volume.voxels.shape:
        raise GeometryError(
            f"The label map ({labels.dtype}, shape {labels.shape}) does not fit the image of shape "
            f"{volume.voxels.shape}; 8-bit labels on the image's own grid are needed."
        )
    folder = folder.absolute()
    with complaints(), partial_folder(folder) as partial:
        write_nifti(partial / "labels.nii.gz", volume, labels)
        write_segmentation(partial / "segmentation.seg.nrrd", volume, labels, f"KidneySeg {__version__}")
        write_measurements(partial / "measurements.csv", findings)
        draw_overview(volume, labels, findings).save(partial / "overview.png", compress_level=4)
        (partial / "findings.json").write_text(findings.to_json(), encoding="utf-8")
        _publish(partial, folder)
    return [folder / name for name in FILES]


def _publish(partial: Path, folder: Path) -> None:
    """Moves the finished files into the result folder; an old ``findings.json`` goes first, the new one comes last."""
    if not folder.exists():
        partial.rename(folder)
        return
    (folder / "findings.json").unlink(missing_ok=True)
    for name in FILES:
        os.replace(partial / name, folder / name)
