"""Two faults at once, drawn by the seed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from dicom_writing import transcode
from pydicom import dcmread
from pydicom.dataset import FileDataset
from pydicom.uid import JPEG2000Lossless, JPEGLosslessSV1, RLELossless

from Fuzz.case import Case, Family
from Fuzz.damage import change, cut, put
from Fuzz.truth import POSITIONS, true_files, write

PAIRS = 48
Fault = Callable[[list[Path], np.random.Generator], None]


def pairs() -> list[Case]:
    """Returns as many cases as there are pairs; another seed draws others. A volume must be right, voxel by voxel."""
    family = Family("two faults at once")
    for number in range(PAIRS):
        family.add(f"pair {number}", _pair, None)
    return family.cases


def _pair(folder: Path, generator: np.random.Generator) -> Path:
    write(folder)
    for number in generator.choice(len(FAULTS), 2, replace=False):
        # the second fault meets what the first has left
        FAULTS[number](sorted(folder.glob("image*")), generator)
    return folder


def _some(paths: list[Path], generator: np.random.Generator, most: int = 3) -> list[Path]:
    return [paths[n] for n in generator.choice(len(paths), int(generator.integers(1, most + 1)), replace=False)]


def _delete(paths: list[Path], generator: np.random.Generator) -> None:
    # not the first and the last: that a scan went on beyond its end no reader can know
    for path in _some(sorted(_whole(paths), key=_height)[1:-1], generator):
        path.unlink()


def _height(path: Path) -> float:
    return float(dcmread(path, stop_before_pixels=True).get("ImagePositionPatient", [0, 0, 0])[2])


def _cut_off(paths: list[Path], generator: np.random.Generator) -> None:
    for path in _some(paths, generator, 2):
        cut(path, int(generator.integers(0, path.stat().st_size)))


def _empty(paths: list[Path], generator: np.random.Generator) -> None:
    _some(paths, generator)[0].write_bytes(b"")


def _copy(paths: list[Path], generator: np.random.Generator) -> None:
    for path in _some(paths, generator):
        path.with_name(f"image_copy_{path.name}").write_bytes(path.read_bytes())


def _shuffle(paths: list[Path], generator: np.random.Generator) -> None:
    content = [path.read_bytes() for path in paths]
    for path, number in zip(paths, generator.permutation(len(paths)), strict=True):
        path.write_bytes(content[number])


def _compress(paths: list[Path], generator: np.random.Generator) -> None:
    syntax = [JPEG2000Lossless, JPEGLosslessSV1, RLELossless][int(generator.integers(3))]
    for path in _some(paths, generator):
        if "PixelData" in dcmread(path, force=True) and path.stat().st_size >= len(true_files()["image000.dcm"]) - 50:
            transcode(path, syntax)


def _lose(keyword: str) -> Fault:
    return lambda paths, generator: put(_whole(_some(paths, generator)), keyword, None)


def _whole(paths: list[Path]) -> list[Path]:
    """Leaves out files that an earlier fault cut off."""
    return [path for path in paths if path.stat().st_size > 1000]


def _number_all(paths: list[Path], generator: np.random.Generator) -> None:
    put(_whole(paths), "InstanceNumber", str(generator.integers(1, 5)))


def _other_series(paths: list[Path], generator: np.random.Generator) -> None:
    write(paths[0].parent, POSITIONS[:5], names=[f"other{n}.dcm" for n in range(5)], SeriesNumber=8)


def _other_modality(paths: list[Path], generator: np.random.Generator) -> None:
    put(_whole(_some(paths, generator)), "Modality", "MR")


def _beside(paths: list[Path], generator: np.random.Generator) -> None:
    change(_whole(_some(paths, generator, 1)), _move_sideways)


def _move_sideways(dataset: FileDataset, number: int) -> None:
    x, y, z = dataset.ImagePositionPatient
    dataset.ImagePositionPatient = [x, y + 90, z]


def _rubbish(paths: list[Path], generator: np.random.Generator) -> None:
    (paths[0].parent / "rubbish.dcm").write_bytes(generator.bytes(900))


FAULTS: tuple[Fault, ...] = (
    _delete,
    _cut_off,
    _empty,
    _copy,
    _shuffle,
    _compress,
    _number_all,
    _other_series,
    _other_modality,
    _beside,
    _rubbish,
    _lose("ImagePositionPatient"),
    _lose("RescaleIntercept"),
    _lose("PixelSpacing"),
    _lose("Rows"),
    _lose("SeriesInstanceUID"),
    _lose("SOPInstanceUID"),
    _lose("PixelData"),
)
