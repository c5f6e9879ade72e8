"""What is believed of the networks' output: thresholds that were tuned for one bundle on validation exams.

Each group is named by the stage whose output it judges. What holds for every patient and scanner whatever the networks
are (densities of tissues, sizes of organs) stands in the code, not here.
"""

import math
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Annotated, Self

from pydantic import Field

from KidneySegLib.bundles.declaration import Number, Share, declaration
from KidneySegLib.bundles.limits import GREATEST_HU, GREATEST_RULE, MOST_SCALES

Size = Annotated[Number, Field(ge=0, le=GREATEST_RULE)]
_Ceiling = Annotated[Number, Field(gt=0, le=GREATEST_HU)]
# a grid that is finer than half of what the network learnt on costs eight times as much, and shows it nothing it knows
_Scale = Annotated[Number, Field(ge=0.5, le=2)]


@declaration
class Rules:
    """The rules of a bundle; a task that has some declares a subclass."""

    def check(self, stages: Collection[str]) -> None:
        """Checks that the rules are those of the stages.

        Raises:
            ValueError: rules for a stage are missing, or there is no such stage.
        """

    def of_stages(self, stages: Collection[str]) -> Self:
        """Returns the rules without those for other stages."""
        return self

    def needs(self, stages: Sequence[str]) -> Sequence[str]:
        """Returns which stages of a task a bundle with these rules must have, of all that the task names."""
        return stages


@declaration
class KidneyRules:
    """Of located pieces and outlines.

    Attributes:
        margin_mm: the kidney's box is the located kidney and this much around it.
        smallest_seed_ml: located pieces below this are noise. The locator often sees only a few millilitres of a kidney
            that the next stage outlines whole.
        smallest_candidate_ml: located pieces below this only count on a side that has nothing larger.
        smallest_kidney_ml: a whole kidney below this is called doubtful.
        smallest_cut_ml: the same for one that the image cuts, located or outlined.
        least_confidence: mean probability inside a kidney, averaged over scales, below which it is called doubtful.
        sure_confidence: mean probability below which a kidney is flagged for a look.
        second_piece_share: of the main piece's size, which a piece apart from it has at least: upper and lower halves
            of a kidney that a cyst or a missing slab divides, not an island of bowel.
        ceilings_hu: where a kidney is missing, doubtful or too dense, the networks look again and see what is denser
            as dense as this, the highest first: medium that fills a pelvis, a cortex brighter than any learnt.
    """

    margin_mm: Size
    smallest_seed_ml: Size
    smallest_candidate_ml: Size
    smallest_kidney_ml: Size
    smallest_cut_ml: Size
    least_confidence: Share
    sure_confidence: Share
    second_piece_share: Share
    ceilings_hu: Annotated[tuple[_Ceiling, ...], Field(max_length=MOST_SCALES)] = ()

    @property
    def highest_ceiling(self) -> float:
        """The first of the ceilings in HU; infinite without any."""
        return self.ceilings_hu[0] if self.ceilings_hu else math.inf


@declaration
class LesionRules:
    """Of masses and cysts, whichever network finds them.

    Attributes:
        smallest_lesion_mm: those with less volume than a ball of this diameter are not reported.
        least_lesion_confidence: mean probability inside one below which it is not believed.
        other_kind_share: a connected lesion with at most this share of the other kind is wholly of its main kind.
    """

    smallest_lesion_mm: Size
    least_lesion_confidence: Share
    other_kind_share: Share

    def smallest_voxels(self, spacing: Sequence[float]) -> float:
        """Returns how many voxels the smallest lesion has, with ``spacing`` in mm."""
        return math.pi / 6 * self.smallest_lesion_mm**3 / math.prod(spacing)


@declaration
class OrganLesionRules(LesionRules):
    """Of lesions inside an organ that another network outlined.

    Attributes:
        least_outside_confidence: mean probability below which one that lies mostly outside the outline is not believed,
            nor the part of any other that does: muscle, bowel and other organs are there.
        contact_mm: a lesion comes at least this near to the outline.
        rim_mm: what the coarser networks add around the outline is this thick somewhere.
        highest_level: probability up to which a lesion that runs out into its surroundings is looked for.
        fine_scales: factors on the spacing of the stage ``lesion``: at these cysts are looked for in addition, and the
            probability of a lesion inside what was found is its confidence. Without any: the scales of the stage.
    """

    least_outside_confidence: Share
    contact_mm: Size
    rim_mm: Size
    highest_level: Share
    fine_scales: Annotated[tuple[_Scale, ...], Field(max_length=MOST_SCALES)] = ()


