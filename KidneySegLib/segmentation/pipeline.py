"""CT in, label map out: locate, decide sides, outline, judge, find lesions and stones."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import torch

from KidneySegLib.bundles.rules import CtRules, KidneyRules, RenalRules
from KidneySegLib.flags import Flag
from KidneySegLib.inference.arrays import array_of
from KidneySegLib.inference.memory import probabilities_within_memory
from KidneySegLib.inference.predict import Predictor
from KidneySegLib.inference.resampling import resample
from KidneySegLib.measuring.instances import Confidence, LesionCandidate, Segmentation
from KidneySegLib.progress import Progress, Share, silent
from KidneySegLib.segmentation.kidneys.locate import as_wide_as_learnt, find_candidates, midline, working_grid
from KidneySegLib.segmentation.kidneys.organ import find_organ
from KidneySegLib.segmentation.kidneys.outline import Outline
from KidneySegLib.segmentation.kidneys.outlines import Located, further_pieces, outline_kidneys
from KidneySegLib.segmentation.kidneys.plausible import doubts
from KidneySegLib.segmentation.kidneys.renal import find_renal
from KidneySegLib.segmentation.kidneys.sides import LocatedKidney, assign
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
    located, flags = _locate(volume, predictors["locator"], rules.kidney, progress)
    labels = np.zeros(volume.voxels.shape, np.uint8)

    kidneys, refused, more = outline_kidneys(volume, located, predictors["kidney"], rules.kidney, progress)
    flags += more
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
    flags += further_pieces(located, refused, labels)
    candidates: tuple[LesionCandidate, ...] = ()
    if percent is not None and rules.operating_point is not None:
        candidates = take_out_candidates(volume, labels, percent, outlines, lesions, rules.operating_point)
    if outlines:
        progress("stones", 0.0, "Looking for stones")
        stones, more = find_stones(volume, labels)
        labels[stones] = STONE
        flags += more
    confidence = None if percent is None else Confidence.within(labels, percent)
    found = Segmentation.of(volume, labels, flags=flags, confidence=confidence, doubtful=doubtful)
    return replace(found, candidates=candidates)


def _locate(
    canonical: Volume, predictor: Predictor, rules: KidneyRules, progress: Progress
) -> tuple[Located, list[Flag]]:
    """Looks for the kidneys; where a side has none, once more in a wider image in which nothing is denser than they."""
    shape, spacing = working_grid(canonical, predictor.stage)
    progress("locate", 0.0, "Looking for the kidneys")
    hu = resample(canonical.voxels, shape)
    share = Share.of(progress, "locate", "Looking for the kidneys")
    found, flags = probabilities_within_memory(predictor, hu, share.part(0.0, 0.5))
    located, more = _regions(found[0], hu, spacing, predictor, rules)
    wide, inside = as_wide_as_learnt(hu.clamp(max=rules.highest_ceiling), predictor.stage)
    if _sides(located) < len(Side) and (wide.shape != hu.shape or bool((hu > rules.highest_ceiling).any())):
        found, again = probabilities_within_memory(predictor, wide, share.part(0.5, 1.0))
        other, others = _regions(found[0][inside], hu, spacing, predictor, rules)
        if _sides(other) > _sides(located):
            located, more, flags = other, others, flags + [flag for flag in again if flag not in flags]
    return located, flags + more


def _regions(
    probability: torch.Tensor, hu: torch.Tensor, spacing: np.ndarray, predictor: Predictor, rules: KidneyRules
) -> tuple[Located, list[Flag]]:
    candidates = find_candidates(probability, spacing, predictor.stage.threshold, rules)
    if not candidates:
        return Located([], 0.0, spacing, []), []
    usual = [candidate for candidate in candidates if not candidate.small] or candidates
    middle = midline(array_of(hu), usual[:2])
    regions, flags = assign(candidates, middle, spacing)
    return Located(candidates, middle, spacing, regions), flags


def _sides(located: Located) -> int:
    return len({region.side for region in located.regions})


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
    return Share.of(progress, "lesions", f"Looking for masses and cysts of the {side} kidney").nth(number, count)


def _draw(outline: Outline, region: LocatedKidney, labels: np.ndarray) -> None:
    """Writes a kidney into ``labels``."""
    side, mask = outline.side, outline.mask
    if region.border is not None:
        border = region.border * labels.shape[2] / region.seeds.shape[2]
        columns = np.arange(outline.box[2].start, outline.box[2].stop) + 0.5
        mask = mask & ((columns < border) == (side is Side.RIGHT))
    target = labels[outline.box]
    target[mask & (target == 0)] = KIDNEYS[side].label
