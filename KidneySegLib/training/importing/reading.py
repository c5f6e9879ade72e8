"""Reads a case, checks it, and brings its labels to the house's numbers: what is not sure is refused, never guessed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from KidneySegLib.errors import GeometryError, InputError, KidneySegError
from KidneySegLib.readers.input import read_input
from KidneySegLib.result_files.labels.numbering import from_numbers
from KidneySegLib.result_files.labels.reading import on_grid
from KidneySegLib.result_files.labels.segment_files import SEGMENTATION_SUFFIX
from KidneySegLib.structures import BY_KEY, Numbering
from KidneySegLib.training.importing.case import Fault, SourceCase
from KidneySegLib.training.importing.label_names import BACKGROUND, KIDNEY, structure_of_label
from KidneySegLib.training.importing.plausible import plausible
from KidneySegLib.training.importing.segments import read_dicom_segments, read_file_segments
from KidneySegLib.volume import Volume, read_image

if TYPE_CHECKING:
    from KidneySegLib.exam import Exam

# numbers of KiTS, whose kidneys have no side either
_SIDELESS = {KIDNEY: 1, "mass": 2, "cyst": 3}
_MOST_TOLD = 5


@dataclass(frozen=True, eq=False)
class CheckedCase:
    """A case that may be trained on.

    Attributes:
        source: where it came from.
        exam: its image.
        labels: uint8 ``(k, j, i)`` in the stored order of the image, values of ``structures``.
        fingerprint: of the image's voxels.
    """

    source: SourceCase
    exam: Exam
    labels: np.ndarray
    fingerprint: str


class _RefusedError(Exception):
    """A case cannot be used."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


def read_case(case: SourceCase, own: Mapping[str, str]) -> CheckedCase | Fault:
    """Reads and checks a case.

    Args:
        case: what is read.
        own: what the user says of names; see ``label_names.own_names``.

    Returns:
        The case, or why it is refused.
    """
    try:
        exam = _image(case.image)
        names, drawn = _labels(case, exam.stored)
        labels = _mapped(drawn, names, own, exam.stored)
        for code, sentence in plausible(exam, labels):
            raise _RefusedError(code, sentence)
    except _RefusedError as error:
        return Fault(case.name, error.code, str(error))
    voxels = np.ascontiguousarray(exam.stored.voxels)
    mark = hashlib.sha256(str(voxels.shape).encode() + voxels.tobytes()).hexdigest()
    return CheckedCase(case, exam, labels, mark)


def _image(path: Path) -> Exam:
    try:
        return read_input(path)
    except GeometryError as error:
        raise _RefusedError("image_geometry", str(error)) from error
    except KidneySegError as error:
        raise _RefusedError("image_unreadable", str(error)) from error


def _labels(case: SourceCase, image: Volume) -> tuple[Mapping[int, str], np.ndarray]:
    """Returns the names of the numbers, and whole numbers ``(k, j, i)`` on the image's grid."""
    try:
        if case.image.is_dir():
            names, drawn = read_dicom_segments(case.labels, case.image)
            return names, on_grid(drawn, image)
        if case.labels.name.lower().endswith(SEGMENTATION_SUFFIX):
            names, drawn = read_file_segments(case.labels)
            return names, on_grid(drawn, image)
        drawn = read_image(case.labels)
    except GeometryError as error:
        raise _RefusedError("labels_geometry", str(error)) from error
    except InputError as error:
        raise _RefusedError("labels_unreadable", str(error)) from error
    if case.names is None:
        raise _RefusedError(
            "labels_unnamed",
            "Nothing says which number is which structure. Add ITK-SNAP's label descriptions (.txt) or a .seg.nrrd.",
        )
    values = drawn.voxels
    if not np.isfinite(values).all() or (values != np.rint(values)).any() or (values < 0).any():
        raise _RefusedError(
            "labels_not_whole",
            "The labels hold values that are not whole numbers: this is an image. Choose the label map.",
        )
    _same_grid(drawn, image)
    return case.names, on_grid(drawn, image).astype(np.int64)


def _same_grid(drawn: Volume, image: Volume) -> None:
    """Refuses labels that do not cover the image voxel by voxel, and says in what they differ."""
    one, other = drawn.canonical(), image.canonical()
    if one.voxels.shape != other.voxels.shape:
        raise _RefusedError("shape", "Image and labels have different numbers of voxels. Export both from one grid.")
    if not np.allclose(one.spacing, other.spacing, rtol=1e-3):
        raise _RefusedError("spacing", "Image and labels have different spacings. Export both from one grid.")
    corners = np.array([(0, 0, 0), np.array(one.voxels.shape) - 1])
    if np.abs(one.to_lps(corners) - other.to_lps(corners)).max() > 0.1 * min(other.spacing):
        raise _RefusedError(
            "affine", "Image and labels lie in different places or directions. Export both from one grid."
        )


def _mapped(drawn: np.ndarray, names: Mapping[int, str], own: Mapping[str, str], image: Volume) -> np.ndarray:
    """Returns the house's labels of numbers ``(k, j, i)``, by the names of the numbers."""
    keys, unnamed, unknown = {}, [], []
    for number in map(int, np.unique(drawn)):
        name = names.get(number, BACKGROUND if number == 0 else None)
        key = None if name is None else structure_of_label(name, own)
        if name is None:
            unnamed.append(str(number))
        elif key is None:
            unknown.append(" ".join(name.split())[:40])
        else:
            keys[number] = key
    if unnamed:
        told = ", ".join(unnamed[:_MOST_TOLD])
        raise _RefusedError(
            "unknown_label", f"The labels hold {told}, which the data set does not name. Name or remove it."
        )
    if unknown:
        told = ", ".join(f"'{name}'" for name in unknown[:_MOST_TOLD])
        raise _RefusedError(
            "unknown_name", f"No structure of KidneySeg is called {told}. Say what it is with --label NAME=STRUCTURE."
        )
    sideless = np.zeros(drawn.shape, np.uint8)
    labels = np.zeros(drawn.shape, np.uint8)
    for number, key in keys.items():
        if key in BY_KEY and key != KIDNEY:  # in a volume every kidney has a side
            labels[drawn == number] = BY_KEY[key].label
        if key in _SIDELESS:
            sideless[drawn == number] = _SIDELESS[key]
    if (sideless == _SIDELESS[KIDNEY]).any():
        by_side, _ = from_numbers(sideless, image, Numbering.KITS)
        labels = np.where(labels > 0, labels, by_side).astype(np.uint8)
    return labels
