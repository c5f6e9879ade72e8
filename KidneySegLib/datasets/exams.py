"""Labelled exams, prepared once for training.

An exam is a folder with ``image.nii.gz`` (HU) and ``mask.nii.gz`` (1 right kidney, 2 left kidney, 3 solid mass, 4 cyst,
5 stone) on the same grid. Preparation turns it to the canonical orientation, brings it near the working resolution and
adds the maps that the contrast synthesis needs. Everything is held in memory in 8 and 16 bits.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from scipy import ndimage

from KidneySegLib.datasets.labelled_exam import LabelledExam, resampled_labels
from KidneySegLib.datasets.tissue import kidney_depth, tissue_regions
from KidneySegLib.errors import InputError
from KidneySegLib.hounsfield import BODY, LARGEST_12_BIT, OUTSIDE
from KidneySegLib.inference.resampling import grid_shape, resample, resample_mask
from KidneySegLib.volume import Volume, read_image

# The store is finer than the working grid by this factor, so that sampling from it blurs little.
STORE_FINENESS = 0.75
# Changes when prepared files hold something else than before.
_STORE_VERSION = 3
# A lesion within this distance of a kidney belongs to it.
_NEAR_MM = 15.0


def read_exam(folder: Path) -> tuple[Volume, Volume]:
    """Reads image and labels in canonical orientation; an exam without ``mask.nii.gz`` has no kidney in view.

    Raises:
        InputError: a file cannot be read, or the two are not on the same grid.
    """
    image = read_image(folder / "image.nii.gz").canonical()
    return image, image.like(read_mask(folder, image))


def read_mask(folder: Path, image: Volume) -> np.ndarray:
    """Reads the labels of an exam, uint8 ``(k, j, i)`` in canonical orientation; zeros where it has no ``mask.nii.gz``.

    Args:
        folder: of the exam.
        image: its image in canonical orientation.

    Raises:
        InputError: the mask cannot be read, or is not on the image's grid.
    """
    if not (folder / "mask.nii.gz").is_file():
        return np.zeros(image.voxels.shape, np.uint8)
    labels = read_image(folder / "mask.nii.gz").canonical()
    same = labels.voxels.shape == image.voxels.shape
    if not same or not np.allclose(labels.ijk_to_lps, image.ijk_to_lps, atol=1e-2):
        raise InputError(f"Exam '{folder.name}': image and mask are not on the same grid.")
    return labels.voxels.astype(np.uint8)


def prepare_exam(folder: Path, working_spacing: tuple[float, float, float], cache: Path) -> LabelledExam:
    """Reads and prepares an exam, or takes it from ``cache`` if it was prepared for this spacing before."""
    tag = "-".join(f"{s:g}" for s in working_spacing)
    file = cache / f"{folder.parent.name}-{folder.name}-{tag}-{_STORE_VERSION}.npz"
    if not file.is_file():
        cache.mkdir(parents=True, exist_ok=True)
        partial = file.with_suffix(".partial.npz")
        np.savez_compressed(partial, allow_pickle=False, **_prepare(folder, working_spacing))
        partial.replace(file)
    with np.load(file) as data:
        arrays = {key: data[key] for key in ("hu", "organ", "parenchyma", "depth", "lesions", "regions")}
        boxes = tuple(
            ("right" if row[0] == 1 else "left", tuple(map(int, row[1:4])), tuple(map(int, row[4:7])))
            for row in data["boxes"]
        )
        k, j, i = map(float, data["spacing"])
        thickness = float(data["thickness"])
        return LabelledExam(folder.name, folder.name, (k, j, i), boxes=boxes, thickness=thickness, **arrays)


def _prepare(folder: Path, working_spacing: tuple[float, float, float]) -> dict[str, np.ndarray]:
    image, labels = read_exam(folder)
    native = image.spacing[::-1]
    target = [max(n, w * STORE_FINENESS) for n, w in zip(native, working_spacing, strict=True)]
    shape = grid_shape(image.voxels.shape, native, target)
    spacing = np.array(native) * image.voxels.shape / np.array(shape)
    hu = resample(np.clip(image.voxels, OUTSIDE, LARGEST_12_BIT), shape).numpy()
    stored = resampled_labels(labels.voxels, shape)
    sides = assign_sides(labels.voxels, image.spacing[::-1], body_middle(image.voxels))
    boxes = []
    for side in (1, 2):
        where = np.nonzero(resample_mask(sides == side, shape))
        if where[0].size:
            boxes.append([side, *(int(w.min()) for w in where), *(int(w.max()) + 1 for w in where)])
    return {
        "hu": hu.round().astype(np.int16),
        **stored,
        "depth": kidney_depth(stored["organ"], spacing),
        "regions": tissue_regions(hu, stored["organ"], spacing),
        "boxes": np.array(boxes, dtype=np.int32).reshape(-1, 7),
        "spacing": spacing,
        "thickness": np.float64(native[0]),
    }


def body_middle(hu: np.ndarray) -> float:
    """Returns the index along i of the body's middle.

    Args:
        hu: ``(k, j, i)`` in canonical orientation.
    """
    columns = np.nonzero((hu > BODY).mean(axis=(0, 1)) > 0.05)[0]
    return float(columns[[0, -1]].mean()) if columns.size else (hu.shape[2] - 1) / 2


def assign_sides(labels: np.ndarray, spacing: Sequence[float], middle: float) -> np.ndarray:
    """Gives masses, cysts and stones to a side: returns 1 right, 2 left, 0 background.

    A lesion belongs to the kidney that it is near to. One that is far from any may have replaced its own kidney: then
    the side of the body decides.

    Args:
        labels: uint8 ``(k, j, i)`` with values 0 to 5, canonical orientation.
        spacing: mm along k, j, i.
        middle: of the body, index along i.
    """
    sides = np.where(labels <= 2, labels, 0).astype(np.uint8)
    lesions = labels > 2
    if not lesions.any():
        return sides
    # every voxel that is asked, and every nearest kidney voxel, lies in the box of all labels
    (box,) = ndimage.find_objects((labels > 0).view(np.uint8))
    part, start = sides[box], box[2].start
    pieces, _ = ndimage.label(lesions[box])
    kidneys = bool(part.any())
    if kidneys:
        distance, nearest = ndimage.distance_transform_edt(part == 0, sampling=spacing, return_indices=True)
        nearest_side = part[tuple(nearest)]
    # within its own box each: an exam may hold thousands of pieces
    for piece, extent in enumerate(ndimage.find_objects(pieces), start=1):
        inside = pieces[extent] == piece
        if kidneys and distance[extent][inside].min() <= _NEAR_MM:
            votes = np.bincount(nearest_side[extent][inside], minlength=3)
            side = 1 + int(votes[2] > votes[1])
        else:
            # canonical orientation: i grows to the patient's left
            side = 1 + int(start + extent[2].start + np.nonzero(inside)[2].mean() > middle)
        part[extent][inside] = side
    return sides