@declaration
class RenalRules(LesionRules):
    """Of lesions that one network finds together with the organ.

    Attributes:
        likely_lesion: probability of a lesion from which on this network decides alone what belongs to the organ.
    """

    likely_lesion: Annotated[Share, Field(gt=0)]


@declaration
class ExamRules:
    """Of one network that names every voxel of a whole exam. The papers leave nothing out: all is 0 by default.

    Attributes:
        smallest_organ_ml: a connected piece of kidney, mass and cyst below this is an island, and left out.
        smallest_lesion_mm: masses and cysts with less volume than a ball of this diameter become kidney.
    """

    smallest_organ_ml: Size = 0.0
    smallest_lesion_mm: Size = 0.0


@declaration
class OperatingPoint:
    """Which masses and cysts are findings; what is below is a candidate, which is listed apart.

    Attributes:
        least_mass_confidence: mean probability inside a solid mass.
        least_cyst_confidence: mean probability inside a cyst.
        least_organ_confidence: mean probability of the organ inside a mass or cyst, away from the organ's border.
    """

    least_mass_confidence: Share = 0.0
    least_cyst_confidence: Share = 0.0
    least_organ_confidence: Share = 0.0


@declaration
class CtRules(Rules):
    """Of the task ``ct``.

    Attributes:
        kidney: of the stages ``locator`` and ``kidney``; None of a bundle with the stage ``exam``.
        lesion: of the stages ``organ`` and ``lesion``; None if there are none.
        renal: of the stage ``renal``; None if there is none.
        exam: of the stage ``exam``, which does all alone; None if there is none.
        operating_point: of what the stages ``lesion`` or ``renal`` find; None takes everything for a finding.
    """

    kidney: KidneyRules | None = None
    lesion: OrganLesionRules | None = None
    renal: RenalRules | None = None
    exam: ExamRules | None = None
    operating_point: OperatingPoint | None = None

    def of_stages(self, stages: Collection[str]) -> Self:
        """Returns the rules without those for other stages."""
        if "exam" in stages:
            exam = self.exam or ExamRules()
            return replace(self, kidney=None, lesion=None, renal=None, exam=exam, operating_point=None)
        lesion, renal = (self.lesion if "lesion" in stages else None), (self.renal if "renal" in stages else None)
        point = self.operating_point if lesion or renal else None
        return replace(self, lesion=lesion, renal=renal, exam=None, operating_point=point)

    def needs(self, stages: Sequence[str]) -> Sequence[str]:
        """The stage ``exam`` needs no other."""
        return stages if self.exam is None else ("exam",)

    def check(self, stages: Collection[str]) -> None:
        """Checks that the rules are those of the stages; see ``Rules.check``."""
        if self.kidney is None and self.exam is None:
            raise ValueError("rules.kidney: it is missing")
        if self.kidney is not None and self.exam is not None:
            raise ValueError("rules.kidney: nothing reads this field, since the stage exam does everything alone")
        for name, group in {"lesion": self.lesion, "renal": self.renal, "exam": self.exam}.items():
            if group is not None and name not in stages:
                raise ValueError(f"rules.{name}: nothing reads this field, since there is no such stage")
            if group is None and name in stages:
                raise ValueError(f"rules.{name}: it is missing")
        if self.operating_point is not None and self.lesion is None and self.renal is None:
            raise ValueError("rules.operating_point: nothing reads this field, since no stage finds lesions")


@declaration
class OutlineRules:
    """Of the outline in a single slice.

    Attributes:
        sure_confidence: mean probability in a region below which its outline is flagged for a look.
    """

    sure_confidence: Share


@declaration
class CtSliceRules(Rules):
    """Of the task ``ct-slice``.

    Attributes:
        slice: of the stage ``slice``.
    """

    slice: OutlineRules


@declaration
class FrameRules:
    """Of the outline in an ultrasound frame.

    Attributes:
        smallest_share: of what the frame shows, which a kidney has at least.
        least_confidence: mean probability inside the outline below which it is not believed.
        sure_confidence: mean probability below which the outline is flagged for a look.
        usual_share: of what the frame shows, below which the outline is flagged for a look: the network learnt from
            frames of which a kidney fills more.
    """

    smallest_share: Share
    least_confidence: Share
    sure_confidence: Share
    usual_share: Share


@declaration
class UltrasoundRules(Rules):
    """Of the task ``ultrasound``.

    Attributes:
        ultrasound: of the stage ``ultrasound``.
    """

    ultrasound: FrameRules


_BY_TASK: dict[str, type[Rules]] = {"ct": CtRules, "ct-slice": CtSliceRules, "ultrasound": UltrasoundRules}


def rules_of(task: str) -> type[Rules]:
    """Returns the class of a task's rules; that without any rule for a task that declared none."""
    return _BY_TASK.get(task, Rules)
