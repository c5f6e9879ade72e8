"""Labelled axial slices for training: from a folder of slices, or out of exams.

A folder of slices holds ``slices.json`` (one entry per slice: ``image``, ``patient``, ``kidneys``, if known
``pixel_mm``) and PNG files of 8 bits: ``images/N.png``, ``kidneys/N.png`` (values of ``structures``; only where drawn)
and ``stones/N.png`` (0 or 255).
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from KidneySegLib.datasets.exams import STORE_FINENESS, read_exam
from KidneySegLib.datasets.labelled_exam import LabelledExam, resampled_labels
from KidneySegLib.datasets.tissue import kidney_depth, tissue_regions
from KidneySegLib.errors import InputError
from KidneySegLib.hounsfield import LARGEST_12_BIT, OUTSIDE
from KidneySegLib.inference.resampling import grid_shape, resample

LIST = "slices.json"
# Slices without kidney are taken this far above and below the kidneys, where liver, spleen, bowel and the muscles of
# the pelvis have to be told from kidney.
_BEYOND_MM = 120.0
# A smaller cross-section of both kidneys together is the rim of a pole, where the outline itself is uncertain.
_SMALLEST_MM2 = 60.0
# The maps for contrast synthesis are made slice by slice, as if the next slices were far away.
_APART_MM = 8.0


@dataclass(frozen=True)
class SliceEntry:
    """A slice of a folder of slices.

    Attributes:
        number: N of its files.
        patient: name of the patient in the list.
        has_kidneys: whether kidneys were drawn.
        pixel_mm: pixel size, where the list states it.
    """

    number: int
    patient: str
    has_kidneys: bool
    pixel_mm: float | None = None


def read_list(folder: Path) -> list[SliceEntry]:
    """Reads the list of a folder of slices.

    Raises:
        InputError: there is none, or it is not such a list.
    """
    try:
        entries = json.loads((folder / LIST).read_text(encoding="utf-8"))
        return [
            SliceEntry(int(e["image"]), str(e["patient"]), bool(e["kidneys"]), _optional(e.get("pixel_mm")))
            for e in entries
        ]
    except OSError as error:
        raise InputError(f"The folder holds no list of slices ({LIST}).") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"{LIST} must be a list of entries with image (number), patient and kidneys (true or false)."
        ) from error


def _optional(value: object) -> float | None:
    return None if value is None else float(str(value))


def read_grey(path: Path) -> np.ndarray:
    """Reads a PNG of grey values, uint8 ``(j, i)``.

    Raises:
        InputError: it is missing, or not such an image.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as image:
            if image.mode not in ("L", "1"):
                raise InputError(f"'{path.name}' in a folder of slices must be of 8 bits of grey, not {image.mode}.")
            return np.asarray(image.convert("L"))
    except (OSError, UnidentifiedImageError) as error:
        raise InputError(f"'{path.parent.name}/{path.name}' is missing or is not an image.") from error


def grey_to_hu(grey: np.ndarray, window: tuple[float, float]) -> np.ndarray:
    """Returns int16 HU for grey values 0..255 that show ``window`` (HU of black and of white)."""
    low, high = window
    return np.rint(low + grey.astype(np.float32) * ((high - low) / 255)).astype(np.int16)


def load_slices(
    folder: Path, working: float, *, distance_mm: float, pixel_mm: float, window: tuple[float, float]
) -> list[LabelledExam]:
    """Reads all labelled slices of a folder of slices, or of an exam.

    Args:
        folder: with ``slices.json``, or an exam (see ``exams``).
        working: the network's grid in mm; slices are stored a little finer.
        distance_mm: between the slices that are taken from an exam.
        pixel_mm: pixel size of a folder of slices, where its list states none.
        window: HU of black and white that are assumed for a folder of slices.

    Raises:
        InputError: something cannot be read.
    """
    if (folder / LIST).is_file():
        return _from_folder(folder, working, pixel_mm, window)
    return _from_exam(folder, working, distance_mm)


def _from_folder(folder: Path, working: float, pixel_mm: float, window: tuple[float, float]) -> list[LabelledExam]:
    slices = []
    for entry in read_list(folder):
        if entry.has_kidneys:
            hu = grey_to_hu(read_grey(folder / "images" / f"{entry.number}.png"), window)
            labels = read_grey(folder / "kidneys" / f"{entry.number}.png")
            if labels.shape != hu.shape:
                raise InputError(f"Slice {entry.number}: image and kidneys have different sizes.")
            name = f"{entry.patient} {entry.number}"
            pixel = entry.pixel_mm or pixel_mm
            slices += _stored(hu[None], labels[None], (pixel, pixel), working, [name], entry.patient)
    return slices


def _from_exam(folder: Path, working: float, distance_mm: float) -> list[LabelledExam]:
    """Takes slices with kidney, and those without that lie close above and below (an exam without any: all)."""
    image, labels = read_exam(folder)
    i, j, k = image.spacing
    area = (labels.voxels > 0).sum(axis=(1, 2)) * i * j
    shown = np.flatnonzero(area > 0)
    first, last = (int(shown[0]), int(shown[-1])) if shown.size else (0, len(area) - 1)
    beyond = round(_BEYOND_MM / k)
    step = max(1, round(distance_mm / k))
    chosen = np.arange(max(0, first - beyond), min(len(area), last + beyond + 1), step)
    chosen = chosen[(area[chosen] == 0) | (area[chosen] >= _SMALLEST_MM2)]
    hu = np.clip(image.voxels[chosen], OUTSIDE, LARGEST_12_BIT)
    names = [f"{folder.name} {n + 1}" for n in chosen]
    return _stored(hu, labels.voxels[chosen], (j, i), working, names, folder.name)


def _stored(
    hu: np.ndarray, labels: np.ndarray, native: tuple[float, float], working: float, names: Sequence[str], patient: str
) -> list[LabelledExam]:
    """Brings slices ``(k, j, i)`` of one patient near the working grid; each becomes an exam of its own."""
    target = [max(n, working * STORE_FINENESS) for n in native]
    shape = grid_shape(hu.shape, (1.0, *native), (1.0, *target))
    rows, columns = (n * size / new for n, size, new in zip(native, hu.shape[1:], shape[1:], strict=True))
    stored = resample(hu, shape).round().numpy().astype(np.int16)
    drawn = resampled_labels(labels, shape)
    return [
        _slice(name, patient, (rows, columns), *(array[n : n + 1] for array in (stored, *drawn.values())))
        for n, name in enumerate(names)
    ]


def _slice(
    name: str,
    patient: str,
    pixel: tuple[float, float],
    hu: np.ndarray,
    organ: np.ndarray,
    parenchyma: np.ndarray,
    lesions: np.ndarray,
) -> LabelledExam:
    apart = (_APART_MM, *pixel)
    depth = kidney_depth(organ, apart) if organ.any() else np.zeros_like(organ)
    regions = tissue_regions(hu.astype(np.float32), organ, apart)
    return LabelledExam(name, patient, (1.0, *pixel), hu, organ, parenchyma, depth, lesions, regions)
