"""Whether the anatomy agrees with the header: the signs of spine, liver and head put together.

A wrong patient position in the header turns the image: two of the three directions are then reversed (prone called
supine: front and right; feet first called head first: head and right). A file converted without care can be mirrored:
one is. A patient who lies on the side or on the belly and whose header says so is not turned: everything here is judged
in the patient's own directions.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from KidneySegLib.measuring.orientation.coarse_exam import CoarseExam
from KidneySegLib.measuring.orientation.liver import LiverSide, find_liver
from KidneySegLib.measuring.orientation.spine import Spine
from KidneySegLib.measuring.orientation.trunk_ends import head_votes
from KidneySegLib.volume import Volume

# Grids further from the patient's directions than 30 degrees are not judged.
ALIGNED = 0.866
# Signs that must agree before a direction counts as reversed; the spine alone is as sure as two of the others.
ENOUGH = 2


class Verdict(StrEnum):
    """What the anatomy says of the header."""

    AGREES = "agrees"
    CONTRADICTS = "contradicts"
    UNKNOWN = "cannot tell"


@dataclass(frozen=True)
class Orientation:
    """What the anatomy says.

    Attributes:
        verdict: of all directions together.
        spine: where the header has the spine: ``front``, ``right`` or ``left`` where that is wrong, else "".
        liver: whether it lies on the header's left.
        head: whether the head lies at the header's feet.
    """

    verdict: Verdict
    spine: str = ""
    liver: bool = False
    head: bool = False

    @property
    def only_mirrored(self) -> bool:
        """Whether nothing but the liver's side is wrong, as in a mirrored image and in situs inversus."""
        return self.liver and not self.spine and not self.head


def is_aligned(canonical: Volume) -> bool:
    """Whether a grid lies nearly along the patient's directions, so that it can be judged."""
    return bool(np.diag(canonical.direction).min() >= ALIGNED)


def judge_orientation(exam: CoarseExam, spine: Spine) -> Orientation:
    """Puts the signs of an exam together."""
    if spine.towards in ("right", "left"):
        return Orientation(Verdict.CONTRADICTS, spine.towards)
    liver = _liver_vote(find_liver(exam, spine), both_kidneys=all(kidney.any() for kidney in exam.kidneys))
    signs = list(head_votes(exam, spine).values())
    head = sum(signs) if len(set(signs)) == 1 else 0
    turned = liver < 0 and head < 0  # each makes the other likelier: feet first called head first
    liver_wrong = liver <= -ENOUGH or turned
    head_wrong = head <= -ENOUGH or turned
    wrong_spine = "front" if spine.towards == "front" else ""
    if wrong_spine or liver_wrong or head_wrong:
        return Orientation(Verdict.CONTRADICTS, wrong_spine, liver_wrong, head_wrong)
    agrees = spine.towards == "back" or liver + head >= ENOUGH
    return Orientation(Verdict.AGREES if agrees else Verdict.UNKNOWN)


def _liver_vote(liver: LiverSide, *, both_kidneys: bool) -> int:
    """Returns 1 or 2 for a liver on the right, -1 or -2 on the left.

    A large tumour takes the place of a kidney; beside two kidneys such an organ is the liver.
    """
    if not liver.side:
        return 0
    weight = ENOUGH if liver.is_sure and both_kidneys else 1
    return weight if liver.side == "right" else -weight
