"""A small result to be written: an oblique grid with two kidneys, a mass and a stone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from result_cases import described
from scipy.spatial.transform import Rotation

from KidneySegLib.findings import BundleRecord, Findings, InputRecord, Provenance
from KidneySegLib.volume import Volume


def phantom(size: tuple[int, int, int] = (36, 60, 90), rotation: NDArray | None = None) -> tuple[Volume, NDArray]:
    """Returns an image with a body in air and its label map, uint8 ``(k, j, i)``; the patient's right is at small i."""
    spacing = np.array([3.0, 3.0, 4.0])
    matrix = np.eye(4)
    matrix[:3, :3] = (np.eye(3) if rotation is None else rotation) * spacing
    matrix[:3, 3] = (-135, -90, -400)
    k, j, i = (axis - (n - 1) / 2 for axis, n in zip(np.indices(size), size, strict=True))
    voxels = np.full(size, -1000, np.int16)
    voxels[(j / (0.45 * size[1])) ** 2 + (i / (0.46 * size[2])) ** 2 <= 1] = 50
    voxels[np.hypot(j - 14, i) <= 5] = 700
    labels = np.zeros(size, np.uint8)
    for label, side in ((1, -1), (2, 1)):
        labels[(k / 12) ** 2 + ((j - 5) / 8) ** 2 + ((i - side * 22) / 9) ** 2 <= 1] = label
    labels[k**2 + (j - 5) ** 2 + (i - 27) ** 2 <= 9] = 3
    labels[size[0] // 2, size[1] // 2 + 5, size[2] // 2 - 22] = 5
    voxels[labels > 0] = 150
    return Volume(voxels, matrix), labels


def oblique() -> NDArray:
    """A rotation about two axes."""
    return Rotation.from_euler("xz", (15, -8), degrees=True).as_matrix()


def findings_of(volume: Volume, labels: NDArray) -> Findings:
    """Describes a phantom."""
    provenance = Provenance(
        started_utc="2026-01-01T00:00:00+00:00",
        device="cpu",
        precision="float32",
        input=InputRecord.of(volume, "nifti"),
        bundles=(BundleRecord("ct-kidney", "1.0.0", "00"),),
    )
    return described(volume, labels, flags=[], provenance=provenance)
