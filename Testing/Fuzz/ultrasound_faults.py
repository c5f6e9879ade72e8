"""Ultrasound images with wrong headers, regions and pixels: true millimetres, pixels and a flag, or a sentence."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import ultrasound_cases as made
from pydicom.dataset import Dataset, FileDataset

from Fuzz.case import Case, Family
from Fuzz.damage import change, cut, flip, put

Build = Callable[[Path, np.random.Generator], Path]
SECRET = "Secret^Name"
_TOLERANCE = 0.03
_HALF = made.COLUMNS // 2


def ultrasound() -> list[Case]:
    """Returns all cases; a length that is read must be the true one, in the unit that the result names."""
    family = Family("ultrasound, damaged", reader=_measured)
    family.add("as it should be", _image(), True)
    family.add("a loop", _image(np.stack([made.frame(seed=n) for n in range(3)])), True)
    family.add("no regions", _image(regions=None), True)
    family.add("an empty list of regions", _image(regions=[]), True)
    for name, more in _REGIONS.items():
        family.add(f"region with {name}", _image(regions=[made.region(**more)]), None)
    two = [made.region((0, 0, _HALF, made.ROWS)), made.region((_HALF, 0, made.COLUMNS, made.ROWS), 0.03)]
    family.add("a border of two scales through the kidney", _image(regions=two), None)
    family.add("a thousand regions", _image(regions=[made.region()] * 1000), None)
    for keyword, text in _HEADERS:
        family.add(f"{keyword} {text!r:.14}", _then(lambda paths, _, k=keyword, t=text: put(paths, k, t)), None)
    for share in (0.01, 0.3, 0.9, 0.999):
        family.add(f"cut at {share}", _then(lambda paths, _, s=share: cut(paths[0], int(s * _size(paths)))), None)
    for number in range(6):
        # whatever the header says after that, it must be said or be the truth; the pixels are left alone
        family.add(f"wrong bytes {number}", _then(_wrong_bytes), None)
    family.add("no pixels", _then(_without("PixelData")), False)
    family.add("half of the pixels", _then(_half_of_the_pixels), False)
    family.add("an item without anything", _image(regions=[Dataset()]), None)
    family.add("a tomography that calls itself ultrasound", _image(SOPClassUID="1.2.840.10008.5.1.4.1.1.2"), None)
    inverted = _image(255 - made.frame(), PhotometricInterpretation="MONOCHROME1")
    family.add("black is 255, and the header says so", inverted, True)
    family.add("modality OT", _image(Modality="OT"), True)
    family.add("modality MR", _image(Modality="MR"), False, "MR")
    return family.cases


_NAN = float("nan")
_REGIONS: dict[str, dict[str, Any]] = {
    "no delta": {"delta": None},
    "delta 0": {"delta": 0.0},
    "delta that is no number": {"delta": _NAN},
    "an endless delta": {"delta": float("inf")},
    "a tiny delta": {"delta": 1e-300},
    "a huge delta": {"delta": 1e300},
    "seconds across": {"units": (made.SECONDS, made.CM)},
    "unknown units": {"units": (99, 99)},
    "no extent": {"box": (10, 10, 10, 10)},
    "exchanged corners": {"box": (made.COLUMNS, made.ROWS, 1, 1)},
    "corners beyond the image": {"box": (0, 0, 60_000, 60_000)},
    "an unknown form": {"form": 77},
    "unknown data": {"data": 77},
    "no form": {"RegionSpatialFormat": None},
    "no corner": {"RegionLocationMaxX1": None},
    "no units": {"PhysicalUnitsXDirection": None},
}
_HEADERS = (
    ("Rows", b"\xff\xff"),
    ("Rows", None),
    ("Columns", b"\x00\x00"),
    ("SamplesPerPixel", b"\x03\x00"),
    ("BitsAllocated", b"\x10\x00"),
    ("BitsStored", b"\x02\x00"),
    ("PhotometricInterpretation", "PALETTE COLOR"),
    ("PhotometricInterpretation", "YBR_FULL_422"),
    ("PhotometricInterpretation", None),
    ("NumberOfFrames", "7"),
    ("NumberOfFrames", "-1"),
    ("NumberOfFrames", "two"),
    ("Laterality", "X"),
    ("SequenceOfUltrasoundRegions", b"\x01\x02\x03\x04"),
    ("SOPInstanceUID", None),
    ("SeriesInstanceUID", None),
)


def _measured(path: Path) -> None:
    """Reads, outlines by brightness and measures; what was measured must be true."""
    findings = made.findings_of(path)
    flags = made.codes(findings)
    if not findings.views:
        assert "no_kidney" in flags, "no kidney, and no word about it"
        return
    of = findings.views[0].measures
    if findings.calibrated:
        found, true = of.longest_mm, made.LENGTH_MM
    else:
        found, true = of.longest_px, 2 * made.RADII[1]
        assert flags & {"not_calibrated", "region_not_calibrated"}, f"in pixels, unsaid: {flags}"
    shorter = bool(findings.views[0].cut_at)
    right = found <= true * (1 + _TOLERANCE) and (shorter or found >= true * (1 - _TOLERANCE))
    assert right, f"length {found:.1f} instead of {true:.1f}, flags: {sorted(flags)}"


def _image(
    pixels: np.ndarray | None = None, regions: Sequence[Dataset] | None = (made.region(),), **attributes: Any
) -> Build:
    def build(folder: Path, _: np.random.Generator) -> Path:
        shown = made.frame() if pixels is None else pixels
        return made.write(folder, shown, regions, **{"PatientName": SECRET, **attributes})

    return build


def _then(damage: Callable[[list[Path], np.random.Generator], None]) -> Build:
    def build(folder: Path, generator: np.random.Generator) -> Path:
        path = _image()(folder, generator)
        damage([path], generator)
        return path

    return build


def _size(paths: list[Path]) -> int:
    return paths[0].stat().st_size


def _wrong_bytes(paths: list[Path], generator: np.random.Generator) -> None:
    data = paths[0].read_bytes()
    header, pixels = data[: -made.ROWS * made.COLUMNS], data[-made.ROWS * made.COLUMNS :]
    paths[0].write_bytes(header)
    flip(paths[0], generator, 4, start=len(header) // 2)
    paths[0].write_bytes(paths[0].read_bytes() + pixels)


def _without(keyword: str) -> Callable[[list[Path], np.random.Generator], None]:
    return lambda paths, _: put(paths, keyword, None)


def _half_of_the_pixels(paths: list[Path], _: np.random.Generator) -> None:
    def halve(dataset: FileDataset, number: int) -> None:
        dataset.PixelData = dataset.PixelData[: len(dataset.PixelData) // 4 * 2]

    change(paths, halve)
