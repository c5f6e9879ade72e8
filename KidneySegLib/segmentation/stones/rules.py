"""Which dense body is a stone, and which is bone, vessel, bowel, tube, calcified lesion, contrast medium or noise."""

from collections.abc import Sequence
from enum import StrEnum

from KidneySegLib.hounsfield import BLURRED_BODY
from KidneySegLib.segmentation.stones.dense_bodies import DenseBody
from KidneySegLib.segmentation.stones.region import Zone
from KidneySegLib.segmentation.stones.tissue import Tissue

LESION_SHARE = 0.25

# Calcium in the wall of an artery: a thin line.
VESSEL_THICKNESS_MM = 4.0
VESSEL_SLIMNESS = 3.5

# In the way of the ureter vessels, lymph nodes and bowel are near, so a stone there has to look like one.
URETER_ABOVE_TISSUE_HU = 150.0
URETER_LEAST_MM = 3.0
URETER_LONGEST_MM = 30.0
URETER_THICKEST_MM = 15.0
URETER_SLIMNESS = 3.0
URETER_FAT = 0.2

# Excreted contrast medium shows in many calyces.
EXCRETED_BODIES = 3


class StoneVerdict(StrEnum):
    """What a dense body is taken for; all but ``NOTHING`` is labelled or told."""

    STONE = "stone"
    CALCIFIED_LESION = "calcified lesion"
    VESSEL = "vessel"
    BESIDE_URETER = "beside the ureter"
    TOO_LARGE = "too large"
    NOTHING = "nothing"


def judge_dense_body(body: DenseBody, tissue: Tissue, *, contrast: bool) -> StoneVerdict:
    """Judges one dense body of a kidney with parenchyma ``tissue``; tubes are looked for before."""
    if body.inside <= 0.5 or body.peak < (tissue.sure if body.voxels == 1 else tissue.peak):
        return StoneVerdict.NOTHING
    if body.too_large:
        return StoneVerdict.TOO_LARGE
    if body.at_lesion > LESION_SHARE:
        return StoneVerdict.CALCIFIED_LESION
    if body.zone is Zone.URETER:
        if contrast or not _dense_in_ureter(body, tissue):
            return StoneVerdict.NOTHING
        return StoneVerdict.STONE if _like_ureteral_stone(body) else StoneVerdict.BESIDE_URETER
    return StoneVerdict.VESSEL if body.zone is not Zone.KIDNEY and _like_vessel(body) else StoneVerdict.STONE


def excreted(stones: Sequence[DenseBody]) -> bool:
    """Whether dense bodies on a scan with contrast medium may be excreted contrast medium: several, or both kidneys."""
    return len(stones) >= EXCRETED_BODIES or len({stone.side for stone in stones}) > 1


def _like_vessel(body: DenseBody) -> bool:
    length, width, thickness = body.axes
    return thickness < VESSEL_THICKNESS_MM and length > VESSEL_SLIMNESS * max(width, 1.0)


def _dense_in_ureter(body: DenseBody, tissue: Tissue) -> bool:
    """Whether a body in the way of the ureter is dense and large enough for a stone, and not in the bowel."""
    above = body.peak >= tissue.level + URETER_ABOVE_TISSUE_HU
    return above and body.axes[0] >= URETER_LEAST_MM and body.darkest > BLURRED_BODY


def _like_ureteral_stone(body: DenseBody) -> bool:
    length, width, _ = body.axes
    slim = length <= URETER_SLIMNESS * width
    return length <= URETER_LONGEST_MM and width <= URETER_THICKEST_MM and slim and body.in_fat >= URETER_FAT
