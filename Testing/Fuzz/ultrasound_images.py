"""Ultrasound images as machines make them, of random kidneys and scales: the right length, in the unit that is certain.

Each image holds an ellipse of random size, place, direction and scale. Regions, units, storage and what is burnt in
vary by case. Its true length, or that there is no kidney, is written beside it for the reader.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import ultrasound_cases as made
from pydicom.dataset import Dataset, FileDataset

from Fuzz.case import Case, Family
from Fuzz.ultrasound_storage import STORED, Store

_SECRET = "Secret^Name"
_TOLERANCE = 0.04
_TRUTH = "truth.json"
_ROWS, _COLUMNS = made.ROWS, made.COLUMNS
_UPPER, _LOWER = (0, 0, _COLUMNS, 180), (0, 180, _COLUMNS, _ROWS)
_LEFT, _RIGHT = (0, 0, _COLUMNS // 2, _ROWS), (_COLUMNS // 2, 0, _COLUMNS, _ROWS)
_UNITS = ("not_calibrated", "region_not_calibrated")
_CM, _S = made.CM, made.SECONDS


@dataclass
class _Kidney:
    """A random kidney; lengths in pixels, ``delta`` in centimetres along columns and rows."""

    centre: tuple[float, float]
    radii: tuple[float, float]
    degrees: float
    delta: tuple[float, float]

    @classmethod
    def of(cls, rng: np.random.Generator, *, narrow: bool = False, square: bool = True) -> _Kidney:
        most = 1.0 if narrow else 1.6
        radii = (rng.uniform(22, 28), rng.uniform(34, 40) * most)
        fine = rng.uniform(0.05, 0.1)
        delta = (fine, fine if square else fine * rng.uniform(0.6, 1.6))
        degrees = rng.uniform(-60, 60) if narrow else rng.uniform(-20, 20)
        return cls((rng.uniform(85, 95), 80.0 if narrow else rng.uniform(140, 180)), radii, degrees, delta)

    @property
    def mask(self) -> np.ndarray:
        return made.ellipse(self.centre, self.radii, degrees=self.degrees)

    def length(self, delta: tuple[float, float]) -> float:
        """Longest diameter with this distance of columns and rows."""
        turn, across = np.radians(self.degrees), np.radians(self.degrees + 90)
        axes = [[np.cos(turn), np.cos(across)], [np.sin(turn), np.sin(across)]]
        stretched = np.diag(delta) @ axes @ np.diag(self.radii[::-1])
        return 2 * float(np.linalg.svd(stretched, compute_uv=False)[0])

    @property
    def mm(self) -> float:
        return self.length((10 * self.delta[0], 10 * self.delta[1]))

    @property
    def px(self) -> float:
        return self.length((1, 1))


@dataclass
class _Truth:
    """What must be found.

    Attributes:
        length: in mm where ``calibrated``, else in pixels; None: no kidney.
        calibrated: whether the scale is certain.
        flags: codes of which one must be told; none: any.
        cut: whether the outline is cut, so that less than the length is measured.
        options: of the user.
    """

    length: float | None
    calibrated: bool = True
    flags: Sequence[str] = ()
    cut: bool = False
    options: dict[str, Any] = field(default_factory=dict)


_Make = Callable[[np.random.Generator], tuple[FileDataset, _Truth]]


def ultrasound_images() -> list[Case]:
    """Returns all cases."""
    family = Family("ultrasound images", reader=_measured)
    for makes in (_regions(), _units(), _frames(), _stored(), _contents()):
        for name, make in makes.items():
            family.add(name, _written(make), True)
    for name, (regions, words) in _REFUSED.items():
        family.add(name, _written(_image(regions)), False, words)
    return family.cases


_REFUSED: dict[str, tuple[Callable[[_Kidney], list[Dataset]], str]] = {
    "a spectrum alone": (lambda _: [_spectrum(made.WHOLE)], "2D image of tissue"),
    "an M-mode strip alone": (lambda k: [_strip(made.WHOLE, k)], "names M-mode"),
    "a colour box alone": (lambda k: [_tissue(k, data=made.COLOUR_DATA)], "names colour flow"),
    "a spectrum and an M-mode strip": (lambda k: [_spectrum(_UPPER), _strip(_LOWER, k)], "2D image of tissue"),
}


def _tissue(kidney: _Kidney, box: tuple[int, int, int, int] = made.WHOLE, times: float = 1.0, **more: Any) -> Dataset:
    return made.region(box, **{"delta": (kidney.delta[0] * times, kidney.delta[1] * times), **more})


def _spectrum(box: tuple[int, int, int, int]) -> Dataset:
    return made.region(box, (0.01, -2.0), (_S, made.HERTZ), made.SPECTRAL, made.SPECTRUM_DATA)


def _strip(box: tuple[int, int, int, int], kidney: _Kidney) -> Dataset:
    return made.region(box, (0.005, kidney.delta[1]), (_S, _CM), made.M_MODE)


def _image(
    regions: Callable[[_Kidney], list[Dataset]],
    pixels: Callable[[_Kidney], np.ndarray] = lambda kidney: made.frame(kidney.mask),
    *,
    mm: bool = True,
    times: float = 1.0,
    square: bool = True,
    narrow: bool = False,
    **truth: Any,
) -> _Make:
    """Returns how an image of one kidney is made; ``times``: of the true length, that must be measured."""

    def make(rng: np.random.Generator) -> tuple[FileDataset, _Truth]:
        kidney = _Kidney.of(rng, narrow=narrow, square=square)
        length = times * (kidney.mm if mm else kidney.px)
        flags = truth.get("flags", () if mm else _UNITS)
        return made.dataset(pixels(kidney), regions(kidney)), _Truth(length, mm, **{**truth, "flags": flags})

    return make


def _regions() -> dict[str, _Make]:
    box = (60, 60, 200, 160)

    def dual(kidney: _Kidney) -> np.ndarray:
        return made.frame(kidney.mask, made.ellipse((kidney.centre[0], 240), (14, 18)))

    left_out = {"flags": ("tissue_regions_left_out",), "narrow": True}
    return {
        "one region": _image(lambda k: [_tissue(k)]),
        "columns and rows of other sizes": _image(lambda k: [_tissue(k)], square=False),
        "rows count upwards": _image(
            lambda k: [_tissue(k, delta=(k.delta[0], -k.delta[1]))], flags=("region_axes_reversed",)
        ),
        "two scales side by side": _image(
            lambda k: [_tissue(k, (0, 0, 170, _ROWS)), _tissue(k, (170, 0, _COLUMNS, _ROWS), 0.5)], dual, **left_out
        ),
        "two scales, the second is asked for": _image(
            lambda k: [_tissue(k, _RIGHT, 0.5), _tissue(k, _LEFT)], dual, narrow=True, options={"region": 2}
        ),
        "two of one scale side by side": _image(
            lambda k: [_tissue(k, (0, 0, 170, _ROWS)), _tissue(k, (170, 0, _COLUMNS, _ROWS))], dual, **left_out
        ),
        "a larger one without a scale": _image(
            lambda k: [_tissue(k, (150, 0, _COLUMNS, _ROWS), delta=None), _tissue(k, (0, 0, 150, _ROWS))],
            dual,
            **left_out,
        ),
        "a spectrum below": _image(lambda k: [_tissue(k, _UPPER), _spectrum(_LOWER)]),
        "a spectrum below, named first": _image(lambda k: [_spectrum(_LOWER), _tissue(k, _UPPER)]),
        "an M-mode strip below": _image(lambda k: [_tissue(k, _UPPER), _strip(_LOWER, k)]),
        "a spectrum and a strip below": _image(
            lambda k: [_tissue(k, _UPPER), _spectrum((0, 180, 160, _ROWS)), _strip((160, 180, _COLUMNS, _ROWS), k)]
        ),
        "a colour box over the kidney": _image(lambda k: [_tissue(k), _tissue(k, box, data=made.COLOUR_DATA)]),
        "a colour box without units": _image(
            lambda k: [_tissue(k), made.region(box, units=(made.NO_UNIT,) * 2, data=made.COLOUR_DATA)]
        ),
        "an inset of another scale": _image(
            lambda k: [_tissue(k), _tissue(k, (270, 195, _COLUMNS, _ROWS), 0.5)], flags=("tissue_regions_left_out",)
        ),
        "the border of two scales through the kidney": _image(
            lambda k: [_tissue(k, (0, 0, 170, _ROWS)), _tissue(k, (170, 0, _COLUMNS, _ROWS), 0.5)],
            cut=True,
            flags=("tissue_regions_left_out",),
        ),
        "two scales at one place": _image(lambda k: [_tissue(k), _tissue(k, times=0.5)], mm=False),
        "nearly all covered by another scale": _image(
            lambda k: [_tissue(k), _tissue(k, (5, 5, _COLUMNS, _ROWS), 0.7)], mm=False
        ),
        "graphics over all": _image(
            lambda k: [_tissue(k), made.region(delta=None, form=made.GRAPHICS, units=(made.NO_UNIT,) * 2)]
        ),
        "the same region forty times": _image(lambda k: [_tissue(k)] * 40, flags=("regions_ignored",)),
        "no regions": _image(lambda _: [], mm=False),
        "no regions, the size is given": _image(
            lambda _: [], mm=False, flags=("pixel_size_given",), options={"pixel_mm": 0.5}
        ),
    }


def _units() -> dict[str, _Make]:
    def units(across: int, down: int) -> _Make:
        return _image(lambda k: [_tissue(k, units=(across, down))], mm=False)

    return {
        "units: none": units(made.NO_UNIT, made.NO_UNIT),
        "units: per cent": units(made.PER_CENT, made.PER_CENT),
        "units: seconds": units(_S, _S),
        "units: seconds across, centimetres down": units(_S, _CM),
        "units: centimetres across, hertz down": units(_CM, made.HERTZ),
        "units: square centimetres": units(8, 8),
        "units: degrees": units(12, 12),
        "units: millimetres, named centimetres": _image(lambda k: [_tissue(k, times=10)], mm=False),
        "units: micrometres, named centimetres": _image(lambda k: [_tissue(k, times=1e-4)], mm=False),
    }


def _frames() -> dict[str, _Make]:
    def frames(factors: Sequence[float], scale: float, kidneys: Sequence[bool] = (True,) * 3, **truth: Any) -> _Make:
        """A loop, its regions frame by frame; a factor of 0: no region."""

        def make(rng: np.random.Generator) -> tuple[FileDataset, _Truth]:
            kidney = _Kidney.of(rng)
            shown = [kidney.mask & there for there in kidneys]
            groups = [Dataset() for _ in factors]
            for group, factor in zip(groups, factors, strict=True):
                if factor:
                    group.SequenceOfUltrasoundRegions = [_tissue(kidney, times=factor)]
            pixels = np.stack([made.frame(mask, seed=n) for n, mask in enumerate(shown)])
            more = {"PerFrameFunctionalGroupsSequence": groups} if any(factors) else {}
            regions = None if more else [_tissue(kidney)]
            length = scale * kidney.mm if any(kidneys) else None
            return made.dataset(pixels, regions, **more), _Truth(length, **truth)

        return make

    left_out = {"flags": ("frames_left_out",)}
    return {
        "a loop": frames((0, 0, 0), 1.0),
        "a loop, one frame is asked for": frames((0, 0, 0), 1.0, options={"frame": 2}),
        "a loop with a kidney in one frame": frames((0, 0, 0), 1.0, (False, True, False)),
        "a loop without a kidney": frames((0, 0, 0), 1.0, (False,) * 3),
        "regions of each frame, alike": frames((1, 1, 1), 1.0),
        "regions of each frame, another scale in one": frames((1, 0.5, 0.5), 0.5, **left_out),
        "regions of each frame, one is asked for": frames((1, 0.5, 0.7), 0.7, options={"frame": 3}),
    }


def _stored() -> dict[str, _Make]:
    def of(store: Store) -> _Make:
        def make(rng: np.random.Generator) -> tuple[FileDataset, _Truth]:
            kidney = _Kidney.of(rng)
            return store(made.frame(kidney.mask), [_tissue(kidney)]), _Truth(kidney.mm)

        return make

    return {f"stored {how}": of(store) for how, store in STORED.items()}


def _contents() -> dict[str, _Make]:
    def marked(kidney: _Kidney) -> np.ndarray:
        """Letters, a ruler, and calipers at the poles."""
        grey = made.frame(kidney.mask)
        grey[5:15, 5:70] = grey[20:26, 5:40] = 255
        grey[30:220:10, 312:318] = 255
        turn = np.radians(kidney.degrees)
        for reach in (5 - kidney.radii[1], kidney.radii[1] - 5):  # within the pole: brightness stands for the network
            row = round(kidney.centre[0] + reach * np.sin(turn))
            column = round(kidney.centre[1] + reach * np.cos(turn))
            grey[row, column - 3 : column + 4] = grey[row - 3 : row + 4, column] = 255
        return grey

    def doppler(kidney: _Kidney) -> np.ndarray:
        return made.coloured(made.frame(kidney.mask), (20, 175, 90, 225))

    def screen(kidney: _Kidney, level: int) -> np.ndarray:
        grey = made.sector(made.frame(kidney.mask), degrees=16)
        return np.where(grey == 0, level, grey).astype(np.uint8)

    def cropped(rng: np.random.Generator) -> tuple[FileDataset, _Truth]:
        kidney = _Kidney.of(rng)
        end = round(kidney.centre[1])
        image = made.dataset(made.frame(kidney.mask)[:, :end].copy(), [_tissue(kidney, (0, 0, end, _ROWS))])
        return image, _Truth(kidney.mm, cut=True, flags=("outline_cut",))

    def grabbed(rng: np.random.Generator) -> tuple[FileDataset, _Truth]:
        """A frame grabber's image: no spacing, but pixels that are higher than wide."""
        kidney = _Kidney.of(rng)
        image = made.dataset(made.frame(kidney.mask), PixelAspectRatio=[4, 3])
        told = {"flags": ("pixels_not_square",), "options": {"pixel_mm": 0.5}}
        return image, _Truth(kidney.length((1, 4 / 3)), calibrated=False, **told)

    def empty(rng: np.random.Generator) -> tuple[FileDataset, _Truth]:
        kidney = _Kidney.of(rng)
        nothing = made.sector(made.frame(np.zeros((_ROWS, _COLUMNS), bool)))
        return made.dataset(nothing, [_tissue(kidney)]), _Truth(None)

    far = (0, 0, 110, _ROWS)  # a region that holds only part of the kidney
    return {
        "text, ruler and calipers": _image(lambda k: [_tissue(k)], marked),
        "colours beside the kidney": _image(lambda k: [_tissue(k)], doppler, flags=("colours_in_image",)),
        "a sector": _image(lambda k: [_tissue(k)], lambda k: made.sector(made.frame(k.mask))),
        "the sector cuts the kidney": _image(
            lambda k: [_tissue(k)], lambda k: made.sector(made.frame(k.mask), degrees=16), cut=True
        ),
        "the sector on a grey screen cuts the kidney": _image(
            lambda k: [_tissue(k)], lambda k: screen(k, 40), cut=True
        ),
        "the sector on white paper cuts the kidney": _image(lambda k: [_tissue(k)], lambda k: screen(k, 255), cut=True),
        "the region cuts the kidney": _image(lambda k: [_tissue(k, far)], cut=True, flags=("outline_cut",)),
        "the image ends in the kidney": cropped,
        "pixels that are not squares, their width is given": grabbed,
        "a sector without a kidney": empty,
    }


