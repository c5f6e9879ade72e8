"""What an evaluation runs on: exams and slices with references. A task plugs in its own by a function in ``CASES``."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from KidneySegLib.datasets.exams import read_mask
from KidneySegLib.datasets.frames import LIST as FRAMES
from KidneySegLib.datasets.frames import FrameEntry, read_frame, read_frame_list
from KidneySegLib.datasets.slices import LIST, SliceEntry, read_grey, read_list
from KidneySegLib.errors import InputError
from KidneySegLib.exam import Exam
from KidneySegLib.readers.input import NO_OPTIONS, ReadOptions
from KidneySegLib.structures import BY_KEY

# Where the list of a folder of slices states no pixel size: that of an abdomen of 410 mm over 512 pixels.
PIXEL_MM = 0.8


@dataclass(frozen=True, eq=False)
class Reference:
    """What is held to be true of an exam; arrays ``(k, j, i)`` on its grid in canonical order.

    Attributes:
        labels: uint8, values of ``structures``; None where nothing but stones was drawn.
        stones: bool; None where no stones were drawn.
    """

    labels: np.ndarray | None
    stones: np.ndarray | None


@dataclass(frozen=True)
class Case:
    """An exam with a reference.

    Attributes:
        name: of its results; unique.
        patient: that it belongs to.
        source: what is segmented.
        reference: reads the reference of the exam that was read from ``source``.
        options: how that is read.
    """

    name: str
    patient: str
    source: Path
    reference: Callable[[Exam], Reference]
    options: ReadOptions = NO_OPTIONS


def _volumes(path: Path) -> list[Case]:
    """Returns a folder with ``image.nii.gz`` (and ``mask.nii.gz``, if kidneys are in view), or those in a folder."""
    images = [path / "image.nii.gz"] if (path / "image.nii.gz").is_file() else sorted(path.glob("*/image.nii.gz"))
    return [Case(i.parent.name, i.parent.name, i, partial(_mask, i.parent)) for i in images]


def _mask(folder: Path, exam: Exam) -> Reference:
    labels = read_mask(folder, exam.volume)
    return Reference(labels, labels == BY_KEY["stone"].label)


def _slices(path: Path) -> list[Case]:
    """Returns the slices of a folder of slices (see ``datasets.slices``)."""
    return [
        Case(
            f"{path.resolve().name}-{entry.number}",
            entry.patient,
            path / "images" / f"{entry.number}.png",
            partial(_drawn, path, entry),
            ReadOptions(pixel_mm=entry.pixel_mm or PIXEL_MM),
        )
        for entry in (read_list(path) if (path / LIST).is_file() else [])
    ]


def _drawn(folder: Path, entry: SliceEntry, exam: Exam) -> Reference:
    def read(kind: str) -> np.ndarray:
        drawn = read_grey(folder / kind / f"{entry.number}.png")[None]
        if drawn.shape != exam.volume.voxels.shape:
            raise InputError(f"'{kind}/{entry.number}.png' does not have the size of its image.")
        return drawn

    has_stones = (folder / "stones" / f"{entry.number}.png").is_file()
    return Reference(read("kidneys") if entry.has_kidneys else None, read("stones") > 0 if has_stones else None)


def _frames(path: Path) -> list[Case]:
    """Returns the frames of a folder of frames (see ``datasets.frames``)."""
    return [
        Case(entry.name, entry.patient, path / "images" / entry.file, partial(_outlined, path, entry))
        for entry in (read_frame_list(path) if (path / FRAMES).is_file() else [])
    ]


def _outlined(folder: Path, entry: FrameEntry, exam: Exam) -> Reference:
    _, kidney = read_frame(folder, entry)
    return Reference((kidney * np.uint8(BY_KEY["kidney"].label))[None], None)


CASES: dict[str, Callable[[Path], list[Case]]] = {"ct": _volumes, "ct-slice": _slices, "ultrasound": _frames}
_NEEDED = {
    "ct": "a folder with image.nii.gz (and mask.nii.gz)",
    "ct-slice": f"a folder with {LIST} beside images, kidneys and stones",
    "ultrasound": f"a folder with {FRAMES} beside images and masks",
}


def find_cases(task: str, paths: Sequence[Path]) -> list[Case]:
    """Returns the cases of a task at ``paths``.

    Raises:
        InputError: the task has none that are known, a path has none, or two cases have one name.
    """
    if task not in CASES:
        raise InputError(f"No references are known for the task '{task}'. Known ones: {', '.join(CASES)}.")
    cases = []
    for path in paths:
        found = CASES[task](path)
        if not found:
            raise InputError(f"No exam was found: {_NEEDED.get(task, 'an exam with its reference')} is needed.")
        cases += found
    twice = [name for name, count in Counter(case.name for case in cases).items() if count > 1]
    if twice:
        raise InputError(f"Several exams are called '{twice[0]}'. Give each exam once, under a name of its own.")
    return cases
