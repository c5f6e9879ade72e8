"""Made slices of a patient, a head or a phantom with an outline in them, and what can be dense in or at a kidney."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from bundle_cases import KIDNEY_RULES

from KidneySegLib.segmentation.kidneys.outline import Outline
from KidneySegLib.segmentation.kidneys.plausible import reason_against
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
    outline = Outline(Side.RIGHT, box, mask, mask.astype(np.float32), confidence, millilitres, cut, ())
    return reason_against(outline, Volume(hu.astype(np.int16), np.diag([*SPACING[::-1], 1.0])), KIDNEY_RULES)


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


def head(bone: float, scale: float = 1.0) -> np.ndarray:
    """A skull around the outline."""
    hu = np.full(Z.shape, -1000.0)
    away = np.hypot((Y - 135) / 88, (X - 120) / 70) / scale
    hu[away < 1.1] = 40
    hu[away < 1] = bone
    hu[away < 0.9] = 33
    return hu


def phantom(radius: float, value: float, *, table: bool = False) -> np.ndarray:
    """A cylinder in air around the outline's place, if asked for on a table."""
    hu = np.full(Z.shape, -1000.0)
    hu[np.hypot(Y - 140, X - 110) < radius] = value
    if table:
        behind = round((140 + radius) / 2)
        hu[:, behind : behind + 2, 10:150] = 200
    return hu
