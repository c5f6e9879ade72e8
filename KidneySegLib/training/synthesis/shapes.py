"""Shapes of real lesions and diseased kidneys, taken from label maps that come without images.

The label maps are those of KiTS23 (Heller et al., 2023): 1 kidney, 2 tumour, 3 cyst, both sides in one map. Every
kidney with a lesion is cut out and turned so that it lies like a right one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from KidneySegLib.errors import InputError
from KidneySegLib.geometry.boxes import box_of
from KidneySegLib.training.synthesis.real_textures import RealTexture
from KidneySegLib.volume import read_image

_KIDNEY, _MASS, _CYST = 1, 2, 3
# Kidneys below this are remnants or specks of labelling; lesions below it are a few voxels, which enlarged are boxes.
_LEAST_KIDNEY_ML, _LEAST_LESION_ML = 15.0, 0.5


@dataclass(frozen=True)
class DiseasedKidney:
    """One kidney with its lesions.

    Attributes:
        labels: uint8 ``(k, j, i)`` in canonical orientation, like a right kidney: 1 kidney, 2 solid mass, 3 cyst.
        spacing: mm along k, j, i.
    """

    labels: np.ndarray
    spacing: tuple[float, float, float]


@dataclass(frozen=True)
class LesionShape:
    """One lesion.

    Attributes:
        mask: bool ``(k, j, i)``.
        spacing: mm along k, j, i.
        solid: whether it is a solid mass; else a cyst.
        radius_mm: of the ball of the same volume.
    """

    mask: np.ndarray
    spacing: tuple[float, float, float]
    solid: bool
    radius_mm: float


@dataclass(frozen=True)
class ShapeLibrary:
    """All shapes of a folder, and textures of real masses.

    Attributes:
        kidneys: whole diseased kidneys.
        lesions: single lesions.
        textures: inside real masses of the exams that are trained on.
    """

    kidneys: tuple[DiseasedKidney, ...]
    lesions: tuple[LesionShape, ...]
    textures: tuple[RealTexture, ...] = ()


def read_shapes(folder: Path, cache: Path) -> ShapeLibrary:
    """Reads all label maps of a folder, or takes what was cut out of them from ``cache``.

    Raises:
        InputError: the folder holds no label map, or one cannot be read.
    """
    file = cache / "shapes.npz"
    if not file.is_file():
        kidneys = [kidney for path in sorted(folder.glob("*.nii.gz")) for kidney in _diseased(path)]
        if not kidneys:
            raise InputError(f"The folder of shapes '{folder.name}' has no label maps. Check the data folder.")
        cache.mkdir(parents=True, exist_ok=True)
        arrays = {f"labels_{n}": kidney.labels for n, kidney in enumerate(kidneys)}
        partial = file.with_suffix(".partial.npz")
        spacings = np.array([kidney.spacing for kidney in kidneys])
        np.savez_compressed(partial, allow_pickle=False, spacings=spacings, **arrays)
        partial.replace(file)
    with np.load(file) as data:
        rows = [(float(k), float(j), float(i)) for k, j, i in data["spacings"]]
        loaded = tuple(DiseasedKidney(data[f"labels_{n}"], row) for n, row in enumerate(rows))
    return ShapeLibrary(loaded, tuple(lesion for kidney in loaded for lesion in _lesions(kidney)))


def _diseased(path: Path) -> list[DiseasedKidney]:
    """Cuts the kidneys with lesions out of one label map."""
    import cc3d

    volume = read_image(path).canonical()
    labels = volume.voxels.astype(np.uint8)
    pieces, count = cc3d.connected_components(labels > 0, connectivity=26, return_N=True)
    sizes = np.bincount(pieces.ravel(), minlength=count + 1)[1:] * volume.voxel_volume / 1000
    large = [int(n) + 1 for n in np.argsort(-sizes)[:2] if sizes[n] > _LEAST_KIDNEY_ML]
    if len(large) < 2:
        return []  # which side a single organ lies on cannot be told from a cropped map
    middles = [np.argwhere(pieces == number)[:, 2].mean() for number in large]
    found = []
    for number, middle in zip(large, middles, strict=True):
        whole = np.where(pieces == number, labels, 0).astype(np.uint8)
        if not (whole > _KIDNEY).any() or not (whole == _KIDNEY).any():
            continue
        box = box_of(whole > 0)
        crop = whole[box]
        found.append(
            DiseasedKidney(
                np.ascontiguousarray(crop[..., ::-1] if middle == max(middles) else crop), _kji(volume.spacing)
            )
        )
    return found


def _lesions(kidney: DiseasedKidney) -> list[LesionShape]:
    import cc3d

    found = []
    for value in (_MASS, _CYST):
        pieces, count = cc3d.connected_components(kidney.labels == value, connectivity=6, return_N=True)
        for number in range(1, count + 1):
            mask = pieces == number
            volume = int(mask.sum()) * float(np.prod(kidney.spacing))
            if volume / 1000 >= _LEAST_LESION_ML:
                radius = (3 * volume / (4 * np.pi)) ** (1 / 3)
                found.append(LesionShape(mask[box_of(mask)], kidney.spacing, value == _MASS, float(radius)))
    return found


def _kji(spacing: Sequence[float]) -> tuple[float, float, float]:
    x, y, z = spacing
    return z, y, x
