"""Measures of solid masses and cysts.

Next to the measures of any body (``measurements``) a lesion has a place in its kidney: pole and distance to the capsule
(``organ``), distance to the sinus (``sinus``), and the share of its volume outside of the kidney's contour.
"""

from collections.abc import Sequence

import numpy as np

from KidneySegLib.findings import LesionFinding
from KidneySegLib.geometry.bodies import Body
from KidneySegLib.geometry.boxes import cut_at, hull, within
from KidneySegLib.measuring.anatomy import Anatomy
from KidneySegLib.measuring.instances import Confidence, Instance, LesionCandidate
from KidneySegLib.measuring.kidneys.organ import KidneyShape
from KidneySegLib.measuring.kidneys.sinus import distance_mm, sinus_of
from KidneySegLib.measuring.known import KnownFindings, numbered
from KidneySegLib.structures import BY_KEY, Side
from KidneySegLib.volume import Volume

# The share outside of the contour is counted on at most about this many voxels (share good to 0.5 %).
SHARE_VOXELS = 30_000
LETTERS = {"mass": "M", "cyst": "C"}
CANDIDATE = "P"  # possible mass or cyst


def measure_lesions(
    anatomy: Anatomy, certainty: Confidence | None = None, known: KnownFindings | None = None
) -> list[LesionFinding]:
    """Measures all masses and cysts, in the order of ``anatomy.lesions``.

    Args:
        anatomy: the label map taken apart.
        certainty: of the network.
        known: lesions that keep their identifiers, and the network's certainty where they are unchanged; None numbers
            lesions by their place.
    """
    sinuses = _sinuses(anatomy, anatomy.lesions)
    found: list[LesionFinding] = []
    for lesion, identifier in zip(anatomy.lesions, _identifiers(anatomy, known), strict=True):
        if known is None:
            confidence = None if certainty is None else certainty.of(lesion.body)
        else:
            confidence = known.confidence(identifier, lesion.body)
        found.append(_measure(lesion, identifier, anatomy, sinuses.get(lesion.own_side), confidence))
    return found


def measure_candidates(anatomy: Anatomy, candidates: Sequence[LesionCandidate]) -> list[LesionFinding]:
    """Measures masses and cysts below the operating point, in their order; see ``measure_lesions``.

    Args:
        anatomy: the label map taken apart, which does not hold them.
        candidates: on its grid.
    """
    sinuses = _sinuses(anatomy, [candidate.instance for candidate in candidates])
    return [
        _measure(each.instance, each.identifier or first, anatomy, sinuses.get(each.instance.own_side), each.confidence)
        for each, first in zip(candidates, numbered(CANDIDATE, len(candidates)), strict=True)
    ]


def _sinuses(anatomy: Anatomy, lesions: Sequence[Instance]) -> dict[Side, np.ndarray | None]:
    """Returns the renal sinus of every kidney that has one of the lesions."""
    sinuses = {}
    for side in {lesion.own_side for lesion in lesions} & anatomy.organs.keys():
        kidney, label = anatomy.outline(side)
        sinuses[side] = sinus_of(anatomy.canonical, anatomy.labels, kidney, label, anatomy.organs[side])
    return sinuses


def _identifiers(anatomy: Anatomy, known: KnownFindings | None) -> list[str]:
    """Returns the identifiers of ``anatomy.lesions``: masses, then cysts."""
    names: list[str] = []
    for key, letter in LETTERS.items():
        bodies = [lesion.body for lesion in anatomy.lesions if lesion.structure.key == key]
        names += known.names(letter, bodies) if known else numbered(letter, len(bodies))
    return names


def organ_body(anatomy: Anatomy, side: Side) -> Body:
    """Returns the kidney of a side together with its masses and cysts, and the stones within its contour."""
    parts = [anatomy.kidneys[side], *(lesion.body for lesion in anatomy.lesions_of(side))]
    around = hull(part.box for part in parts)
    first = tuple(axis.start for axis in around)
    mask = np.zeros([axis.stop - axis.start for axis in around], bool)
    for part in parts:
        mask[within(part.box, around)] |= part.mask
    if side in anatomy.organs:
        stones = np.argwhere(anatomy.labels[around] == BY_KEY["stone"].label)
        if len(stones):
            inside = anatomy.organs[side].outside_mm(anatomy.canonical.to_lps(stones + first)) <= 0
            mask[tuple(stones[inside].T)] = True
    return Body(mask, first)


def _measure(
    lesion: Instance, identifier: str, anatomy: Anatomy, sinus: np.ndarray | None, confidence: float | None
) -> LesionFinding:
    canonical, body = anatomy.canonical, lesion.body
    organ = anatomy.organ(lesion)
    measures, cut = anatomy.measure(body), cut_at(body.box, canonical.voxels.shape)
    return LesionFinding(
        id=identifier,
        structure="mass" if lesion.structure.key == "mass" else "cyst",
        side=lesion.own_side,
        pole=organ.pole(np.array(measures.centroid_lps_mm)) if organ else None,
        measures=measures.without_length() if cut else measures,
        sinus_distance_mm=None if sinus is None else distance_mm(canonical, body, sinus),
        capsule_distance_mm=organ.gap_mm(canonical.to_lps(body.surface())) if organ else None,
        exophytic_share=_exophytic_share(body, organ, canonical) if organ else None,
        confidence=confidence,
        cut_at=cut,
        length_at_least_mm=measures.length_mm if cut else None,
    )


def _exophytic_share(body: Body, organ: KidneyShape, canonical: Volume) -> float:
    """Returns the share of the lesion outside of the contour that the kidney would have without it."""
    voxels = body.voxels()
    sample = voxels[:: len(voxels) // SHARE_VOXELS + 1]
    return float(np.mean(organ.outside_mm(canonical.to_lps(sample)) > 0))
