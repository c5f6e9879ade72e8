"""The true volume: a value for every point of the patient, and whether a volume that was read agrees with it."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from dicom_writing import AXIAL, even_positions, write_field
from pydicom.uid import generate_uid

from KidneySegLib.exam import Exam
from KidneySegLib.hounsfield import OUTSIDE
from KidneySegLib.volume import Volume

ORIGIN = (-31.5, 12.25, 140.0)
SLICES, SPACING, SHAPE, PIXEL = 12, 2.5, (16, 20), (1.5, 0.75)
POSITIONS = even_positions(ORIGIN, AXIAL, SPACING, SLICES)
# These stand in every series that is written (dicom_writing) and in every folder's name; none may be told.
SECRETS = re.compile(r"secret|patient-of|/tmp|\.dcm\b|Traceback", re.IGNORECASE)
FOLDER = "patient-of-1970"
# Flags that tell that images are missing from the volume.
LOSSES = {"series_left_out", "only_ct_volume", "missing_slices", "series_interrupted", "unreadable_files"}


def field(points: np.ndarray) -> np.ndarray:
    """Returns HU from -1000 (air) to about 350 for points (..., 3) in mm LPS.

    It is linear, so interpolation keeps it exactly, and differs in every direction, so that a wrong place, side,
    spacing, sign or offset shows in every voxel.
    """
    return (points - np.array(ORIGIN)) @ np.array([20.0, 15.0, 25.0]) - 1000.0


@dataclass(frozen=True)
class Truth:
    """What a volume must be.

    Attributes:
        field: HU of points in mm LPS.
        low, high: corners of what the images cover in mm LPS; None where that is left open.
    """

    field: Callable[[np.ndarray], np.ndarray] = field
    low: tuple[float, ...] | None = ORIGIN
    high: tuple[float, ...] | None = (
        ORIGIN[0] + (SHAPE[1] - 1) * PIXEL[1],
        ORIGIN[1] + (SHAPE[0] - 1) * PIXEL[0],
        ORIGIN[2] + (SLICES - 1) * SPACING,
    )


TRUTH = Truth()
ANYWHERE = Truth(low=None, high=None)


def write(folder: Path, positions: Any = POSITIONS, **attributes: Any) -> list[Path]:
    """Writes the true series, or another cut of it, with attributes replaced (see ``dicom_writing.write_series``)."""
    if positions is POSITIONS and not attributes:
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in true_files().items():
            (folder / name).write_bytes(data)
        return sorted(folder / name for name in true_files())
    options = {"field": field, "pixel_spacing": PIXEL, "shape": SHAPE, "SliceThickness": SPACING}
    return write_field(folder, positions, **{**options, "StudyInstanceUID": generate_uid(), **attributes})


@cache
def true_files() -> dict[str, bytes]:
    """Returns the files of the true series by name; most cases start from them."""
    with tempfile.TemporaryDirectory() as folder:
        return {path.name: path.read_bytes() for path in write(Path(folder), list(POSITIONS))}


def true_volume() -> Volume:
    """Returns the true volume on the series' grid, int16."""
    matrix = np.diag([PIXEL[1], PIXEL[0], SPACING, 1.0])
    matrix[:3, 3] = ORIGIN
    grid = Volume(np.zeros((SLICES, *SHAPE), np.int16), matrix)
    points = grid.to_lps(np.stack(np.indices(grid.voxels.shape), axis=-1))
    return grid.like(np.rint(field(points)).astype(np.int16))


def disagreement(acquisition: Exam, truth: Truth, tolerance: float) -> str:
    """Returns what is wrong with a volume, "" if nothing is.

    Every voxel must have the value of its place, found through the volume's matrix. Air may stand where the images of
    a tilted or shifted series do not reach. What covers less than the truth must be flagged.
    """
    volume = acquisition.stored
    points = volume.to_lps(np.stack(np.indices(volume.voxels.shape), axis=-1))
    off = np.abs(volume.voxels - np.maximum(truth.field(points), OUTSIDE)) > tolerance
    codes = {flag.code for flag in acquisition.flags}
    if codes & {"gantry_tilt", "shifted_slices"}:
        inner = slice(2, -2)
        off = off[inner, inner, inner] & ~_near_air(volume.voxels)[inner, inner, inner]
    if off.any():
        k, j, i = np.argwhere(off)[0]
        return f"{off.mean():.0%} of the voxels are wrong, such as {volume.voxels[k, j, i]} at ({k}, {j}, {i})"
    if truth.low is None or truth.high is None or not len(points):
        return ""
    corners = points.reshape(-1, 3)
    lost = max(np.max(corners.min(axis=0) - truth.low), np.max(np.array(truth.high) - corners.max(axis=0)))
    return f"{lost:.1f} mm of the scan are lost without a word" if lost > 0.1 and not codes & LOSSES else ""


def _near_air(voxels: np.ndarray) -> np.ndarray:
    from scipy.ndimage import minimum_filter

    return minimum_filter(voxels, size=3) <= OUTSIDE
