"""What a data-set page says of a case."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from KidneySegLib.structures import BY_LABEL, STRUCTURES

if TYPE_CHECKING:
    from KidneySegLib.training.importing.reading import CheckedCase

_WINDOW_HU = (-160.0, 240.0)
_SIDE = 160


@dataclass(frozen=True)
class CaseSummary:
    """Of one case.

    Attributes:
        name: of the case.
        patient: under a name that says nothing.
        place: folder below the data folder.
        shape: voxels along k, j, i.
        spacing: mm along i, j, k.
        millilitres: by structure that is labelled.
        hu: mean of the voxels of each.
        thumbnail: PNG of the slice with most labels, outlined.
    """

    name: str
    patient: str
    place: str
    shape: tuple[int, ...]
    spacing: tuple[float, float, float]
    millilitres: dict[str, float]
    hu: dict[str, float]
    thumbnail: bytes


def summary_of(case: CheckedCase, patient: str, place: str) -> CaseSummary:
    """Measures a case and draws it small."""
    volume, labels = case.exam.volume, case.exam.order.apply(case.labels)
    counts = np.bincount(labels.ravel(), minlength=len(STRUCTURES) + 1)
    sums = np.bincount(labels.ravel(), weights=volume.voxels.ravel().astype(float), minlength=len(counts))
    present = [label for label in range(1, len(counts)) if counts[label]]
    return CaseSummary(
        case.source.name,
        patient,
        place,
        tuple(volume.voxels.shape),
        volume.spacing,
        {BY_LABEL[label].key: float(counts[label]) * volume.voxel_volume / 1000 for label in present},
        {BY_LABEL[label].key: float(sums[label] / counts[label]) for label in present},
        _thumbnail(volume.voxels, labels),
    )


def _thumbnail(hu: np.ndarray, labels: np.ndarray) -> bytes:
    from PIL import Image

    k = int((labels > 0).sum(axis=(1, 2)).argmax())
    step = max(1, max(hu.shape[1:]) // _SIDE)
    plane, drawn = hu[k, ::step, ::step].astype(float), labels[k, ::step, ::step]
    low, high = _WINDOW_HU
    grey = (np.clip((plane - low) / (high - low), 0, 1) * 255).astype(np.uint8)
    colours = np.repeat(grey[..., None], 3, axis=2)
    inner = np.zeros_like(drawn, bool)
    inner[1:-1, 1:-1] = (
        (drawn[1:-1, 1:-1] == drawn[:-2, 1:-1])
        & (drawn[1:-1, 1:-1] == drawn[2:, 1:-1])
        & (drawn[1:-1, 1:-1] == drawn[1:-1, :-2])
        & (drawn[1:-1, 1:-1] == drawn[1:-1, 2:])
    )
    for label in np.unique(drawn[drawn > 0]):
        colours[(drawn == label) & ~inner] = BY_LABEL[int(label)].colour
    file = io.BytesIO()
    Image.fromarray(colours).save(file, "PNG", optimize=True)
    return file.getvalue()
