"""Right millimetres, pixels that say so, or one clear sentence: ultrasound images with every fault of calibration."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset
from ultrasound_cases import (
    COLOUR_DATA,
    COLUMNS,
    DELTA,
    GRAPHICS,
    HERTZ,
    LENGTH_MM,
    M_MODE,
    NO_UNIT,
    PER_CENT,
    RADII,
    ROWS,
    SECONDS,
    SPECTRAL,
    SPECTRUM_DATA,
    WHOLE,
    WIDTH_MM,
    codes,
    ellipse,
    findings_of,
    frame,
    region,
    write,
)

from KidneySegLib.errors import InputError

MM, PX = (LENGTH_MM, WIDTH_MM), (2 * RADII[1], 2 * RADII[0])
UPPER, LOWER = (0, 0, COLUMNS, 180), (0, 180, COLUMNS, ROWS)
LEFT, RIGHT = (0, 0, COLUMNS // 2, ROWS), (COLUMNS // 2, 0, COLUMNS, ROWS)
NO_LENGTH, NO_SIZE = {"region_not_calibrated"}, {"not_calibrated"}
SPECTRUM = {"delta": (0.01, -2.0), "units": (SECONDS, HERTZ), "form": SPECTRAL, "data": SPECTRUM_DATA}


@dataclass(frozen=True)
class Case:
    """What is written and what must come of it.

    Attributes:
        regions: of the header; None leaves the sequence out.
        mm: length and width in millimetres; None where they are not known.
        px: length and width in pixels, where millimetres are not known.
        flags: codes on calibration and regions that must be there, and no others of them.
        pixels: makes the image.
        options: what the user says.
        attributes: of the file.
    """

    regions: list[Dataset] | None
    mm: tuple[float, float] | None = None
    px: tuple[float, float] | None = None
    flags: set[str] = field(default_factory=set)
    pixels: Callable[[], np.ndarray] = frame
    options: dict[str, Any] = field(default_factory=dict)
    attributes: dict[str, Any] = field(default_factory=dict)


TOLD = {
    "not_calibrated",
    "region_not_calibrated",
    "tissue_regions_left_out",
    "region_axes_reversed",
    "regions_ignored",
    "frames_left_out",
    "pixel_size_given",
}


def measures(spacing: list[float] | None) -> Dataset:
    """A functional group with a pixel spacing (distance of rows, of columns)."""
    group, inner = Dataset(), Dataset()
    if spacing:
        inner.PixelSpacing = spacing
        group.PixelMeasuresSequence = [inner]
    return group


def enhanced(*shared: Dataset, per_frame: list[Dataset] | None = None) -> dict[str, Any]:
    """Attributes of an Enhanced US Volume."""
    more = {"PerFrameFunctionalGroupsSequence": per_frame} if per_frame else {}
    return {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.6.2", "SharedFunctionalGroupsSequence": list(shared), **more}


def with_regions(*items: Dataset) -> Dataset:
    """A functional group with regions of its own."""
    group = Dataset()
    group.SequenceOfUltrasoundRegions = list(items)
    return group


def dual() -> np.ndarray:
    """Two B-mode images side by side, a longer kidney on the left."""
    return frame(ellipse((120, 80), (25, 60)), ellipse((120, 240), (20, 40)))


def loop() -> np.ndarray:
    """Three frames of one kidney."""
    return np.stack([frame(seed=seed) for seed in range(3)])


def times(factor: float, sizes: tuple[float, float] = MM) -> tuple[float, float]:
    return sizes[0] * factor, sizes[1] * factor


READ = {
    "one tissue region": Case([region()], MM),
    "half the pixel size": Case([region(delta=DELTA / 2)], times(0.5)),
    "columns wider than rows": Case([region(delta=(1.5 * DELTA, DELTA))], (1.5 * LENGTH_MM, WIDTH_MM)),
    "rows wider than columns": Case([region(delta=(DELTA / 2, 1.5 * DELTA))], (0.75 * LENGTH_MM, WIDTH_MM)),
    "deltas of 4 to 1 and more are no pixels": Case([region(delta=(DELTA / 3, DELTA * 2))], None, PX, NO_LENGTH),
    "y counts upwards": Case([region(delta=(DELTA, -DELTA))], MM, None, {"region_axes_reversed"}),
    "both axes reversed": Case([region(delta=(-DELTA, -DELTA))], MM, None, {"region_axes_reversed"}),
    "zero delta": Case([region(delta=(DELTA, 0.0))], None, PX, NO_LENGTH),
    "both deltas zero": Case([region(delta=0.0)], None, PX, NO_LENGTH),
    "no deltas": Case([region(delta=None)], None, PX, NO_LENGTH),
    "millimetres written as centimetres": Case([region(delta=10 * DELTA)], None, PX, NO_LENGTH),
    "micrometres written as centimetres": Case([region(delta=DELTA / 1000)], None, PX, NO_LENGTH),
    "delta not a number": Case([region(delta=float("nan"))], None, PX, NO_LENGTH),
    "delta infinite": Case([region(delta=float("inf"))], None, PX, NO_LENGTH),
    "no units": Case([region(units=(NO_UNIT, NO_UNIT))], None, PX, NO_LENGTH),
    "units in per cent": Case([region(units=(PER_CENT, PER_CENT))], None, PX, NO_LENGTH),
    "units in seconds": Case([region(units=(SECONDS, SECONDS))], None, PX, NO_LENGTH),
    "one axis in centimetres, the other in seconds": Case([region(units=(SECONDS, 3))], None, PX, NO_LENGTH),
    "units in square centimetres": Case([region(units=(8, 8))], None, PX, NO_LENGTH),
    "units in centimetres a second": Case([region(units=(7, 7))], None, PX, NO_LENGTH),
    "units missing": Case([region(PhysicalUnitsXDirection=None)], None, PX, NO_LENGTH),
    "units unknown": Case([region(units=(99, 99))], None, PX, NO_LENGTH),
    "no regions": Case(None, None, PX, NO_SIZE),
    "an empty sequence": Case([], None, PX, NO_SIZE),
    "regions outside the image": Case([region((400, 300, 700, 500))], None, PX, {"regions_ignored", *NO_SIZE}),
    "corners in the wrong order": Case([region((200, 200, 20, 20))], None, PX, {"regions_ignored", *NO_SIZE}),
    "corners missing": Case([region(RegionLocationMaxX1=None)], None, PX, {"regions_ignored", *NO_SIZE}),
    "one pixel too wide": Case([region((0, 0, COLUMNS + 1, ROWS + 1))], MM),
    "far beyond the image": Case([region((0, 0, 4000, 4000))], MM),
    "the same region twice": Case([region(), region()], MM, None, {"regions_ignored"}),
    "the same region twice with another rounding": Case(
        [region(), region(delta=DELTA * 1.0001)], MM, None, {"regions_ignored"}
    ),
    "one place, two pixel sizes": Case([region(), region(delta=DELTA / 2)], None, PX, NO_LENGTH),
    "one place, one region without length": Case([region(delta=0.0), region()], None, PX, NO_LENGTH),
    "a spectrum below": Case([region(UPPER), region(LOWER, **SPECTRUM)], MM),
    "a spectrum named first": Case([region(LOWER, **SPECTRUM), region(UPPER)], MM),
    "an M-mode strip below": Case([region(UPPER), region(LOWER, (0.005, DELTA), (SECONDS, 3), M_MODE)], MM),
    "a colour box on the tissue": Case([region(), region((60, 60, 200, 160), data=COLOUR_DATA)], MM),
    "a colour box without length": Case(
        [region(), region((60, 60, 200, 160), units=(NO_UNIT, NO_UNIT), data=COLOUR_DATA)], MM
    ),
    "graphics over all": Case([region(), region(delta=None, form=GRAPHICS, units=(NO_UNIT, NO_UNIT))], MM),
    "an inset of another scale away from the kidney": Case(
        [region(), region((260, 190, 320, 240), DELTA / 2)], MM, None, {"tissue_regions_left_out"}
    ),
    "two B-mode images, the first": Case(
        [region(LEFT), region(RIGHT, DELTA / 2)], (96, 40), None, {"tissue_regions_left_out"}, dual
    ),
    "two B-mode images, the second as asked": Case(
        [region(LEFT), region(RIGHT, DELTA / 2)], (32, 16), None, set(), dual, {"region": 2}
    ),
    "two B-mode images, one without length": Case(
        [region(LEFT, units=(NO_UNIT, NO_UNIT)), region(RIGHT)], (64, 32), None, {"tissue_regions_left_out"}, dual
    ),
    "PixelSpacing without calibration is no length": Case(
        None, None, PX, NO_SIZE, attributes={"PixelSpacing": [0.5, 0.5]}
    ),
    "PixelSpacing by geometry": Case(
        None, times(0.5 / 0.8), attributes={"PixelSpacing": [0.5, 0.5], "PixelSpacingCalibrationType": "GEOMETRY"}
    ),
    "PixelSpacing by a fiducial, rows first": Case(
        None,
        (120 * 0.5, 60 * 0.8),
        attributes={"PixelSpacing": [0.8, 0.5], "PixelSpacingCalibrationType": "FIDUCIAL"},
    ),
    "ImagerPixelSpacing is at the detector": Case(
        None, None, PX, NO_SIZE, attributes={"ImagerPixelSpacing": [0.5, 0.5]}
    ),
    "regions go before PixelSpacing": Case(
        [region()], MM, attributes={"PixelSpacing": [0.1, 0.1], "PixelSpacingCalibrationType": "GEOMETRY"}
    ),
    "PixelSpacing that no image has": Case(
        None, None, PX, NO_LENGTH, attributes={"PixelSpacing": [50, 50], "PixelSpacingCalibrationType": "GEOMETRY"}
    ),
    "enhanced, spacing shared": Case(None, times(0.5 / 0.8), attributes=enhanced(measures([0.5, 0.5]))),
    "enhanced, spacing of each frame": Case(
        None,
        times(0.5 / 0.8),
        None,
        {"frames_left_out"},
        loop,
        attributes=enhanced(per_frame=[measures([0.5, 0.5]), measures([0.5, 0.5]), measures([0.9, 0.9])]),
    ),
    "enhanced, no spacing": Case(None, None, PX, NO_SIZE, attributes=enhanced(measures(None))),
    "enhanced, a frame by itself": Case(
        None,
        times(0.9 / 0.8),
        None,
        set(),
        loop,
        {"frame": 3},
        enhanced(per_frame=[measures([0.5, 0.5]), measures([0.5, 0.5]), measures([0.9, 0.9])]),
    ),
    "regions of each frame": Case(
        None,
        times(0.5),
        None,
        {"frames_left_out"},
        loop,
        attributes={
            "PerFrameFunctionalGroupsSequence": [
                with_regions(region()),
                with_regions(region(delta=DELTA / 2)),
                with_regions(region(delta=DELTA / 2)),
            ]
        },
    ),
    "pixel size given": Case(None, times(0.4 / 0.8), None, {"pixel_size_given"}, options={"pixel_mm": 0.4}),
    "pixel size given to a region without length": Case(
        [region(UPPER, units=(NO_UNIT, NO_UNIT))], times(0.5), None, {"pixel_size_given"}, options={"pixel_mm": 0.4}
    ),
}

REFUSED = {
    "only a spectrum": (Case([region(**SPECTRUM)]), "no region with a 2D image of tissue"),
    "only M-mode": (Case([region(delta=(0.005, DELTA), units=(SECONDS, 3), form=M_MODE)]), "names M-mode"),
    "only a colour box": (Case([region(data=COLOUR_DATA)]), "names colour flow"),
    "data of another type": (Case([region(data=0)]), "2D image of tissue"),
    "form missing": (Case([region(RegionSpatialFormat=None)]), "2D image of tissue"),
    "a tissue region of a few pixels": (Case([region((5, 5, 20, 20))]), "2D image of tissue"),
    "a region that is none": (
        Case([region(LEFT), region(RIGHT)], options={"region": 3}),
        "Choose one of --region 1, 2",
    ),
    "a region that is a spectrum": (
        Case([region(UPPER), region(LOWER, **SPECTRUM)], options={"region": 2}),
        "Region 2 is not a 2D image",
    ),
    "a region of an image without": (Case(None, options={"region": 1}), "no regions"),
    "a frame that is none": (Case([region()], pixels=loop, options={"frame": 4}), "the image has 3"),
    "a pixel size beside the header's": (Case([region()], options={"pixel_mm": 0.4}), "states its own pixel size"),
    "a pixel size of zero": (Case(None, options={"pixel_mm": 0.0}), "0.005 and 2.5 mm"),
    "a negative pixel size": (Case(None, options={"pixel_mm": -0.4}), "0.005 and 2.5 mm"),
    "a pixel size that is not a number": (Case(None, options={"pixel_mm": math.nan}), "0.005 and 2.5 mm"),
    "a pixel size of the whole image": (Case(None, options={"pixel_mm": 150.0}), "size of one pixel"),
    "another modality": (Case([region()], attributes={"Modality": "CT"}), "an ultrasound image"),
    "frames that are not there": (Case([region()], attributes={"NumberOfFrames": 100000}), "number of frames"),
    "fewer pixels than the header says": (Case([region()], attributes={"Rows": 400}), "damaged or incomplete"),
    "more pixels than the header says": (Case([region()], attributes={"Rows": 200}), "more pixels"),
}


@pytest.mark.parametrize("name", READ)
def test_it_is_measured_in_the_right_unit(tmp_path: Path, name: str) -> None:
    case = READ[name]
    path = write(tmp_path, case.pixels(), case.regions, **case.attributes)
    findings = findings_of(path, **case.options)
    assert codes(findings) & TOLD == case.flags
    of = findings.views[0].measures
    known, unknown = ((of.length_mm, of.width_mm), (of.length_px, of.width_px))
    if case.mm is None:
        known, unknown = unknown, known
        assert math.isnan(of.area_mm2) and not findings.calibrated
    else:
        assert findings.calibrated
    assert known == pytest.approx(case.mm or case.px, rel=0.03)
    assert all(math.isnan(value) for value in unknown)


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused_in_one_sentence(tmp_path: Path, name: str) -> None:
    case, sentence = REFUSED[name]
    path = write(tmp_path, case.pixels(), case.regions, **case.attributes)
    with pytest.raises(InputError, match=sentence) as told:
        findings_of(path, **case.options)
    assert "Doe" not in str(told.value) and str(tmp_path) not in str(told.value)


def test_the_area_is_that_of_the_ellipse(tmp_path: Path) -> None:
    (view,) = findings_of(write(tmp_path, frame(), [region(delta=(DELTA, 2 * DELTA))])).views
    assert view.measures.area_mm2 == pytest.approx(math.pi * RADII[0] * RADII[1] * 200 * DELTA**2, rel=0.01)


@pytest.mark.parametrize("degrees", [0, 20, 45, 70, 90])
def test_the_length_does_not_depend_on_how_the_kidney_lies(tmp_path: Path, degrees: float) -> None:
    delta = (DELTA, DELTA * 1.5)  # pixels that are not square must not stretch a slanting kidney
    j, i = np.indices((ROWS, COLUMNS))
    x, y, angle = (i - 160) * 1.0, (j - 120) * 1.5, np.radians(degrees)
    along, across = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    kidney = (along / 60) ** 2 + (across / 30) ** 2 <= 1
    of = findings_of(write(tmp_path, frame(kidney), [region(delta=delta)])).views[0].measures
    assert (of.length_mm, of.width_mm) == pytest.approx((96, 48), abs=1.5)
    ends = np.array([of.length_start_px, of.length_end_px]) * np.array(delta) * 10
    assert np.linalg.norm(ends[1] - ends[0]) == pytest.approx(of.length_mm, abs=0.01)
    direction = np.degrees(np.arctan2(*(ends[1] - ends[0])[::-1])) % 180
    assert min(abs(direction - degrees), 180 - abs(direction - degrees)) < 4


@pytest.mark.parametrize("degrees", [0, 90])
def test_where_no_size_is_known_the_header_still_tells_the_form_of_pixels(tmp_path: Path, degrees: float) -> None:
    """Frame grabbers write no spacing but an aspect ratio: height to width."""
    path = write(tmp_path, frame(ellipse(degrees=degrees)), PixelAspectRatio=[4, 3])
    longest = 120 if degrees == 0 else 120 * 4 / 3
    findings = findings_of(path)
    (view,) = findings.views
    assert view.measures.length_px == pytest.approx(longest, rel=0.02) and math.isnan(view.measures.area_mm2)
    assert {"not_calibrated", "pixels_not_square"} <= codes(findings)
    given = findings_of(path, pixel_mm=0.5)
    assert given.views[0].measures.length_mm == pytest.approx(longest / 2, rel=0.02)
    assert "pixels_not_square" in codes(given)


@pytest.mark.parametrize("ratio", [[1, 1], [0, 3], [90, 1]])
def test_a_form_of_pixels_that_none_has_does_not_count(tmp_path: Path, ratio: list[int]) -> None:
    findings = findings_of(write(tmp_path, frame(), PixelAspectRatio=ratio))
    assert findings.views[0].measures.length_px == pytest.approx(120, rel=0.02)
    assert "pixels_not_square" not in codes(findings)


def test_regions_with_a_size_overrule_the_form_of_pixels(tmp_path: Path) -> None:
    findings = findings_of(write(tmp_path, frame(), [region()], PixelAspectRatio=[4, 3]))
    assert findings.views[0].measures.length_mm == pytest.approx(LENGTH_MM, rel=0.02)
    assert "pixels_not_square" not in codes(findings)


def test_nothing_outside_the_image_is_measured(tmp_path: Path) -> None:
    """A whole image as region, an image beside it of which only the header knows."""
    assert findings_of(write(tmp_path, frame(), [region(WHOLE)])).views[0].cut_at == ()
