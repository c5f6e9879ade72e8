"""The exams of a recording: which input, and how the command line is told to segment it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

VOLUMES = ("ct/validation", "ct/negative", "ct/train")
SERIES = "dicom"
PICTURES = "ct_slices/validation/images"
PICTURE_COUNT = 8
PIXEL_MM = "0.8"
WINDOW_HU = ("-160", "240")
SLICE = ("--task", "ct-slice")
SAMPLE, SAMPLE_SLICE = "sample", "sample_slice"


@dataclass(frozen=True)
class Exam:
    """One exam.

    Attributes:
        name: its path in a recording, such as ``ct/validation/C2``.
        source: file or folder; None stands for the sample, which the command line makes itself.
        is_dicom: DICOM results and a report that names the patient are made as well.
        options: further options of ``kidneyseg segment``.
    """

    name: str
    source: Path | None
    is_dicom: bool = False
    options: tuple[str, ...] = ()


def list_exams(data: Path) -> list[Exam]:
    """Returns the exams in the order in which they are recorded: those that tell most come first.

    Args:
        data: the folder that holds ``ct``, ``ct_slices`` and ``dicom``.

    Raises:
        FileNotFoundError: one of these folders holds no exam.
    """
    series = _found(data / SERIES, "*")
    first, *later = ([_volume(group, path) for path in _found(data / group, "*/image.nii.gz")] for group in VOLUMES)
    exams = [*first, Exam(SAMPLE, None, True, ("--task", "auto")), Exam(SAMPLE_SLICE, None, True, SLICE)]
    exams += [Exam(f"{SERIES}/{folder.name}", folder, is_dicom=True) for folder in series]
    exams += [_one_image(folder) for folder in series]
    exams += [_picture(path, number) for number, path in enumerate(_some_pictures(data))]
    return exams + [exam for group in later for exam in group]


def is_chosen(name: str, only: Iterable[str]) -> bool:
    """Whether an exam has one of these names, or a part of its path has; without any, all are chosen."""
    wanted = set(only)
    return not wanted or name in wanted or not wanted.isdisjoint(name.split("/"))


def middle_image(series: Path) -> Path:
    """Returns the file in the middle of a series' files by name; another order of files would be another exam."""
    files = sorted(series.iterdir())
    return files[len(files) // 2]


def _volume(group: str, image: Path) -> Exam:
    return Exam(f"{group}/{image.parent.name}", image)


def _one_image(series: Path) -> Exam:
    return Exam(f"dicom_slice/{series.name}", middle_image(series), True, SLICE)


def _picture(path: Path, number: int) -> Exam:
    """Every second picture's window is given, that of the others has to be assumed; of these the task is told."""
    others = ("--task", "auto", "--window", *WINDOW_HU) if number % 2 else SLICE
    return Exam(f"ct_slices/{path.stem}", path, False, ("--pixel-mm", PIXEL_MM, *others))


def _some_pictures(data: Path) -> list[Path]:
    """Returns pictures spread over the patients, who follow each other by number."""
    pictures = sorted(_found(data / PICTURES, "*.png"), key=lambda path: int(path.stem))
    return pictures[:: max(1, len(pictures) // PICTURE_COUNT)][:PICTURE_COUNT]


def _found(folder: Path, pattern: str) -> list[Path]:
    found = sorted(folder.glob(pattern))
    if not found:
        raise FileNotFoundError(f"{folder} holds no exam ({pattern}). Give the data folder with --data.")
    return found
