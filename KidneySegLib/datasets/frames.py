"""Labelled ultrasound frames for training and evaluation.

A folder of frames holds ``frames.json`` (one entry per frame: ``image``, its file; ``study``, ``series`` or ``id``, the
patient as far as it is known) and 8-bit grey pictures: ``images/`` and, of the same names, ``masks/`` (kidney 255, else
0).
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from KidneySegLib.bundles.plan import StagePlan
from KidneySegLib.datasets.exams import STORE_FINENESS
from KidneySegLib.datasets.labelled_exam import LabelledExam
from KidneySegLib.datasets.slices import read_grey
from KidneySegLib.errors import InputError
from KidneySegLib.inference.frame_grid import frame_spacing, shown_box
from KidneySegLib.inference.resampling import grid_shape, resample

LIST = "frames.json"


@dataclass(frozen=True)
class FrameEntry:
    """A frame of a folder of frames.

    Attributes:
        file: name of its image and of its mask.
        patient: study of the patient, or the narrowest that the list has.
    """

    file: str
    patient: str

    @property
    def name(self) -> str:
        """Name for tables."""
        return Path(self.file).stem


def read_frame_list(folder: Path) -> list[FrameEntry]:
    """Reads the list of a folder of frames; entries whose image is not in the folder are left out.

    Raises:
        InputError: there is no list, it is not such a list, or the folder has none of its images.
    """
    try:
        entries = json.loads((folder / LIST).read_text(encoding="utf-8"))
        frames = [FrameEntry(_file_name(e["image"]), _patient(e)) for e in entries]
    except OSError as error:
        raise InputError(f"The folder holds no list of frames ({LIST}).") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"{LIST} must be a list of entries with image (a file name) and study, series or id."
        ) from error
    there = [frame for frame in frames if (folder / "images" / frame.file).is_file()]
    if not there:
        raise InputError(f"The folder has none of the images of its {LIST}. They must lie in 'images'.")
    return there


def read_frame(folder: Path, frame: FrameEntry) -> tuple[np.ndarray, np.ndarray]:
    """Returns grey values, uint8, and the kidney, bool, both ``(j, i)``.

    Raises:
        InputError: a file is missing or no such picture, or the two differ in size.
    """
    grey, mask = (read_grey(folder / kind / frame.file) for kind in ("images", "masks"))
    if grey.shape != mask.shape:
        raise InputError(f"Frame '{frame.name}': image and mask have different sizes.")
    return grey, mask > 0


def load_frames(folder: Path, stage: StagePlan) -> list[LabelledExam]:
    """Reads all labelled frames of a folder, each as an exam of its own; see ``frame_exam``.

    Raises:
        InputError: something cannot be read.
    """
    return [
        frame_exam(frame.name, frame.patient, *read_frame(folder, frame), stage) for frame in read_frame_list(folder)
    ]


def frame_exam(
    name: str, patient: str, grey: np.ndarray, kidney: np.ndarray, stage: StagePlan, *, weight: float = 1.0
) -> LabelledExam:
    """Returns what a frame shows as an exam near the working grid of a stage.

    Args:
        name: for tables.
        patient: that it belongs to.
        grey: uint8 ``(j, i)``.
        kidney: bool ``(j, i)``.
        stage: 2D; its patch is the size of a frame.
        weight: see ``LabelledExam``.
    """
    box = shown_box(grey)
    grey, kidney = grey[box], kidney[box]
    native = frame_spacing(grey.shape, (1.0, 1.0), stage)
    target = [max(n, s * STORE_FINENESS) for n, s in zip(native, stage.spacing, strict=True)]
    shape = grid_shape((1, *grey.shape), native, (1.0, *target[1:]))
    spacing = frame_spacing(
        shape[1:], [n * s / new for n, s, new in zip(grey.shape, native[1:], shape[1:], strict=True)], stage
    )
    stored = resample(grey[None], shape).round().numpy().astype(np.int16)
    organ = (resample(kidney[None].astype(np.uint8), shape).numpy() >= 0.5).astype(np.uint8)
    none = np.zeros_like(organ)
    return LabelledExam(name, patient, spacing, stored, organ, organ, none, none, none, weight=weight)


def constant_mask(kidneys: Sequence[np.ndarray], shape: tuple[int, int]) -> np.ndarray:
    """Returns where at least half of the kidneys are, when all frames are brought to one shape; bool ``(j, i)``.

    It is the outline that needs no look at the frame: what a network is worth shows beside it.

    Args:
        kidneys: bool ``(j, i)`` of any shapes, at least one.
        shape: of the result.
    """
    total = np.zeros(shape, np.float32)
    for kidney in kidneys:
        total += resample(kidney[None].astype(np.uint8), (1, *shape)).numpy()[0]
    return total >= len(kidneys) / 2


def _file_name(value: object) -> str:
    name = str(value)
    if PurePosixPath(name).name != name or "\\" in name or name in ("", ".", ".."):
        raise ValueError("an image is not a plain file name")
    return name


def _patient(entry: dict[str, object]) -> str:
    known = [str(entry[key]) for key in ("study", "series", "id") if entry.get(key)]
    if not known:
        raise KeyError("study")
    return known[0]
