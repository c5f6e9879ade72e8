"""Exams with references for tests that run no network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import SimpleITK as sitk
from test_commands_evaluate import GRID, SHAPE, made_labels

from KidneySegLib.volume import Volume

__all__ = ["GRID", "SHAPE", "made_labels", "save", "write_exam"]


def save(path: Path, voxels: np.ndarray, grid: np.ndarray = GRID) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    sitk.WriteImage(Volume(voxels, grid).to_image(), str(path))


def write_exam(folder: Path, labels: np.ndarray, value: int = 30) -> None:
    """Writes image and mask; the image has ``value`` where anything is labelled, and fat elsewhere."""
    save(folder / "image.nii.gz", np.where(labels > 0, value, -100).astype(np.int16))
    save(folder / "mask.nii.gz", labels)
