"""Which of the voxels that the lesion network marks are believed to be lesions."""

from collections.abc import Sequence

import cc3d
import numpy as np
from scipy.ndimage import binary_fill_holes, distance_transform_edt

from KidneySegLib.bundles.rules import OrganLesionRules
from KidneySegLib.geometry.boxes import box_of
from KidneySegLib.geometry.distances import depth_within

_LEVEL_STEP = 0.05


def beyond_outline(kidney: np.ndarray, spacing: Sequence[float]) -> np.ndarray:
    """Returns the distance from a kidney in mm, 0 within its outline, float ``(k, j, i)``.

    Args:
        kidney: bool ``(k, j, i)``: the outline.
        spacing: mm along k, j, i.
    """
    return np.asarray(distance_transform_edt(~binary_fill_holes(kidney), sampling=spacing))


def believed(
    probability: np.ndarray, beyond: np.ndarray, spacing: Sequence[float], threshold: float, rules: OrganLesionRules
) -> np.ndarray:
    """Returns the mask of lesions that are large, certain and near enough, bool ``(k, j, i)``.

    A piece above the threshold whose mean probability does not convince may be a lesion that runs out into its
    surroundings. It is looked at again at higher and higher levels, where such a lesion stands alone. At every level
    its mean has to exceed the level by the same share of what is possible, so noise has no easier way in there.

    Args:
        probability: of a lesion of either kind, 0 outside the organ.
        beyond: as from ``beyond_outline``, same shape.
        spacing: mm along k, j, i.
        threshold: the lowest level.
        rules: of the bundle.
    """
    rest = probability > threshold
    found = np.zeros_like(rest)
    if not rest.any():
        return found
    smallest = rules.smallest_voxels(spacing)
    for level in np.arange(threshold, rules.highest_level + _LEVEL_STEP / 2, _LEVEL_STEP):
        rest &= probability > level
        if np.count_nonzero(rest) < smallest:
            break
        box = box_of(rest)
        sure = _convincing(
            rest[box],
            probability[box],
            beyond[box],
            smallest,
            _least_at(float(level), threshold, rules),
            rules.contact_mm,
        )
        found[box] |= sure
        rest[box] &= ~sure
    return _without_rims(found, probability, beyond, spacing, rules)


def _least_at(level: float, threshold: float, rules: OrganLesionRules) -> tuple[float, float]:
    """Returns the least mean probability of pieces above ``level``, inside and outside the outline."""
    share = (1 - level) / (1 - threshold)
    return 1 - (1 - rules.least_lesion_confidence) * share, 1 - (1 - rules.least_outside_confidence) * share


def _convincing(
    mask: np.ndarray,
    probability: np.ndarray,
    beyond: np.ndarray,
    smallest: float,
    least: tuple[float, float],
    contact_mm: float,
) -> np.ndarray:
    """Returns the mask without pieces that are too small, too uncertain or away from the kidney.

    Args:
        mask: bool ``(k, j, i)``.
        probability: same shape.
        beyond: distance from the kidney's outline in mm.
        smallest: number of voxels.
        least: mean probability of a piece inside the outline, and of one that lies mostly outside.
        contact_mm: how near a piece has to come to the outline.
    """
    pieces, count = cc3d.connected_components(mask, connectivity=18, return_N=True)
    sizes = np.bincount(pieces.ravel(), minlength=count + 1)
    certainty = _mean_within(pieces, probability, count)
    touching = np.bincount(pieces[beyond <= contact_mm], minlength=count + 1) > 0
    outside = np.bincount(pieces[beyond > 0], minlength=count + 1) > 0.5 * sizes
    keep = (sizes >= smallest) & (certainty >= np.where(outside, least[1], least[0])) & touching
    keep[0] = False
    return np.asarray(keep[pieces])


def _without_rims(
    mask: np.ndarray, probability: np.ndarray, beyond: np.ndarray, spacing: Sequence[float], rules: OrganLesionRules
) -> np.ndarray:
    """Returns the mask without thin or uncertain parts outside the outline.

    Args:
        mask: bool ``(k, j, i)``.
        probability: same shape.
        beyond: distance from the kidney's outline in mm.
        spacing: mm along k, j, i.
        rules: of the bundle.
    """
    outside = mask & (beyond > 0)
    if not outside.any():
        return mask
    pieces, count = cc3d.connected_components(outside, connectivity=6, return_N=True)
    thick = depth_within(outside, spacing) >= rules.rim_mm / 2
    keep = np.bincount(pieces[thick], minlength=count + 1) > 0
    keep &= _mean_within(pieces, probability, count) >= rules.least_outside_confidence
    keep[0] = True
    return mask & keep[pieces]


def _mean_within(pieces: np.ndarray, values: np.ndarray, count: int) -> np.ndarray:
    """Returns the mean of ``values`` in each piece, from number 0 (the background: 0) to ``count``."""
    inside = pieces > 0
    ids = pieces[inside]
    sizes = np.bincount(ids, minlength=count + 1)
    return np.bincount(ids, values[inside], minlength=count + 1) / np.maximum(sizes, 1)
