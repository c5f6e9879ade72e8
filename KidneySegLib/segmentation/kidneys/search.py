"""First and second pass: where kidneys are, and their outlines; once more for a side with none or a doubtful one."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from KidneySegLib.bundles.rules import KidneyRules
from KidneySegLib.flags import Flag
from KidneySegLib.inference.arrays import array_of
from KidneySegLib.inference.memory import probabilities_within_memory
from KidneySegLib.inference.predict import Predictor
from KidneySegLib.inference.resampling import resample
from KidneySegLib.languages.language import N_
from KidneySegLib.progress import Progress, Share
from KidneySegLib.segmentation.kidneys.boxed import SURER, agreement
from KidneySegLib.segmentation.kidneys.locate import (
    as_wide_as_learnt,
    find_candidates,
    midline,
    working_grid,
)
from KidneySegLib.segmentation.kidneys.outline import Outline
from KidneySegLib.segmentation.kidneys.outlines import Located, outline_kidneys, share_in
from KidneySegLib.segmentation.kidneys.sides import LocatedKidney, assign
from KidneySegLib.structures import Side
from KidneySegLib.volume import Volume

# A region of which so much is the outline of the other kidney is that kidney, given to the wrong side.
_SAME = 0.5


@dataclass(frozen=True)
class FoundKidneys:
    """Kidneys of an exam.

    Attributes:
        kidneys: each with the region in which it was looked for, right before left.
        refused: regions that hold none.
        located: what the first pass found; of a side whose kidney the second look found, what that found.
        flags: what was left out, lowered, or is unusual.
    """

    kidneys: Sequence[tuple[LocatedKidney, Outline]]
    refused: Sequence[LocatedKidney]
    located: Located
    flags: Sequence[Flag]


def find_kidneys(
    canonical: Volume, predictors: Mapping[str, Predictor], rules: KidneyRules, progress: Progress
) -> FoundKidneys:
    """Finds at most one kidney per side.

    Where a side has none or a doubtful one, it is looked for again, in an image as wide as the patches of training in
    which nothing is denser than kidneys. That locates better in narrow scans and filled kidneys; elsewhere it only
    differs, so what the first look is sure of stays. A kidney of the second look counts where its outline is
    surer, and on a side without any if it is not doubtful: where one was removed, two looks find more than one.

    Args:
        canonical: the scan in canonical orientation.
        predictors: the stages ``locator`` and ``kidney``.
        rules: of the bundle.
        progress: receives progress and may stop the run.
    """
    progress("locate", 0.0, N_("Looking for the kidneys"))
    located, flags = _locate(canonical, predictors["locator"], rules, progress, again=False)
    kidneys, refused, more = outline_kidneys(canonical, located, predictors["kidney"], rules, progress)
    first = FoundKidneys(kidneys, refused, located, flags + more)
    sure = {outline.side for _, outline in kidneys if outline.confidence >= rules.least_confidence}
    return first if len(sure) == len(Side) else _again(canonical, first, sure, predictors, rules, progress)


def _again(
    canonical: Volume,
    first: FoundKidneys,
    sure: Collection[Side],
    predictors: Mapping[str, Predictor],
    rules: KidneyRules,
    progress: Progress,
) -> FoundKidneys:
    def told(stage: str, fraction: float, message: str) -> None:
        progress("kidneys", 1.0, message)  # a second look has no share of its own: progress would fall back

    located, _ = _locate(canonical, predictors["locator"], rules, told, again=True)
    kidneys = {outline.side: (region, outline) for region, outline in first.kidneys}
    wanted = [
        region
        for region in located.regions
        if region.side not in sure
        and not any(
            outline.side is not region.side and _share_of(region, outline, canonical) >= _SAME
            for _, outline in first.kidneys
        )
    ]
    found, refused, flags = outline_kidneys(
        canonical, replace(located, regions=wanted), predictors["kidney"], rules, told
    )
    new = set()
    for region, outline in found:
        old = kidneys.get(outline.side)
        if _counts(outline, old[1] if old else None, rules):
            kidneys[outline.side] = (region, outline)
            new.add(outline.side)
    kept = [flag for flag in first.flags if not _refuses(flag, new)]
    kept += [flag for flag in flags if flag not in kept and not _refuses(flag, kidneys)]
    pieces = [piece for piece in first.located.candidates if first.located.side_of(piece) not in new]
    pieces += [piece for piece in located.candidates if located.side_of(piece) in new]
    return FoundKidneys(
        [kidneys[side] for side in Side if side in kidneys],
        [*first.refused, *refused],
        replace(located if new else first.located, candidates=pieces),
        kept,
    )


def _locate(
    canonical: Volume, predictor: Predictor, rules: KidneyRules, progress: Progress, *, again: bool
) -> tuple[Located, list[Flag]]:
    """Looks for the kidneys in the whole scan."""
    shape, spacing = working_grid(canonical, predictor.stage)
    hu = seen = resample(canonical.voxels, shape)
    inside = (slice(None), slice(None), slice(None))
    if again:
        seen, inside = as_wide_as_learnt(hu.clamp(max=rules.highest_ceiling), predictor.stage)
    share = Share.of(progress, "locate", N_("Looking for the kidneys"))
    found, flags = probabilities_within_memory(predictor, seen, share)
    candidates = find_candidates(found[0][inside], spacing, predictor.stage.threshold, rules)
    if not candidates:
        return Located([], 0.0, spacing, []), flags
    usual = [candidate for candidate in candidates if not candidate.small] or candidates
    middle = midline(array_of(hu), usual[:2])
    regions, more = assign(candidates, middle, spacing)
    return Located(candidates, middle, spacing, regions), flags + more


def _counts(outline: Outline, old: Outline | None, rules: KidneyRules) -> bool:
    """Whether an outline of the second look takes the place of the first look's, or of none."""
    if old is None:
        return outline.confidence >= rules.least_confidence
    return _sureness(outline) > _sureness(old) + SURER


def _sureness(outline: Outline) -> float:
    return agreement(outline.probability, outline.mask)


def _share_of(region: LocatedKidney, other: Outline, canonical: Volume) -> float:
    """Returns how much of a region lies in the outline of the other kidney."""
    taken = np.zeros(canonical.voxels.shape, bool)
    taken[other.box] = other.mask
    return share_in(taken, region.seeds > 0)


def _refuses(flag: Flag, sides: Collection[Side]) -> bool:
    """Whether a flag tells that an outline on one of these sides is no kidney."""
    return flag.code == "kidney_not_confirmed" and flag.values["side"] in sides
