"""From an image and its label map to findings.

It works from the label map alone, so a corrected one can be measured again. A kidney's measures are those of its own
voxels (its parenchyma); ``organ_volume_ml`` and ``organ_length_mm`` are those of the kidney with its masses and cysts
and the stones inside it. A kidney that the image cuts has no length, since the greatest extent of what is left of it
may be its width; it is at least as long as it is seen along the body.
"""

import math
from collections.abc import Sequence

import numpy as np

from KidneySegLib.exam import Exam
from KidneySegLib.findings import Findings, KidneyFinding, Provenance
from KidneySegLib.findings.candidates import candidate_flags
from KidneySegLib.flags import Flag
from KidneySegLib.geometry.bodies import Body
from KidneySegLib.geometry.boxes import cut_at
from KidneySegLib.geometry.diameters import maximum_diameter
from KidneySegLib.measuring.anatomy import Anatomy
from KidneySegLib.measuring.instances import Segmentation
from KidneySegLib.measuring.kidneys.phase import estimate_phase
from KidneySegLib.measuring.known import KnownFindings
from KidneySegLib.measuring.lesions.lesions import measure_candidates, measure_lesions, organ_body
from KidneySegLib.measuring.lesions.quality import check_lesions, check_phase
from KidneySegLib.measuring.orientation.check import check_orientation
from KidneySegLib.measuring.orientation.doubt import without_claimed_sides
from KidneySegLib.measuring.quality import check_image, check_kidneys
from KidneySegLib.measuring.stones.stones import check_stones, measure_stones

# Remarks that reader or segmentation make more exactly, where they ran.
_SAID_BY = {
    "values_clipped": {"values_clipped"},
    "stones_with_contrast": {"stones_with_contrast", "stones_not_searched"},
}


def describe(
    exam: Exam, segmentation: Segmentation, *, provenance: Provenance, known: KnownFindings | None = None
) -> Findings:
    """Measures kidneys, lesions and stones of a segmentation and checks image and result.

    Args:
        exam: the image in HU.
        segmentation: what was drawn in it.
        provenance: how the segmentation came about.
        known: findings that keep their identifiers, for a label map that was corrected. The image was checked when
            they were found, and is not checked again; its contrast phase is lost by no correction.

    Returns:
        The findings; remarks from before (reading, segmentation) come first among the flags.

    Raises:
        InputError: the image has no valid values inside a kidney, lesion or stone.
    """
    anatomy = Anatomy.of(exam, segmentation, known)
    kidneys = _kidneys(anatomy)
    lesions = measure_lesions(anatomy, segmentation.confidence, known)
    candidates = measure_candidates(anatomy, segmentation.candidates)
    stones, burden = measure_stones(anatomy, known)
    # its blocks begin at the first stored voxel of a kidney, so the stored order keeps its last digit
    phase = estimate_phase(exam.stored, exam.order.invert(segmentation.labels))
    if known is not None and kidneys:
        phase = known.surer_phase(phase)
    remarks = [
        *check_orientation(
            exam.volume, segmentation.labels, [each for each in lesions if each.side not in anatomy.remade]
        ),
        *(check_image(exam.volume) if known is None else []),
        *check_kidneys(kidneys, anatomy.remade),
        *check_lesions(lesions, kidneys, anatomy.specks, phase, segmentation.doubtful, anatomy.remade),
        *candidate_flags(candidates),
        *check_stones(stones),
        *(check_phase(phase) if kidneys else []),
    ]
    flags = (*exam.flags, *segmentation.flags)
    findings = Findings(
        kidneys=tuple(kidneys),
        flags=(*flags, *not_said(remarks, flags)),
        provenance=provenance,
        lesions=tuple(lesions),
        stones=tuple(stones),
        stone_burden=tuple(burden),
        phase=phase,
        candidates=tuple(candidates),
    )
    return without_claimed_sides(findings)


def not_said(remarks: Sequence[Flag], flags: Sequence[Flag]) -> list[Flag]:
    """Returns the remarks that do not repeat what reader or segmentation said more exactly."""
    said = {flag.code for flag in flags}
    return [flag for flag in remarks if not said & _SAID_BY.get(flag.code, set())]


def _kidneys(anatomy: Anatomy) -> list[KidneyFinding]:
    kidneys = []
    for side, kidney in anatomy.kidneys.items():
        measures = anatomy.measure(kidney)
        organ = organ_body(anatomy, side)
        voxels = int(np.count_nonzero(organ.mask))
        length = measures.length_mm
        if voxels > measures.voxels:
            length = maximum_diameter(organ.mask, anatomy.canonical.crop(organ.box).ijk_to_lps).length
        cut, organ_cut = (cut_at(body.box, anatomy.canonical.voxels.shape) for body in (kidney, organ))
        kidneys.append(
            KidneyFinding(
                side=side,
                measures=measures.without_length() if cut else measures,
                organ_volume_ml=voxels * anatomy.canonical.voxel_volume / 1000,
                organ_length_mm=math.nan if organ_cut else length,
                cut_at=cut,
                length_at_least_mm=_along_the_body(anatomy, kidney) if cut else None,
                organ_length_at_least_mm=_along_the_body(anatomy, organ) if organ_cut else None,
            )
        )
    return kidneys


def _along_the_body(anatomy: Anatomy, body: Body) -> float:
    """Returns how far a body reaches in mm along the axis nearest to head and feet."""
    return body.mask.shape[0] * anatomy.canonical.spacing[2]
