"""The result folder: written as a whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from KidneySegLib import __version__
from KidneySegLib.errors import GeometryError
from KidneySegLib.findings import Findings
from KidneySegLib.pictures.overview import draw_overview
from KidneySegLib.publishing import complaints, partial_folder
from KidneySegLib.result_files.folder import check_folder, remove_earlier
from KidneySegLib.result_files.labels.files import write_nifti, write_segmentation
from KidneySegLib.result_files.names import FINDINGS, RESULT_FILES
from KidneySegLib.result_files.tables import write_measurements
from KidneySegLib.volume import Volume

if TYPE_CHECKING:
    from PIL.PngImagePlugin import PngInfo

FILES = RESULT_FILES


def write_results(folder: Path, volume: Volume, labels: np.ndarray, findings: Findings) -> list[Path]:
    """Writes label maps, table, picture and findings into a folder.

    Everything is first written into a hidden partial folder and moved to its place at the end. Files of an earlier
    result are replaced, its report and DICOM files go, files of others stay; after a failure or an interruption
    nothing half-written is left.

    Args:
        folder: the result folder; made if it does not exist.
        volume: the image in HU.
        labels: its label map, uint8 ``(k, j, i)``, values of ``structures``.
        findings: what ``analysis.describe`` found.

    Returns:
        The files, in the order of ``FILES``.

    Raises:
        GeometryError: the label map is not uint8 or not on the volume's grid, or the grid is sheared.
        OutputError: the files cannot be written, or would replace such as KidneySeg did not write.
    """
    if labels.dtype != np.uint8 or labels.shape != volume.voxels.shape:
        raise GeometryError(
            f"The label map ({labels.dtype}, shape {labels.shape}) does not fit the image of shape "
            f"{volume.voxels.shape}; 8-bit labels on the image's own grid are needed."
        )
    folder = folder.absolute()
    check_folder(folder, FILES)
    with complaints(), partial_folder(folder) as partial:
        write_nifti(partial / "labels.nii.gz", volume, labels)
        write_segmentation(
            partial / "segmentation.seg.nrrd",
            volume,
            labels,
            f"KidneySeg {__version__}",
            sides_certain=findings.sides_certain,
        )
        write_measurements(partial / "measurements.csv", findings)
        draw_overview(volume, labels, findings).save(partial / "overview.png", compress_level=4, pnginfo=_maker())
        (partial / "findings.json").write_text(findings.to_json(), encoding="utf-8")
        _publish(partial, folder)
    return [folder / name for name in FILES]


def _publish(partial: Path, folder: Path) -> None:
    """Moves the finished files into the result folder; an old ``findings.json`` goes first, the new one comes last.

    Between them goes what was made of the old result.
    """
    if not folder.exists():
        partial.rename(folder)
        return
    (folder / FINDINGS).unlink(missing_ok=True)
    remove_earlier(folder)
    for name in FILES:
        os.replace(partial / name, folder / name)


def _maker() -> PngInfo:
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    info.add_text("Software", f"KidneySeg {__version__}")
    return info