def _written(make: _Make) -> Callable[[Path, np.random.Generator], Path]:
    def build(folder: Path, rng: np.random.Generator) -> Path:
        image, truth = make(rng)
        image.PatientName = _SECRET
        (folder / _TRUTH).write_text(json.dumps(asdict(truth)), encoding="utf-8")
        image.save_as(folder / "image.dcm", enforce_file_format=True)
        return folder / "image.dcm"

    return build


def _measured(path: Path) -> None:
    """Reads, outlines by brightness and measures; raises AssertionError where that is not the truth."""
    truth = _Truth(**json.loads((path.parent / _TRUTH).read_text(encoding="utf-8")))
    findings = made.findings_of(path, **truth.options)
    told = made.codes(findings)
    assert not truth.flags or told & set(truth.flags), f"unsaid: {truth.flags}, said: {sorted(told)}"
    if truth.length is None:
        assert not findings.views and "no_kidney" in told, f"a kidney where there is none, flags: {sorted(told)}"
        return
    assert findings.views, f"no kidney, flags: {sorted(told)}"
    given = float(truth.options.get("pixel_mm", 0))
    true, calibrated = truth.length * (given or 1), truth.calibrated or bool(given)
    assert findings.calibrated == calibrated, f"calibrated: {findings.calibrated}, flags: {sorted(told)}"
    view = findings.views[0]
    found = view.measures.longest_mm if calibrated else view.measures.longest_px
    if truth.cut:
        assert view.cut_at and found < true * (1 + _TOLERANCE), f"not cut: {found:.1f} of {true:.1f}"
        return
    assert abs(found - true) <= _TOLERANCE * true, f"length {found:.1f} instead of {true:.1f}, flags: {sorted(told)}"
