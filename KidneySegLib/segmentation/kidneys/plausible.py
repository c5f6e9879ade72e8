"""Whether what was outlined can be a kidney at all.

A kidney that is likely one is never left out: where the network is not sure, it is shown and called doubtful. Left out,
and told, is only what something speaks against that holds for every patient: a size that no kidney has, or a place
where none lies. Being dense inside (stones, stents, contrast medium) or large is no such reason.
"""

from KidneySegLib.bundles.rules import KidneyRules
from KidneySegLib.flags import Flag
from KidneySegLib.segmentation.kidneys.outline import Outline
from KidneySegLib.segmentation.kidneys.surroundings import bone_around, look_around
from KidneySegLib.volume import Volume

# A kidney is 45 mm long at birth, which makes some 10 ml; that of a preterm child or a shrunken one has a few. Of one
# that the image cuts, less can be seen, but what is smaller still cannot be told from anything else.
_LEAST_ML, _LEAST_CUT_ML = 2.0, 1.0
_IN_AIR = 0.7
_MOST = 0.5
# The upper pole reaches up beside the lungs' lower ends, but not to where they fill the chest.
_IN_CHEST = 0.1


def reason_against(outline: Outline, canonical: Volume, rules: KidneyRules) -> str | None:
    """Returns why an outline is not a kidney (a word of the flag ``kidney_not_confirmed``), or None if it may be one.

    Args:
        outline: one kidney, on ``canonical``.
        canonical: the scan in canonical orientation.
        rules: of the bundle.
    """
    if outline.volume_ml < (_LEAST_CUT_ML if outline.cut else _LEAST_ML):
        return "small"
    if _enclosed_by_bone(outline, canonical):
        return "skull"
    around = look_around(outline, canonical)
    uncertain = outline.confidence < rules.sure_confidence
    if around.air_seen or uncertain:
        if around.air is not None and around.air >= _IN_AIR:
            return "air"
        if around.bodiless is not None and around.bodiless >= _MOST:
            return "no body"
    if around.lung is not None and around.lung >= _IN_CHEST and uncertain:
        return "chest"
    return None


def doubts(outline: Outline, rules: KidneyRules, *, hardly_located: bool) -> list[Flag]:
    """Returns a flag where a kidney needs a look: doubtful as a whole, or uncertain in its outline.

    Args:
        outline: one kidney.
        rules: of the bundle.
        hardly_located: whether the first pass saw less of it than is usual.
    """
    usual = rules.smallest_cut_ml if outline.cut else rules.smallest_kidney_ml
    if hardly_located or outline.confidence < rules.least_confidence or outline.volume_ml < usual:
        return [Flag.of("kidney_doubtful", side=outline.side)]
    if outline.confidence < rules.sure_confidence:
        return [Flag.of("low_confidence", side=outline.side)]
    return []


def not_confirmed(outline: Outline, reason: str) -> Flag:
    """Returns the flag on an outline that was left out."""
    return Flag.of("kidney_not_confirmed", side=outline.side, reason=reason)


def _enclosed_by_bone(outline: Outline, canonical: Volume) -> bool:
    return bone_around(outline, canonical) >= _MOST
