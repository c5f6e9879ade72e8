"""Exams with references for tests that run no network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import SimpleITK as sitk

from KidneySegLib.volume import Volume

SHAPE = (12, 40, 60)
# stored from head to feet and from left to right, as a NIfTI may be
GRID = np.diag([-1.5, 1.5, -2.0, 1.0])


def made_labels() -> np.ndarray:
    labels = np.zeros(SHAPE, np.uint8)
    labels[2:10, 10:30, 5:20], labels[2:10, 10:30, 40:55] = 2, 1
    labels[4:8, 15:22, 8:15] = 4
    labels[5, 20, 45:48] = 5
    return labels


def save(path: Path, voxels: np.ndarray, grid: np.ndarray = GRID) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    sitk.WriteImage(Volume(voxels, grid).to_image(), str(path))


def write_exam(folder: Path, labels: np.ndarray, value: int = 30) -> None:
    """Writes image and mask; the image has ``value`` where anything is labelled, and fat elsewhere."""
    save(folder / "image.nii.gz", np.where(labels > 0, value, -100).astype(np.int16))
    save(folder / "mask.nii.gz", labels)
