"""Which located piece is which kidney: decided in patient space, never from array order or a network's opinion."""

from dataclasses import dataclass, replace

import numpy as np

from KidneySegLib.flags import Flag
from KidneySegLib.segmentation.kidneys.locate import Candidate
from KidneySegLib.structures import Side

# Pieces of one side nearer than this to its main piece belong to it (a kidney torn by a cyst or the locator).
_SAME_KIDNEY_MM = 30.0
# A piece that the locator believes this much less is something else beside the kidney. Set by hand, not tuned on exams.
_LESS_BELIEVED = 0.25
# A piece of at least this size with at least this share on each side of the midline is taken for a fused kidney.
_FUSED_ML, _FUSED_SHARE = 40.0, 0.2
# Right and left centres differing more than this in height: one of them is not in its usual place.
_USUAL_HEIGHT_MM = 110.0


@dataclass(frozen=True, eq=False)
class LocatedKidney:
    """Where one kidney is to be segmented.

    Attributes:
        side: the patient's.
        lower: corner of the box on the locator's grid, ``(k, j, i)``.
        upper: opposite corner, exclusive.
        seeds: the located voxels, on the whole locator grid.
        border: index along i that the kidney must not cross (a fused kidney is split there), else None.
        small: whether only pieces that are small for a kidney were located.
    """

    side: Side
    lower: np.ndarray
    upper: np.ndarray
    seeds: np.ndarray
    border: float | None = None
    small: bool = False


def assign(candidates: list[Candidate], middle: float, spacing: np.ndarray) -> tuple[list[LocatedKidney], list[Flag]]:
    """Gives at most one region to each side.

    Args:
        candidates: the most convincing first. Small ones only count on a side that has nothing larger.
        middle: index along i of the body's middle on the locator's grid; i runs to the patient's left.
        spacing: of the locator's grid, mm along k, j, i.

    Returns:
        Regions, right before left, and flags for what is unusual.
    """
    flags: list[Flag] = []
    fused = [c for c in candidates[:2] if c.volume_ml >= _FUSED_ML and min(_shares(c, middle)) >= _FUSED_SHARE]
    if fused:
        flags.append(Flag.of("fused_kidney"))
    pieces = [part for c in candidates for part in (_split(c, middle) if c in fused else [c])]
    regions = []
    for side in Side:
        own = [p for p in pieces if (p.centre[2] < middle) == (side is Side.RIGHT)]
        own = [p for p in own if not p.small] or own
        if own:
            region = _merge(side, own, spacing)
            regions.append(replace(region, border=middle) if fused else region)
    if len(regions) == 2 and not fused:
        heights = [(r.lower[0] + r.upper[0]) / 2 * spacing[0] for r in regions]
        if abs(heights[0] - heights[1]) > _USUAL_HEIGHT_MM:
            flags.append(Flag.of("kidney_position"))
    return regions, flags


def _shares(candidate: Candidate, middle: float) -> tuple[float, float]:
    """Returns the shares of a piece to the patient's right and left of the middle."""
    columns = candidate.mask.sum(axis=(0, 1))
    right = float(columns[: int(np.ceil(middle))].sum()) / float(columns.sum())
    return right, 1 - right


def _split(candidate: Candidate, middle: float) -> list[Candidate]:
    """Cuts a piece at the middle."""
    cut = int(np.ceil(middle))
    parts = []
    for columns in (slice(0, cut), slice(cut, None)):
        mask = np.zeros_like(candidate.mask)
        mask[..., columns] = candidate.mask[..., columns]
        where = np.nonzero(mask)
        share = where[0].size / max(1, int(candidate.mask.sum()))
        parts.append(
            replace(
                candidate,
                mask=mask,
                lower=np.array([w.min() for w in where]),
                upper=np.array([w.max() + 1 for w in where]),
                centre=np.array([w.mean() for w in where]),
                volume_ml=candidate.volume_ml * share,
            )
        )
    return parts


def _merge(side: Side, pieces: list[Candidate], spacing: np.ndarray) -> LocatedKidney:
    """Joins the main piece with those close to it."""
    main = pieces[0]
    lower, upper, seeds = main.lower, main.upper, main.mask.copy()
    for piece in pieces[1:]:
        gap = np.maximum(piece.lower - upper, lower - piece.upper).clip(0) * spacing
        if float(np.linalg.norm(gap)) <= _SAME_KIDNEY_MM and piece.confidence > main.confidence - _LESS_BELIEVED:
            lower, upper = np.minimum(lower, piece.lower), np.maximum(upper, piece.upper)
            seeds |= piece.mask
    return LocatedKidney(side, lower, upper, seeds, small=main.small)
