"""Series with wrong, missing or contradictory headers, and series in odd but right forms."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from dicom_writing import rotated
from pydicom.dataset import FileDataset
from pydicom.uid import generate_uid

from Fuzz.case import Case, Family
from Fuzz.damage import change, put
from Fuzz.truth import ANYWHERE, ORIGIN, POSITIONS, SLICES, SPACING, field, write

LAST = SLICES - 1
LEFT_OUT = ("series_left_out", "only_ct_volume", "missing_slices", "unreadable_files")


def headers() -> list[Case]:
    """Returns cases of wrong values in the headers, of one image and of all."""
    family = Family("headers")
    numbers = {
        "NaN": "nan",
        "infinite": "inf",
        "huge": "1e300",
        "empty": "",
        "word": "abc",
        "comma": "1,5",
        "zeros": "\0\0",
        "binary": b"\xff\xfe\x00\x01",
    }
    positions = {name: rf"{text if isinstance(text, str) else 'x'}\12.25\140" for name, text in numbers.items()}
    for name, text in positions.items():
        _one_and_all(family, f"position {name}", "ImagePositionPatient", text)
    for name, text in numbers.items():
        _one_and_all(family, f"rescale intercept {name}", "RescaleIntercept", text)
        _one_and_all(family, f"rescale slope {name}", "RescaleSlope", text)
        _one_and_all(
            family, f"pixel spacing {name}", "PixelSpacing", text if isinstance(text, bytes) else f"{text}\\{text}"
        )
    orientation = {
        "missing": None,
        "five values": r"1\0\0\0\1",
        "zero": r"0\0\0\0\0\0",
        "parallel": r"1\0\0\1\0\0",
        "not of unit length": r"2\0\0\0\2\0",
        "oblique to itself": r"1\0\0\0.7\0.7\0",
        "NaN": r"nan\0\0\0\1\0",
        "huge": r"1e200\0\0\0\1e200\0",
    }
    for name, text in orientation.items():
        _one_and_all(family, f"orientation {name}", "ImageOrientationPatient", text)
    for name, text in {"negative": r"-1.5\0.75", "zero": r"0\0.75", "one value": "1.5", "missing": None}.items():
        _one_and_all(family, f"pixel spacing {name}", "PixelSpacing", text)
    for keyword in ("ImagePositionPatient", "RescaleIntercept", "RescaleSlope", "Rows", "Columns", "BitsAllocated"):
        _one_and_all(family, f"{keyword} missing", keyword, None)
    for keyword in ("PixelRepresentation", "SamplesPerPixel", "PhotometricInterpretation", "BitsStored", "PixelData"):
        _one_and_all(family, f"{keyword} missing", keyword, None)
    family.add("slope zero in all", _with("RescaleSlope", "0"), False)
    family.add("slope negative in all", _with("RescaleSlope", "-1"), False)
    family.add("intercept 1e10 in all", _with("RescaleIntercept", "1e10"), False)
    family.add("slope 1e10 in all", _with("RescaleSlope", "1e10"), False)
    return family.cases


def harmless() -> list[Case]:
    """Returns cases that are odd and right: they must be read, voxel by voxel."""
    family = Family("odd but right")

    def plain(name: str, expected_flags: tuple[str, ...] = (), **attributes: Any) -> None:
        family.add(
            name, lambda folder, _: write(folder, **attributes)[0].parent, True, flags=expected_flags, slices=SLICES
        )

    plain("as scanners write it")
    plain("no study and series UID", ("missing_uids",), StudyInstanceUID=None, SeriesInstanceUID=None)
    plain("no instance UIDs", ("missing_uids",), SOPInstanceUID=None)
    plain("one instance UID for all", SOPInstanceUID="1.2.3")
    plain("empty UIDs", ("missing_uids",), StudyInstanceUID="", SeriesInstanceUID="")
    plain("no frame of reference", FrameOfReferenceUID=None)
    plain("no instance numbers", InstanceNumber=None)
    plain("one instance number for all", InstanceNumber=7)
    plain("descending instance numbers", InstanceNumber=lambda n: 100 - n)
    plain("no modality", Modality=None)
    plain("no slice thickness", SliceThickness=None)
    plain("slice thickness zero", SliceThickness=0)
    plain("wrong spacing between slices", SpacingBetweenSlices=99)
    plain("negative spacing between slices", SpacingBetweenSlices=-2.5)
    plain("wrong slice location", SliceLocation=lambda n: -3 * n)
    plain("padding value without pixels of it", PixelPaddingValue=-2000)
    plain("long text in a short attribute", StationName="x" * 5000)
    plain("odd names of files", names=[f"slice {chr(228 + n)} ' $({n}).dcm" for n in range(SLICES)])
    plain("names without ending", names=[f"IM{n:04d}" for n in range(SLICES)])
    plain("shuffled names", names=[f"{7 * n % SLICES:03d}.dcm" for n in range(SLICES)])
    plain("reversed names", names=[f"{LAST - n:03d}.dcm" for n in range(SLICES)])
    plain("image type missing", ImageType=None)
    plain("kernel missing", ConvolutionKernel=None)
    for charset in (
        "ISO_IR 100",
        "ISO_IR 148",
        "ISO_IR 192",
        "ISO_IR 13",
        "GB18030",
        "ISO_IR 999",
        "",
        "ISO 2022 IR 87",
    ):
        family.add(f"bytes in no character set, declared {charset!r}", _odd_text(charset), True, slices=SLICES)
    for degrees in ((0, 0, 0), (0, 0, 180), (180, 0, 0), (0, 180, 0), (0, 0, 37), (12, -7, 25), (90, 0, 0), (0, 90, 0)):
        family.add(f"turned by {degrees}", _turned(degrees), True, slices=SLICES, truth=ANYWHERE)
    family.add("stacked feet to head in reverse", _positions(POSITIONS[::-1]), True, slices=SLICES)
    family.add("positions with 30 digits", _exact_positions, True, slices=SLICES)
    family.add("orientation with two decimals", _rounded_orientation, True, truth=ANYWHERE, tolerance=60)
    return family.cases


def stacks() -> list[Case]:
    """Returns cases of what is wrong between the images."""
    family = Family("slices")
    everything = range(SLICES)

    def without(*missing: int) -> list[np.ndarray]:
        return [POSITIONS[n] for n in everything if n not in missing]

    family.add("one slice missing", _positions(without(5)), True, flags=("missing_slices",), slices=SLICES)
    family.add("two slices missing", _positions(without(3, 8)), True, flags=("missing_slices",), slices=SLICES)
    family.add("every second slice missing", _positions(POSITIONS[::2]), True, truth=ANYWHERE)
    family.add("a wide gap", _positions(without(2, 3, 4, 5)), True, flags=("series_interrupted",), truth=ANYWHERE)
    family.add("crumbs", _positions([POSITIONS[0] + np.array([0, 0, 40.0 * n]) for n in (0, 0.05, 3, 3.05, 9)]), None)
    for count in (1, 2):
        family.add(f"{count} slices only", _positions(POSITIONS[:count]), False, "at least 3")
    family.add("all at one place", _positions([POSITIONS[0]] * 4, InstanceNumber=lambda n: n + 1), None, truth=ANYWHERE)
    tilt = [position + np.array([0, 0.3 * n, 0]) for n, position in enumerate(POSITIONS)]
    family.add("gantry tilt", _positions(tilt), True, flags=("gantry_tilt",), tolerance=12, truth=ANYWHERE)
    side = [position + np.array([3.0 * (n % 2), 0, 0]) for n, position in enumerate(POSITIONS)]
    family.add("every second image beside the others", _positions(side), None, truth=ANYWHERE, tolerance=30)
    far = [position + np.array([500.0 * (n == 4), 0, 0]) for n, position in enumerate(POSITIONS)]
    family.add("one image far beside", _positions(far), None, truth=ANYWHERE)
    wide = [position + np.array([0, 0, 1e7 * n]) for n, position in enumerate(POSITIONS)]
    family.add("ten kilometres apart", _positions(wide, field=lambda points: points[..., 0] * 10), False)
    pairs = [position + np.array([0, 0, shift]) for position in POSITIONS for shift in (0, 0.06)]
    family.add("pairs 0.06 mm apart", _positions(pairs), None, truth=ANYWHERE, tolerance=2)
    uneven = [
        np.array([*ORIGIN[:2], ORIGIN[2] + place]) for place in np.cumsum([0, 2, 2, 3.3, 2, 2.7, 2, 4.1, 2, 2, 2, 3])
    ]
    family.add("uneven spacing", _positions(uneven), True, flags=("uneven_spacing",), truth=ANYWHERE)
    rising = [np.array([*ORIGIN[:2], ORIGIN[2] + 0.4 * n**1.8]) for n in everything]
    family.add("spacing that grows", _positions(rising), None, truth=ANYWHERE)
    family.add("copies of all images", _twice(other_pixels=False), True, flags=("copies_ignored",), slices=SLICES)
    family.add(
        "two phases in one series",
        _phases(AcquisitionNumber=lambda n: n // SLICES + 1),
        True,
        slices=SLICES,
        flags=("series_left_out", "only_ct_volume"),
        truth=ANYWHERE,
        tolerance=51,
    )
    family.add("different images at the same places", _twice(other_pixels=True), False, "same position")
    family.add("two series", _two_series, True, flags=("series_left_out",), slices=SLICES)
    family.add("two series interleaved in the folder", _interleaved, True, flags=("series_left_out",), slices=SLICES)
    family.add("a localiser in the series", _with_localiser, True, flags=("only_ct_volume",), slices=SLICES)
    family.add("one image of other size", _one_of_other_size, True, flags=LEFT_OUT, truth=ANYWHERE)
    family.add("one image turned over", _one_turned, True, flags=LEFT_OUT, slices=SLICES)
    family.add("one image of other pixel spacing", _one_other("PixelSpacing", r"3\0.75"), True, flags=LEFT_OUT)
    family.add("modality MR", _with("Modality", "MR"), False, "magnetic")
    family.add("modality in one image", _one_other("Modality", "MR"), True, flags=LEFT_OUT)
    family.add("secondary capture", _with("SOPClassUID", "1.2.840.10008.5.1.4.1.1.7"), False)
    family.add("iodine map", _with("RescaleType", "MGML"), False, "map")
    family.add("header claims a tilt", _with("GantryDetectorTilt", "15"), True, flags=("tilt_not_in_positions",))
    family.add("300 images of as many planes", _many_planes, False)
    return family.cases


Build = Callable[[Path, np.random.Generator], Path]


def _one_and_all(family: Family, name: str, keyword: str, text: str | bytes | None) -> None:
    """One bad image in the middle, one at the end, and all images: read with a remark, or refused."""
    for where, only in (("one", {5}), ("the last", {LAST}), ("all", None)):

        def build(folder: Path, _: np.random.Generator, only: set[int] | None = only) -> Path:
            put(write(folder), keyword, text, only)
            return folder

        family.add(f"{name} in {where}", build, None)


def _with(keyword: str, text: str) -> Build:
    def build(folder: Path, _: np.random.Generator) -> Path:
        put(write(folder), keyword, text)
        return folder

    return build


def _one_other(keyword: str, text: str) -> Build:
    def build(folder: Path, generator: np.random.Generator) -> Path:
        put(write(folder), keyword, text, {int(generator.integers(2, LAST))})
        return folder

    return build


def _positions(positions: list[np.ndarray], **attributes: Any) -> Build:
    return lambda folder, _: write(folder, positions, **attributes)[0].parent


def _odd_text(charset: str) -> Build:
    def build(folder: Path, generator: np.random.Generator) -> Path:
        paths = write(folder)
        put(paths, "SpecificCharacterSet", charset)
        for keyword in ("PatientName", "SeriesDescription", "ConvolutionKernel", "Manufacturer", "BodyPartExamined"):
            put(paths, keyword, bytes(generator.integers(1, 256, 30, dtype=np.uint8)).replace(b"\\", b"x"))
        return folder

    return build


def _turned(degrees: tuple[float, float, float]) -> Build:
    def build(folder: Path, _: np.random.Generator) -> Path:
        orientation = rotated(degrees)
        normal = np.cross(orientation[:3], orientation[3:])
        write(folder, [np.array(ORIGIN) + n * SPACING * normal for n in range(SLICES)], orientation=orientation)
        return folder

    return build


def _exact_positions(folder: Path, _: np.random.Generator) -> Path:
    paths = write(folder)
    for number, position in enumerate(POSITIONS):
        put(paths, "ImagePositionPatient", "\\".join(f"{value:.30f}" for value in position), {number})
    return folder


def _rounded_orientation(folder: Path, _: np.random.Generator) -> Path:
    orientation = rotated((12, -7, 25))
    normal = np.cross(orientation[:3], orientation[3:])
    paths = write(folder, [np.array(ORIGIN) + n * SPACING * normal for n in range(SLICES)], orientation=orientation)
    put(paths, "ImageOrientationPatient", "\\".join(f"{value:.2f}" for value in orientation))
    return folder


def _twice(*, other_pixels: bool) -> Build:
    def build(folder: Path, _: np.random.Generator) -> Path:
        series, frame = generate_uid(), generate_uid()
        same = {"SeriesInstanceUID": series, "FrameOfReferenceUID": frame, "StudyInstanceUID": "1.2.3"}
        write(folder, **same)
        write(
            folder,
            names=[f"copy{n}.dcm" for n in range(SLICES)],
            **same,
            field=(lambda points: field(points) + 50) if other_pixels else field,
        )
        return folder

    return build


def _phases(**attributes: Any) -> Build:
    def build(folder: Path, _: np.random.Generator) -> Path:
        write(folder, [*POSITIONS, *POSITIONS], **attributes)
        return folder

    return build


def _two_series(folder: Path, _: np.random.Generator) -> Path:
    write(folder / "one")
    write(folder / "two" / "deeper", POSITIONS[:6], SeriesNumber=9)
    return folder


def _interleaved(folder: Path, _: np.random.Generator) -> Path:
    write(folder, names=[f"{2 * n:03d}.dcm" for n in range(SLICES)], StudyInstanceUID="1.2.3")
    other = [position + np.array([0, 0, 1.25]) for position in POSITIONS[:6]]
    write(folder, other, names=[f"{2 * n + 1:03d}.dcm" for n in range(6)], StudyInstanceUID="1.2.3", SeriesNumber=9)
    return folder


def _with_localiser(folder: Path, _: np.random.Generator) -> Path:
    series = generate_uid()
    write(folder, SeriesInstanceUID=series, StudyInstanceUID="1.2.3")
    write(
        folder,
        POSITIONS[:1],
        names=["scout.dcm"],
        SeriesInstanceUID=series,
        StudyInstanceUID="1.2.3",
        orientation=(1, 0, 0, 0, 0, -1),
        ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"],
    )
    return folder


def _one_of_other_size(folder: Path, _: np.random.Generator) -> Path:
    same = {"SeriesInstanceUID": generate_uid(), "FrameOfReferenceUID": generate_uid(), "StudyInstanceUID": "1.2.3"}
    write(folder, [*POSITIONS[:5], *POSITIONS[6:]], **same)
    write(folder, POSITIONS[5:6], shape=(8, 10), names=["other.dcm"], **same)
    return folder


def _one_turned(folder: Path, _: np.random.Generator) -> Path:
    paths = write(folder)
    put(paths, "ImageOrientationPatient", r"-1\0\0\0\1\0", {5})
    return folder


def _many_planes(folder: Path, _: np.random.Generator) -> Path:
    paths = write(folder, [POSITIONS[0]] * 300, shape=(2, 2))

    def turn(dataset: FileDataset, number: int) -> None:
        dataset.ImageOrientationPatient = [f"{value:.6f}" for value in rotated((0, 0, 0.7 * number))]

    change(paths, turn)
    return folder
