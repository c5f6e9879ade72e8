"""Hounsfield units of tissues, without contrast medium and in the nephrographic phase.

Values are typical of 120 kVp: fat -100, muscle 55, liver 60, spleen 50, blood 42, unenhanced parenchyma 32; about
100 s after an intravenous injection the kidney enhances evenly to 180 HU (Prokop, Galanski: Spiral and Multislice
Computed Tomography of the Body, chapters on liver and kidney).
"""

from dataclasses import dataclass
from enum import StrEnum


class Phase(StrEnum):
    """Contrast phase of the sample."""

    NON_CONTRAST = "non-contrast"
    NEPHROGRAPHIC = "nephrographic"


@dataclass(frozen=True)
class Tissues:
    """HU of what the sample is made of."""

    muscle: float
    liver: float
    spleen: float
    pancreas: float
    gut_wall: float
    gland: float
    blood: float
    kidney: float
    mass: float
    fat: float = -102.0
    skin: float = 20.0
    fluid: float = 8.0
    chyme: float = 24.0
    lung: float = -860.0
    cancellous: float = 180.0
    cortical: float = 720.0
    cartilage: float = 95.0
    disc: float = 80.0
    cord: float = 28.0
    stone: float = 900.0
    plaque: float = 620.0


TISSUES = {
    Phase.NON_CONTRAST: Tissues(
        muscle=55, liver=60, spleen=50, pancreas=40, gut_wall=38, gland=25, blood=42, kidney=32, mass=40
    ),
    Phase.NEPHROGRAPHIC: Tissues(
        muscle=63, liver=108, spleen=118, pancreas=90, gut_wall=80, gland=60, blood=140, kidney=180, mass=85
    ),
}
