"""CT in, label map out: locate, decide sides, outline, judge, find lesions and stones."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from KidneySegLib.bundles.rules import CtRules, RenalRules
from KidneySegLib.flags import Flag
from KidneySegLib.inference.predict import Predictor
from KidneySegLib.languages.language import N_
from KidneySegLib.measuring.instances import Confidence, LesionCandidate, Segmentation
from KidneySegLib.progress import Progress, Share, silent
from KidneySegLib.segmentation.kidneys.organ import find_organ
from KidneySegLib.segmentation.kidneys.outline import Outline
from KidneySegLib.segmentation.kidneys.outlines import further_pieces
from KidneySegLib.segmentation.kidneys.plausible import doubts
from KidneySegLib.segmentation.kidneys.renal import find_renal
from KidneySegLib.segmentation.kidneys.search import find_kidneys
from KidneySegLib.segmentation.kidneys.sides import LocatedKidney
from KidneySegLib.segmentation.lesions.find import FoundLesions, draw_lesions, find_lesions
from KidneySegLib.segmentation.lesions.left_out import left_out, told
from KidneySegLib.segmentation.lesions.level import other_levels
from KidneySegLib.segmentation.lesions.operating_point import take_out_candidates
from KidneySegLib.segmentation.load import Model, rules_for
from KidneySegLib.segmentation.stones.find import find_stones
from KidneySegLib.segmentation.whole_exam import segment_exam
from KidneySegLib.structures import BY_KEY, KIDNEYS, Side
from KidneySegLib.volume import Volume

STONE = BY_KEY["stone"].label
LESION_STAGES = {"organ", "lesion"}
RENAL_STAGE = "renal"
_LOOKING = {
    Side.RIGHT: N_("Looking for masses and cysts of the right kidney"),
    Side.LEFT: N_("Looking for masses and cysts of the left kidney"),
}
# The organ network takes more of the time than the lesion network.
_ORGAN_SHARE = 0.6


def segment_ct(volume: Volume, model: Model, progress: Progress = silent) -> Segmentation:
    """Finds the kidneys, their masses and cysts, and stones.

    Args:
        volume: CT in HU, axes in canonical order and at right angles.
        model: with the stages ``locator`` and ``kidney``; masses and cysts need ``renal``, or ``organ`` and ``lesion``.
            Or with the stage ``exam`` alone.
        progress: receives progress and may stop the run.

    Raises:
        ResourceError: memory does not suffice.
        BundleError: the bundle is for another task.
    """
    predictors, rules = model.predictors, rules_for(model.bundle, CtRules)
    if rules.exam is not None:
        return segment_exam(volume, predictors["exam"], rules.exam, progress)
    assert rules.kidney is not None  # the rules were checked when the bundle was read
    search = find_kidneys(volume, predictors, rules.kidney, progress)
    kidneys, flags = list(search.kidneys), list(search.flags)
    labels = np.zeros(volume.voxels.shape, np.uint8)
    renal = _find_renal(volume, kidneys, predictors, rules.renal, progress)
    if renal is not None:
        kidneys = [(region, whole) for (region, _), (whole, _) in zip(kidneys, renal, strict=True)]
    doubtful: set[Side] = set()
    for region, outline in kidneys:
        _draw(outline, region, labels)
        about = doubts(outline, rules.kidney, hardly_located=region.small)
        flags += about
        if any(flag.code == "kidney_doubtful" for flag in about):
            doubtful.add(outline.side)
    outlines = [outline for _, outline in kidneys]
    if renal is not None:
        lesions = [found for _, found in renal]
    else:
        lesions = _find_lesions(volume, outlines, predictors, rules, progress)
    flags += [flag for found in lesions for flag in found.flags if flag not in flags]
    if outlines and renal is None and not predictors.keys() >= LESION_STAGES:
        flags.append(Flag.of("lesions_not_searched"))
    sides = [outline.side for outline in outlines]
    percent = draw_lesions(lesions, sides, labels) if lesions else None
    regions = [left_out(volume, found, side, labels) for found, side in zip(lesions, sides, strict=False)]
    flags += told([region for of_one in regions for region in of_one])
    flags += further_pieces(search.located, search.refused, labels)
    candidates: tuple[LesionCandidate, ...] = ()
    if percent is not None and rules.operating_point is not None:
        candidates = take_out_candidates(volume, labels, percent, outlines, lesions, rules.operating_point)
    if outlines:
        progress("stones", 0.0, N_("Looking for stones"))
        stones, more = find_stones(volume, labels)
        labels[stones] = STONE
        flags += more
    confidence = None if percent is None else Confidence.within(labels, percent)
    found = Segmentation.of(volume, labels, flags=flags, confidence=confidence, doubtful=doubtful)
    return replace(found, candidates=candidates)


def _find_renal(
    canonical: Volume,
    kidneys: list[tuple[LocatedKidney, Outline]],
    predictors: Mapping[str, Predictor],
    rules: RenalRules | None,
    progress: Progress,
) -> list[tuple[Outline, FoundLesions]] | None:
    """Returns each kidney with all that belongs to it, and its lesions; None if the bundle has no stage for them."""
    if RENAL_STAGE not in predictors or rules is None:
        return None
    found = []
    for number, (_, outline) in enumerate(kidneys):
        told = _lesion_share(progress, outline.side, number, len(kidneys))
        found.append(find_renal(canonical, outline, predictors[RENAL_STAGE], rules, told))
    return found


def _find_lesions(
    canonical: Volume,
    outlines: list[Outline],
    predictors: Mapping[str, Predictor],
    rules: CtRules,
    progress: Progress,
) -> list[FoundLesions]:
    """Returns the masses and cysts of each kidney; nothing if the bundle has no stage for them."""
    if not predictors.keys() >= LESION_STAGES or rules.lesion is None or rules.kidney is None:
        return []
    others = other_levels(canonical, outlines, predictors["lesion"], rules.kidney.least_confidence)
    lesions = []
    for number, outline in enumerate(outlines):
        share = _lesion_share(progress, outline.side, number, len(outlines))
        organ = find_organ(canonical, outline, predictors["organ"], share.part(0.0, _ORGAN_SHARE))
        rest = share.part(_ORGAN_SHARE, 1.0)
        doubtful = outline.confidence < rules.kidney.least_confidence
        found = find_lesions(
            canonical, outline, organ, predictors["lesion"], rules.lesion, rest, others[number], doubtful=doubtful
        )
        lesions.append(replace(found, flags=(*organ.flags, *found.flags)))
    return lesions


def _lesion_share(progress: Progress, side: Side, number: int, count: int) -> Share:
    return Share.of(progress, "lesions", _LOOKING[side]).nth(number, count)


def _draw(outline: Outline, region: LocatedKidney, labels: np.ndarray) -> None:
    """Writes a kidney into ``labels``."""
    side, mask = outline.side, outline.mask
    if region.border is not None:
        border = region.border * labels.shape[2] / region.seeds.shape[2]
        columns = np.arange(outline.box[2].start, outline.box[2].stop) + 0.5
        mask = mask & ((columns < border) == (side is Side.RIGHT))
    target = labels[outline.box]
    target[mask & (target == 0)] = KIDNEYS[side].label
