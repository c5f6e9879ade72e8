"""What speaks against a kidney, and what does not: made slices with an outline in them."""

from __future__ import annotations

import numpy as np
import pytest
from bundle_cases import KIDNEY_RULES
from kidney_scenes import DENSE, MASK, RADIUS, SPACING, X, Y, Z, against, head, patient, phantom

from KidneySegLib.segmentation.kidneys.outline import Outline
from KidneySegLib.segmentation.kidneys.plausible import doubts
from KidneySegLib.structures import Side


@pytest.mark.parametrize("confidence", [0.95, 0.6])
@pytest.mark.parametrize("name", DENSE)
def test_what_is_inside_or_beside_a_kidney_never_speaks_against_it(name: str, confidence: float) -> None:
    hu = patient()
    DENSE[name](hu)
    assert against(hu, confidence=confidence) is None


@pytest.mark.parametrize("window", [(-160, 240), (-42, 276), (-108, 187), (-1000, 300)])
def test_a_display_window_never_speaks_against_a_kidney(window: tuple[int, int]) -> None:
    assert against(patient().clip(*window), confidence=0.6) is None


def test_fat_at_the_end_of_a_window_is_not_taken_for_air_around_a_sure_kidney() -> None:
    """The scale is wrong by half, so that clipped fat lies below all fat: air cannot be told from it."""
    assert against(np.rint(patient().clip(-110, 240) * 1.5), confidence=0.95) is None
    # a sure outline in true air is none, and so is an uncertain one where a window hides the air
    assert against(phantom(34, 90), confidence=0.95) in ("air", "no body")
    assert against(phantom(34, 90).clip(-160, 240), confidence=0.6) in ("air", "no body")


def test_a_crop_of_a_patient_never_speaks_against_a_kidney() -> None:
    inside = (slice(2, 22), slice(54, 88), slice(38, 72))
    assert against(patient()[inside], mask=MASK[inside], confidence=0.6) is None


def test_a_giant_and_a_tiny_kidney_are_kidneys() -> None:
    giant = np.sqrt(((Z - 48) / 46) ** 2 + ((Y - 120) / 75) ** 2 + ((X - 105) / 72) ** 2) < 1
    assert 900 < np.count_nonzero(giant) * SPACING.prod() / 1000 < 1200
    hu = patient()
    hu[giant] = 15
    assert against(hu, mask=giant) is None
    tiny = RADIUS < 0.4
    assert 4 < np.count_nonzero(tiny) * SPACING.prod() / 1000 < 6
    assert against(patient(), mask=tiny) is None
    assert against(patient(), mask=RADIUS < 0.2) == "small"
    assert against(patient(), mask=RADIUS < 0.25, cut=True) is None


@pytest.mark.parametrize(("bone", "table"), [(700, False), (350, False), (900, True)])
def test_inside_a_skull_is_no_kidney(bone: float, table: bool) -> None:
    hu = head(bone)
    if table:
        hu[:, 115:117, 20:150] = 80
    assert against(hu) == "skull"


@pytest.mark.parametrize("radius", [20, 24, 34, 60])
@pytest.mark.parametrize("hu_of_it", [30, 90, 150])
@pytest.mark.parametrize("table", [False, True])
def test_a_phantom_in_air_is_no_kidney(radius: float, hu_of_it: float, table: bool) -> None:
    hu = phantom(radius, hu_of_it, table=table)
    assert against(hu) in ("air", "no body")


def test_in_a_lung_is_no_kidney_and_in_the_chest_an_uncertain_one_is_none() -> None:
    hu = patient()
    lung = (np.hypot((Y - 130) / 70, (X - 105) / 58) < 1) & ~MASK
    hu[lung] = -800
    assert against(hu) == "air"
    beside = patient()
    beside[lung & (np.hypot(Y - 140, X - 110) > 34)] = -800
    assert against(beside, confidence=0.76) == "chest"
    assert against(beside) is None  # kidneys in the chest exist


def test_colon_full_of_gas_is_no_chest() -> None:
    hu = patient()
    hu[np.hypot((Y - 70) / 40, (X - 170) / 110) < 1] = -1000
    assert against(hu, confidence=0.6) is None


@pytest.mark.parametrize(
    ("confidence", "millilitres", "cut", "hardly", "code"),
    [
        (0.95, 150.0, False, False, None),
        (0.86, 150.0, False, False, "low_confidence"),
        (0.847, 150.0, False, False, "kidney_doubtful"),
        (0.599, 8.6, True, False, "kidney_doubtful"),
        (0.95, 5.0, False, False, "kidney_doubtful"),
        (0.95, 7.0, True, False, None),
        (0.95, 60.0, True, True, "kidney_doubtful"),
    ],
)
def test_doubt_is_told(confidence: float, millilitres: float, cut: bool, hardly: bool, code: str | None) -> None:
    box = (slice(0, 1), slice(0, 1), slice(0, 1))
    one = np.ones((1, 1, 1), bool)
    outline = Outline(Side.LEFT, box, one, one.astype(np.float32), confidence, millilitres, cut, ())
    flags = doubts(outline, KIDNEY_RULES, hardly_located=hardly)
    assert [flag.code for flag in flags] == ([code] if code else [])
    assert all("left" in flag.message for flag in flags)
