"""What speaks against a kidney, and what does not: made slices with an outline in them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from KidneySegLib.bundles.bundle import Rules
from KidneySegLib.segmentation.kidney import Outline
from KidneySegLib.segmentation.plausible import doubts, reason_against
from KidneySegLib.structures import Side
from KidneySegLib.volume import Volume

SPACING = np.array([4.0, 2.0, 2.0])
Z, Y, X = np.meshgrid(*(np.arange(n) * s for n, s in zip((24, 130, 170), SPACING, strict=True)), indexing="ij")
CENTRE = (48.0, 140.0, 110.0)
AXES = (34.0, 24.0, 24.0)
RADIUS = np.sqrt(sum(((g - c) / a) ** 2 for g, c, a in zip((Z, Y, X), CENTRE, AXES, strict=True)))
MASK = RADIUS < 1
Change = Callable[[np.ndarray], None]


def patient() -> np.ndarray:
    """A trunk with fat, muscle, a spine and a kidney of 35 HU."""
    hu = np.full(Z.shape, -1000.0)
    trunk = np.hypot((Y - 120) / 105, (X - 170) / 150)
    hu[trunk < 1] = -100
    hu[trunk < 0.85] = 50
    hu[np.hypot(Y - 170, X - 170) < 22] = 400
    hu[RADIUS < 1.3] = -100
    hu[MASK] = 35
    return hu


def against(hu: np.ndarray, *, confidence: float = 0.95, cut: bool = False, mask: np.ndarray = MASK) -> str | None:
    box = (slice(0, mask.shape[0]), slice(0, mask.shape[1]), slice(0, mask.shape[2]))
    millilitres = np.count_nonzero(mask) * float(SPACING.prod()) / 1000
    outline = Outline(Side.RIGHT, box, mask, confidence, millilitres, cut, ())
    return reason_against(outline, Volume(hu.astype(np.int16), np.diag([*SPACING[::-1], 1.0])), Rules())


def fill(where: np.ndarray, value: float) -> Change:
    def change(hu: np.ndarray) -> None:
        hu[where] = value

    return change


def contrast_in_the_bowel(hu: np.ndarray) -> None:
    """Dense loops before and beside the kidney, bone behind it and towards the middle: still no skull."""
    ring = (RADIUS > 1.4) & (RADIUS < 1.8)
    hu[ring & (Y < 140) & (X % 30 < 24)] = 900
    hu[ring & (Y >= 140) & (X % 40 < 24)] = 700


DENSE: dict[str, Change] = {
    "nothing": lambda hu: None,
    "one voxel": fill((Z == 48) & (Y == 140) & (X == 110), 320),
    "stone of 9 mm": fill(RADIUS < 0.2, 600),
    "staghorn": fill((RADIUS < 0.75) & ((np.abs(Y - 140) < 8) | (np.abs(X - 110) < 8)), 1200),
    "stent": fill(np.hypot(Y - 140, X - 112) < 2, 2500),
    "clips": fill((RADIUS > 1.0) & (RADIUS < 1.2) & (X > 115), 3000),
    "excreted contrast medium": fill(RADIUS < 0.5, 900),
    "bright cortex": fill((RADIUS > 0.7) & (RADIUS < 1), 340),
    "bright cortex around the outline": fill((RADIUS > 1) & (RADIUS < 1.25), 420),
    "wall of chalk": fill((RADIUS > 0.95) & (RADIUS < 1.1), 1500),
    "gas": fill(RADIUS < 0.8, -900),
    "contrast medium in the bowel": contrast_in_the_bowel,
}


@pytest.mark.parametrize("confidence", [0.95, 0.6])
@pytest.mark.parametrize("name", DENSE)
def test_what_is_inside_or_beside_a_kidney_never_speaks_against_it(name: str, confidence: float) -> None:
    hu = patient()
    DENSE[name](hu)
    assert against(hu, confidence=confidence) is None


@pytest.mark.parametrize("window", [(-160, 240), (-42, 276), (-108, 187), (-1000, 300)])
def test_a_display_window_never_speaks_against_a_kidney(window: tuple[int, int]) -> None:
    assert against(patient().clip(*window), confidence=0.6) is None


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
    assert against(patient(), mask=RADIUS < 0.2) == "it is too small"
    assert against(patient(), mask=RADIUS < 0.25, cut=True) is None


@pytest.mark.parametrize(("bone", "table"), [(700, False), (350, False), (900, True)])
def test_inside_a_skull_is_no_kidney(bone: float, table: bool) -> None:
    hu = np.full(Z.shape, -1000.0)
    head = np.hypot((Y - 135) / 88, (X - 120) / 70)
    hu[head < 1.1] = 40
    hu[head < 1] = bone
    hu[head < 0.9] = 33
    if table:
        hu[:, 115:117, 20:150] = 80
    assert against(hu) == "it lies inside a skull"


@pytest.mark.parametrize("radius", [20, 24, 34, 60])
@pytest.mark.parametrize("hu_of_it", [30, 90, 150])
@pytest.mark.parametrize("table", [False, True])
def test_a_phantom_in_air_is_no_kidney(radius: float, hu_of_it: float, table: bool) -> None:
    hu = np.full(Z.shape, -1000.0)
    hu[np.hypot(Y - 140, X - 110) < radius] = hu_of_it
    if table:
        behind = round((140 + radius) / 2)
        hu[:, behind : behind + 2, 10:150] = 200
    assert against(hu) in ("it lies in air or in a lung", "there is no patient's body around it")


def test_in_a_lung_is_no_kidney_and_in_the_chest_an_uncertain_one_is_none() -> None:
    hu = patient()
    lung = (np.hypot((Y - 130) / 70, (X - 105) / 58) < 1) & ~MASK
    hu[lung] = -800
    assert against(hu) == "it lies in air or in a lung"
    beside = patient()
    beside[lung & (np.hypot(Y - 140, X - 110) > 34)] = -800
    assert against(beside, confidence=0.76) == "it is uncertain and lies in the chest"
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
    outline = Outline(Side.LEFT, box, np.ones((1, 1, 1), bool), confidence, millilitres, cut, ())
    flags = doubts(outline, Rules(), hardly_located=hardly)
    assert [flag.code for flag in flags] == ([code] if code else [])
    assert all("left" in flag.message for flag in flags)
