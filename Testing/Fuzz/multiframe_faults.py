"""Multi-frame images (Enhanced CT) in right and wrong forms."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from dicom_writing import AXIAL, sample, write_enhanced
from pydicom.dataset import FileDataset
from pydicom.uid import JPEG2000Lossless, JPEGLSLossless, RLELossless

from Fuzz.case import Case, Family
from Fuzz.damage import change, cut, put
from Fuzz.truth import ANYWHERE, PIXEL, POSITIONS, SHAPE, SLICES, field

Alter = Callable[[FileDataset, int], None]
LOST = ("series_left_out", "only_ct_volume", "missing_slices")


def multiframe() -> list[Case]:
    """Returns all cases."""
    family = Family("multi-frame")
    family.add("as it should be", _file(), True, slices=SLICES)
    family.add("frames in disorder", _file(order=[7, 2, 11, 0, 5, 9, 1, 8, 3, 10, 4, 6]), True, slices=SLICES)
    family.add("other intercept in each frame", _file(intercepts=[-1000 - 7 * n for n in range(SLICES)]), True)
    for name, syntax in (("JPEG 2000", JPEG2000Lossless), ("JPEG-LS", JPEGLSLossless), ("RLE", RLELossless)):
        family.add(f"compressed by {name}", _file(transfer_syntax=syntax), True, slices=SLICES)
        family.add(f"compressed by {name} and cut", _then_cut(0.8, transfer_syntax=syntax), False)
    for count in (3, 11, 13, 0, -1, 2_000_000_000):
        # nothing but the right number, or none at all, can be meant by twelve groups
        family.add(f"NumberOfFrames {count}", _then_put("NumberOfFrames", str(count)), False)
    family.add("NumberOfFrames missing", _then_put("NumberOfFrames", None), None)
    family.add("one frame without position", _then(_drop("PlanePositionSequence", 5)), True, flags=LOST, slices=SLICES)
    family.add("the last frame without position", _then(_drop("PlanePositionSequence", SLICES - 1)), True, flags=LOST)
    family.add("empty sequences in one frame", _then(_empty_sequence(5)), True, flags=LOST, slices=SLICES)
    family.add("frames without functional groups", _then(_remove("PerFrameFunctionalGroupsSequence")), False)
    family.add("no shared functional groups", _then(_remove("SharedFunctionalGroupsSequence")), False)
    family.add("functional groups of eleven frames", _then(_fewer_groups), False)
    family.add("all frames at one place", _file(order=[4] * SLICES), None, truth=ANYWHERE)
    for share in (0.2, 0.5, 0.95):
        family.add(f"cut at {share:.0%}", _then_cut(share), False)
    family.add("pixels of eleven frames", _then(_fewer_pixels), False)
    family.add("pixels of thirteen frames", _then(_more_pixels), False)
    return family.cases


def _file(*, order: list[int] | None = None, **options: object) -> Callable[..., Path]:
    def build(folder: Path, _: np.random.Generator) -> Path:
        positions = [POSITIONS[n] for n in order or range(SLICES)]
        images = [sample(field, position, AXIAL, PIXEL, SHAPE) for position in positions]
        return write_enhanced(folder / "all.dcm", images, positions, pixel_spacing=PIXEL, **options).parent

    return build


def _then(alter: Alter) -> Callable[..., Path]:
    def build(folder: Path, generator: np.random.Generator) -> Path:
        _file()(folder, generator)
        change([folder / "all.dcm"], alter)
        return folder

    return build


def _then_put(keyword: str, text: str | None) -> Callable[..., Path]:
    def build(folder: Path, generator: np.random.Generator) -> Path:
        _file()(folder, generator)
        put([folder / "all.dcm"], keyword, text)
        return folder

    return build


def _then_cut(share: float, **options: object) -> Callable[..., Path]:
    def build(folder: Path, generator: np.random.Generator) -> Path:
        path = _file(**options)(folder, generator) / "all.dcm"
        cut(path, int(share * path.stat().st_size))
        return folder

    return build


def _drop(keyword: str, frame: int) -> Alter:
    return lambda dataset, number: delattr(dataset.PerFrameFunctionalGroupsSequence[frame], keyword)


def _empty_sequence(frame: int) -> Alter:
    def alter(dataset: FileDataset, number: int) -> None:
        dataset.PerFrameFunctionalGroupsSequence[frame].PlanePositionSequence = []

    return alter


def _remove(keyword: str) -> Alter:
    return lambda dataset, number: delattr(dataset, keyword)


def _fewer_groups(dataset: FileDataset, number: int) -> None:
    del dataset.PerFrameFunctionalGroupsSequence[4]


def _fewer_pixels(dataset: FileDataset, number: int) -> None:
    dataset.PixelData = dataset.PixelData[: -SHAPE[0] * SHAPE[1] * 2]


def _more_pixels(dataset: FileDataset, number: int) -> None:
    dataset.PixelData = dataset.PixelData + dataset.PixelData[: SHAPE[0] * SHAPE[1] * 2]
