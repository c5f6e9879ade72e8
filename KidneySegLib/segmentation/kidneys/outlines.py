"""Second pass over both sides: what was located is outlined and judged."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from KidneySegLib.bundles.rules import KidneyRules
from KidneySegLib.flags import Flag
from KidneySegLib.geometry.boxes import Box
from KidneySegLib.hounsfield import DENSEST_CORTEX
from KidneySegLib.inference.memory import give_back_freed_memory
from KidneySegLib.inference.predict import Predictor
from KidneySegLib.languages.language import N_
from KidneySegLib.progress import Progress, Share
from KidneySegLib.segmentation.kidneys.boxed import SURER, agreement
from KidneySegLib.segmentation.kidneys.locate import Candidate
from KidneySegLib.segmentation.kidneys.outline import Outline, outline_kidney
from KidneySegLib.segmentation.kidneys.plausible import not_confirmed, reason_against
from KidneySegLib.segmentation.kidneys.sides import LocatedKidney, assign
from KidneySegLib.structures import Side
from KidneySegLib.volume import Volume

_OUTLINING = {Side.RIGHT: N_("Outlining the right kidney"), Side.LEFT: N_("Outlining the left kidney")}
# Where what was outlined first is not a kidney, the next piece of that side is tried; so many in all.
_TRIES = 3
# So much of a kidney holds excreted medium or a large stone; one of 9 mm is 0.3 % of a kidney.
_DENSE = 0.05


@dataclass(frozen=True)
class Located:
    """What the first pass found.

    Attributes:
        candidates: the most convincing first.
        middle: index along i of the body's middle on the locator's grid.
        spacing: of that grid, mm along k, j, i.
        regions: where kidneys shall be outlined, right before left.
    """

    candidates: list[Candidate]
    middle: float
    spacing: np.ndarray
    regions: list[LocatedKidney]

    def side_of(self, piece: Candidate) -> Side:
        """Returns on which side of the body's middle a piece lies."""
        return Side.RIGHT if piece.centre[2] < self.middle else Side.LEFT

    def next_region(self, side: Side, tried: list[LocatedKidney]) -> LocatedKidney | None:
        """Returns where else the kidney of a side may be, after what was tried; of small pieces most are noise."""
        seen = np.any([region.seeds > 0 for region in tried], axis=0)
        rest = [piece for piece in self.candidates if not piece.small and not (piece.mask & seen).any()]
        return next((region for region in assign(rest, self.middle, self.spacing)[0] if region.side is side), None)


def outline_kidneys(
    canonical: Volume,
    located: Located,
    predictor: Predictor,
    rules: KidneyRules,
    progress: Progress,
) -> tuple[list[tuple[LocatedKidney, Outline]], list[LocatedKidney], list[Flag]]:
    """Outlines at most one kidney per side; what cannot be one is left out and flagged.

    Args:
        canonical: the scan in canonical orientation.
        located: what the first pass found.
        predictor: the kidney stage.
        rules: of the bundle.
        progress: receives progress and may stop the run.

    Returns:
        Each kidney with its region, right before left; the regions that hold none; and flags on what was left out or
        lowered.
    """
    found, empty, flags = [], list[LocatedKidney](), list[Flag]()
    for number, first in enumerate(located.regions):
        give_back_freed_memory()
        region: LocatedKidney | None = first
        tried: list[LocatedKidney] = []
        share = Share.of(progress, "kidneys", _OUTLINING[first.side]).nth(number, len(located.regions))
        refused: list[Flag] = []
        while region is not None and len(tried) < _TRIES:
            box = native_box(region, canonical, rules.margin_mm)
            # a further try has no share of its own: progress would fall back
            told = share.part(1.0, 1.0) if tried else share
            outline = _surest(canonical, region, box, predictor, rules, told)
            flags += [flag for flag in outline.flags if flag not in flags]
            reason = reason_against(outline, canonical, rules)
            if reason is None:
                found.append((region, outline))
                refused = []
                break
            if not region.small:
                refused.append(not_confirmed(outline, reason))
            tried.append(region)
            empty.append(region)
            region = located.next_region(region.side, tried)
        flags += refused[:1]
    give_back_freed_memory()
    return found, empty, flags


def _surest(
    canonical: Volume, region: LocatedKidney, box: Box, predictor: Predictor, rules: KidneyRules, told: Share
) -> Outline:
    """Outlines a kidney; where much of it is too dense for cortex, again with ceilings on HU: the surest look counts.

    Medium that fills a pelvis, or a cortex brighter than any that the network learnt from, is no kidney to it; as dense
    as other parenchyma, it is.
    """
    best = outline_kidney(canonical, region.side, box, region.seeds, predictor, rules, told)
    if _dense_share(best, canonical) < _DENSE:
        return best
    for ceiling in rules.ceilings_hu:
        again = told.part(1.0, 1.0)
        other = outline_kidney(canonical, region.side, box, region.seeds, predictor, rules, again, ceiling)
        if agreement(other.probability, other.mask) > agreement(best.probability, best.mask) + SURER:
            best = other
    return best


def _dense_share(outline: Outline, canonical: Volume) -> float:
    """Returns which share of an outline is denser than cortex is in any phase."""
    inside = canonical.voxels[outline.box][outline.mask]
    return float((inside > DENSEST_CORTEX).mean()) if inside.size else 0.0


def native_box(region: LocatedKidney, canonical: Volume, margin_mm: float) -> Box:
    """Takes a region from the locator's grid to the scan's, with a margin."""
    slices = []
    sizes = zip(
        region.lower, region.upper, region.seeds.shape, canonical.voxels.shape, canonical.spacing[::-1], strict=True
    )
    for low, up, coarse, fine, spacing in sizes:
        margin = margin_mm / spacing
        start = max(0, int(np.floor(low * fine / coarse - margin)))
        slices.append(slice(start, min(fine, int(np.ceil(up * fine / coarse + margin)))))
    return slices[0], slices[1], slices[2]


# Of a piece that belongs to the result, at least this share lies in it.
_LEAST_SHARE = 0.5


def further_pieces(located: Located, refused: Sequence[LocatedKidney], labels: np.ndarray) -> list[Flag]:
    """Returns a flag on each piece that is neither in the result nor was refused as no kidney.

    Args:
        located: what the first pass found.
        refused: regions whose outline can be no kidney.
        labels: uint8 ``(k, j, i)``, canonical: kidneys with their lesions.
    """
    flags = []
    for piece in located.candidates:
        if piece.small or any((region.seeds[piece.mask] > 0).any() for region in refused):
            continue
        if share_in(labels, piece.mask) < _LEAST_SHARE:
            flags.append(Flag.of("further_kidney", volume_ml=piece.volume_ml, side=located.side_of(piece)))
    return flags


def share_in(labels: np.ndarray, mask: np.ndarray) -> float:
    """Returns the share of ``mask``, on any grid over the same extent, whose centres lie in ``labels``."""
    voxels = np.argwhere(mask) + 0.5
    at = (voxels * labels.shape / mask.shape).astype(int)
    return float((labels[tuple(at.T)] > 0).mean())
